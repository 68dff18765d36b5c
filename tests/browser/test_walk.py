"""All that each role is shown: no link leads to a refusal, nothing scrolls sideways, axe finds nothing serious."""

from __future__ import annotations

import re
from collections import deque
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.browser.conftest import ROLES
from tests.browser.tabs import DESKTOP, NARROW, Tab

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NOT_PAGES = ("/docs", "/static/", "/live", "/api/")
MOST_PAGES = 400


def shape(address: str) -> str:
    """A page by its kind: records of one kind look alike, and one of each is enough."""
    parts = urlsplit(address)
    return _ID.sub("<id>", parts.path) + "?" + ",".join(sorted(name for name, _ in parse_qsl(parts.query)))


def links(tab: Tab) -> list[str]:
    """Where the page leads, within the house."""
    found: list[str] = tab.page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)")
    paths = [each.removeprefix(tab.home).partition("#")[0] for each in found if each.startswith(tab.home)]
    return [each for each in paths if each and not each.startswith(NOT_PAGES)]


@pytest.mark.row("UI-01")
@pytest.mark.row("UI-12")
@pytest.mark.parametrize("role", ["super_admin", *ROLES])
def test_every_page_that_is_shown_opens_fits_and_can_be_used_by_everybody(tab, role, figure):
    """Each kind of page once; at 360 and 1,280 pixels."""
    walker = tab(role)
    left, seen, wrong = deque(["/"]), set[str](), list[str]()
    while left and len(seen) < MOST_PAGES:
        address = left.popleft()
        if shape(address) in seen:
            continue
        seen.add(shape(address))
        with_file = walker.page.request.get(walker.home + address)
        if "text/html" not in with_file.headers.get("content-type", ""):
            wrong += [f"{with_file.status} {address}"] if with_file.status >= 400 else []
            continue
        got = walker.goto(address)
        if got is None or got.status >= 400:
            wrong.append(f"{got.status if got else 'nothing'} {address}")
            continue
        wrong += [f"{address}: {each}" for each in walker.serious()]
        for size in (NARROW, DESKTOP):
            walker.page.set_viewport_size(size)
            if walker.overflows():
                wrong.append(f"{address}: scrolls sideways at {size['width']}")
        left.extend(links(walker))
    figure(f"pages of {role}", len(seen), "pages")
    assert wrong == []
    assert len(seen) > 3

"""A walk as one person: every kind of page that is linked to, and what each offers to send."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Error, Response

from tests import pages
from tests.browser.tabs import DESKTOP, NARROW, TABLET, Tab

OF_A_KIND = 3
NOT_PAGES = ("/docs", "/static/", "/live", "/api/")
SOURCES = ("'self'", "'none'", "'nonce-", "data:", "blob:", "/csp-reports")
HREF = re.compile(r'<a\b[^>]*\bhref="([^"]*)"')
LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")


@dataclass
class Walk:
    """What one person was shown. opened: an address by kind of page; sends: where it was offered, by endpoint."""

    opened: dict[str, str] = field(default_factory=dict)
    sends: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Atlas:
    """What was looked at closely, by kind of page: who comes later with the same parts sees the same page."""

    made_of: dict[str, set[str]] = field(default_factory=dict)

    def is_new(self, kind: str, parts: list[str]) -> bool:
        """Whether something on it was not looked at yet."""
        known = self.made_of.setdefault(kind, set())
        new = set(parts) - known
        known |= new
        return bool(new)


class Walker:
    """Goes through the house in one tab."""

    def __init__(self, tab: Tab, atlas: Atlas) -> None:
        self._tab, self._atlas, self.walk = tab, atlas, Walk()
        self._left, self._asked, self._known = deque(["/"]), Counter[str](), set[str]()

    def go(self) -> Walk:
        """Open what is linked to: of each kind one page is looked at, two more are asked for."""
        while self._left:
            address = self._left.popleft()
            kind = pages.kind(address)
            if kind is None:
                self._found(address, "is linked to and is no page")
            elif kind not in self.walk.opened:
                self.walk.opened[kind] = address
                self._look(kind, address)
            elif self._is_wanted(kind, address, OF_A_KIND - 1):
                self._ask(address)
        return self.walk

    def _is_wanted(self, kind: str, address: str, most: int) -> bool:
        if address in self._known or self._asked[kind] >= most:
            return False
        self._known.add(address)
        self._asked[kind] += 1
        return True

    def _look(self, kind: str, address: str) -> None:
        self._known.add(address)
        got = self._opened(address)
        if got is None:
            return
        self._check(address, got)
        seen: dict[str, Any] = self._tab.page.evaluate(LOOK)
        self._left.extend(self._ours(seen["links"]))
        for each in self._ours(seen["parts"]):
            if self._is_wanted(f"part {pages.kind(each)}", f"part {each}", 1):
                self._ask(each, part=True)
        for each in self._ours(seen["sends"]):
            self.walk.sends.setdefault(str(pages.endpoint(each, "POST")), address)
        if self._atlas.is_new(kind, seen["made_of"]):
            self._found(address, *closely(self._tab))

    def _opened(self, address: str) -> Response | None:
        """The page; None where it was a file, which is taken in."""
        page, refused = self._tab.page, list[str]()

        def listen(got: Response) -> None:
            if got.status >= HTTPStatus.BAD_REQUEST:
                refused.append(f"answers {got.status}")

        page.on("response", listen)
        try:
            got = self._tab.goto(address)
            self._tab.settle()
        except Error as error:
            if "Download is starting" not in error.message:
                raise
            self._found(address, *refused)
            return None
        else:
            return got
        finally:
            page.remove_listener("response", listen)

    def _check(self, address: str, got: Response) -> None:
        if got.status >= HTTPStatus.BAD_REQUEST:
            self._found(address, f"answers {got.status}")
        if urlsplit(self._tab.page.url).path == "/sign-in":
            self._found(address, "leads out of the house")
        self._found(address, *elsewhere(got.headers.get("content-security-policy", "")))

    def _ask(self, address: str, *, part: bool = False) -> None:
        """One more of its kind, which is not drawn: it leads on all the same."""
        got = self._tab.page.request.get(self._tab.home + address, headers={"HX-Request": "true"} if part else {})
        if got.status >= HTTPStatus.BAD_REQUEST:
            self._found(address, f"answers {got.status}")
        elif "text/html" in got.headers["content-type"]:
            self._left.extend(self._ours([urljoin(got.url, unescape(each)) for each in HREF.findall(got.text())]))
        got.dispose()

    def _ours(self, addresses: list[str]) -> Iterator[str]:
        for each in dict.fromkeys(addresses):
            path = each.removeprefix(self._tab.home).partition("#")[0]
            if each.startswith(self._tab.home) and path and not path.startswith(NOT_PAGES):
                yield path

    def _found(self, address: str, *findings: str) -> None:
        self.walk.wrong += [f"{address}: {each}" for each in findings]


def closely(tab: Tab) -> Iterator[str]:
    """What axe finds serious on a page, and the widths that it does not fit in."""
    yield from tab.serious()
    for size in (NARROW, TABLET, DESKTOP):
        tab.page.set_viewport_size(size)
        if tab.overflows():
            yield f"scrolls sideways at {size['width']}"


def elsewhere(policy: str) -> Iterator[str]:
    """What a policy lets in that is not of this house."""
    rules = [rule.split() for rule in policy.split(";")]
    if ["default-src", "'none'"] not in rules:
        yield "takes what no rule names"
    yield from (f"takes {each}" for rule in rules for each in rule[1:] if not each.startswith(SOURCES))

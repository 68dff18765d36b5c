"""The ground of every page, from a browser and from raw HTTP: who may send, what is kept where, what an error says."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from playwright.sync_api import expect

from frontend.session import IDLE_S
from tests.browser.conftest import ROLES
from tests.browser.tabs import Tab
from tests.system.browsing import PAGE, Browser, browsers
from tests.system.house import Reply, RunningHouse

PAGES = ("/", "/patients", "/patients/new", "/calendar", "/booking", "/requests", "/account/password", "/nothing-here")
NOBODY = f"/patients/{uuid.uuid4()}"
TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.")
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def raw(house: RunningHouse) -> Iterator[Callable[[], Browser]]:
    """Browsers without scripts."""
    with browsers(house.url) as opened:
        yield opened


@pytest.fixture
def desk(raw: Callable[[], Browser], house: RunningHouse) -> Browser:
    """The receptionist, signed in."""
    made = raw()
    made.sign_in(ROLES["receptionist"], house.secret("demo-password"))
    return made


def token_of(browser: Browser, path: str = "/patients") -> str:
    found = re.search(r'<meta name="csrf" content="([^"]*)"', browser.get(path).body.decode())
    assert found is not None
    return unescape(found[1])


def asked(browser: Browser, method: str, path: str, body: str | None = None, **headers: str) -> Reply:
    """One request as it stands, with the cookies of a browser, and nowhere else."""
    cookies = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = browser._pool.request(
        method, browser.url + path, body=body, headers={**PAGE, **cookies, **named}, redirect=False
    )
    return Reply(found.status, {name.lower(): value for name, value in found.headers.items()}, found.data)


def test_every_page_is_personal_strict_and_free_of_tokens(desk):
    for path in (*PAGES, NOBODY):
        got = desk.get(path)
        policy = got.headers["content-security-policy"]
        (nonce,) = set(re.findall(r"'nonce-([^']+)'", policy))
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert set(re.findall(r'nonce="([^"]+)"', got.body.decode())) <= {nonce}, path
        assert got.headers["cache-control"] == "no-store", path
        assert (got.headers["x-frame-options"], got.headers["x-content-type-options"]) == ("DENY", "nosniff"), path
        assert not TOKEN.search(got.body), path
        assert not TOKEN.search(repr(sorted(got.headers.items())).encode()), path


def test_no_token_is_kept_in_the_browser_and_no_script_reads_the_cookie(tab, house):
    desk = tab("receptionist")
    held = desk.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert not TOKEN.search(held.encode())
    assert "session=" not in held
    for each in desk.page.context.cookies():
        assert (each["httpOnly"], each["sameSite"], each["path"]) == (True, "Lax", "/"), each["name"]
        assert not TOKEN.search(each["value"].encode())


def test_a_change_with_the_token_of_nobody_or_of_another_session_is_refused(desk, raw, house):
    other = raw()
    other.sign_in(ROLES["nurse"], house.secret("demo-password"))
    for token in ("", "AAAA", token_of(other), token_of(raw(), "/sign-in")):
        got = asked(desk, "POST", "/stay", f"_csrf={token}", origin=house.url, content_type=FORM)
        assert got.status == 403, token
        assert got.headers["x-request-id"] in got.body.decode()
    good = f"_csrf={token_of(desk)}"
    assert asked(desk, "POST", "/stay", good, origin=house.url, content_type=FORM).status == 204


@pytest.mark.parametrize(
    "sent",
    [{"origin": "https://elsewhere.example"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"},
     {"sec_fetch_site": "same-site"}],
    ids=["foreign", "null", "cross-site", "same-site"],
)  # fmt: skip
def test_a_change_that_another_site_sends_is_refused_whatever_token_it_has(desk, sent):
    body = f"_csrf={token_of(desk)}"
    assert asked(desk, "POST", "/stay", body, content_type=FORM, **sent).status == 403


def test_a_sign_in_gives_another_cookie_and_the_one_from_before_opens_nothing(raw, house):
    person = raw()
    person.get("/sign-in")
    before = dict(person.cookies)
    person.sign_in(ROLES["receptionist"], house.secret("demo-password"))
    assert person.cookies["session"] != before["session"]
    person.cookies = before
    assert asked(person, "GET", "/patients").headers["location"].startswith("/sign-in")


def test_a_sign_out_ends_the_session_at_the_house(desk):
    before = dict(desk.cookies)
    desk.get("/patients")
    assert desk.post("/sign-out", {}).status == 200
    desk.cookies = before
    got = asked(desk, "GET", "/patients")
    assert (got.status, got.headers["location"].partition("?")[0]) == (303, "/sign-in")


def test_who_is_away_is_asked_before_the_session_ends_and_led_to_the_door_after(tab):
    desk = tab("receptionist")
    desk.page.clock.install()
    desk.goto("/patients")
    question = desk.page.get_by_role("heading", name="Are you still there?")
    desk.page.clock.run_for((IDLE_S - 110) * 1000)
    expect(question).to_be_visible()
    with desk.page.expect_response(lambda got: got.url.endswith("/stay")) as stayed:
        desk.page.get_by_role("button", name="Stay signed in").click()
    assert stayed.value.status == 204
    desk.page.clock.run_for(1000)
    expect(question).to_be_hidden()
    desk.page.clock.run_for((IDLE_S - 60) * 1000)
    expect(question).to_be_visible()
    desk.page.clock.run_for(70_000)
    desk.page.wait_for_url("**/sign-in?over=yes")


def refusals(house: RunningHouse, desk: Browser, part: dict[str, str]) -> Iterator[tuple[int, Reply]]:
    """Each kind of error that can be had from outside; those of a part that is away stand in test_away."""
    here: dict[str, Any] = {"origin": house.url, "content_type": FORM, **part}
    token = token_of(desk)
    yield 404, asked(desk, "GET", "/nothing-here", **part)
    yield 404, asked(desk, "GET", NOBODY, **part)
    yield 405, asked(desk, "GET", "/stay", **part)
    yield 403, asked(desk, "POST", "/stay", "_csrf=no", **here)
    yield 403, asked(desk, "GET", "/people", **part)
    yield 413, asked(desk, "POST", "/patients/new", "x" * ((1 << 20) + 1), **here)
    form = f"_csrf={token}&_key={uuid.uuid4()}&family_name=A&given_name=B&administrative_gender=nothing"
    yield 422, asked(desk, "POST", "/patients/new", form, **here)


@pytest.mark.parametrize("part", [{}, {"hx_request": "true"}], ids=["page", "fragment"])
def test_every_error_says_what_happened_what_to_do_and_its_number_and_shows_no_stack(house, desk, part):
    for status, got in refusals(house, desk, part):
        said = unescape(re.sub(r"<[^>]+>", " ", got.body.decode()))
        assert got.status == status, said[:300]
        assert got.headers["x-request-id"] in said, said[:300]
        assert len(said.split()) > 6
        assert not re.search(r"Traceback|File \"|werkzeug|Exception", got.body.decode())
        is_fragment = bool(part) and status not in {413, 422}
        assert ("<html" in got.body.decode()) is not is_fragment


def test_a_part_of_a_page_that_is_refused_says_so_above_the_page_which_stays(tab):
    desk: Tab = tab("receptionist")
    desk.goto("/patients")
    mark = secrets.token_hex(4)
    desk.page.locator("#f-text").fill(mark)
    desk.page.evaluate("path => htmx.ajax('GET', path, { target: '#content' })", NOBODY)
    trouble = desk.page.locator("#trouble")
    expect(trouble).to_contain_text("This is not there, or not yours to see.")
    expect(trouble.locator("code")).not_to_be_empty()
    expect(desk.page.locator("#f-text")).to_have_value(mark)
    desk.trouble.clear()

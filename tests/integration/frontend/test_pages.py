"""What holds for every page: who may send, where parts come from, what an error says."""

from __future__ import annotations

import re

import pytest

from frontend import shield
from tests.integration.frontend.conftest import ACCOUNT, GIVEN, PUBLIC, Browser, problem


def test_who_is_not_signed_in_is_led_there_and_back(browser, hospital):
    got = browser.get("/patients?x=1")
    assert (got.status_code, got.location) == (303, "/sign-in?back=/patients?x%3D1")
    hospital.on("POST", "/api/v1/sessions", 201, GIVEN)
    hospital.on("GET", "/api/v1/account", 200, ACCOUNT)
    form = {"username": "ada", "password": "pw", "back": "/patients", "_csrf": browser.csrf()}
    assert browser.post("/sign-in", form).location == "/patients"


@pytest.mark.parametrize("back", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"])
def test_nobody_is_led_out_of_the_house(browser, hospital, back):
    hospital.on("POST", "/api/v1/sessions", 201, GIVEN)
    hospital.on("GET", "/api/v1/account", 200, ACCOUNT)
    form = {"username": "ada", "password": "pw", "back": back, "_csrf": browser.csrf()}
    assert browser.post("/sign-in", form).location == "/"


def test_tokens_stay_in_the_house(browser, hospital):
    got = browser.sign_in(hospital)
    shown = "".join(f"{name}: {value}\n" for name, value in got.headers) + browser.get("/").text
    assert "first" not in shown
    assert "r-1" not in shown
    assert "HttpOnly" in got.headers["Set-Cookie"]
    assert "SameSite=Lax" in got.headers["Set-Cookie"]


@pytest.mark.parametrize("own", [{"HX-Request": "true"}, {"Sec-Fetch-Mode": "cors"}, {"Sec-Fetch-Mode": "same-origin"}])
def test_an_answer_that_comes_after_that_to_a_sign_out_brings_no_cookie_back(app, browser, hospital, own):
    browser.sign_in(hospital)
    hospital.on("DELETE", "/api/v1/sessions/current", 204)
    late = Browser(app, cookies=browser.cookies)
    assert browser.get("/").headers["Set-Cookie"].startswith("session=")
    assert browser.get("/", **own).headers.get("Set-Cookie") is None
    browser.post("/sign-out", {"_csrf": browser.csrf("/")})
    assert late.get("/", **own).headers.get("Set-Cookie") is None
    assert "You are signed out." in browser.get("/sign-in").text


def test_a_change_comes_from_a_page_of_this_session_or_not_at_all(browser, hospital):
    browser.sign_in(hospital)
    token = browser.csrf("/")
    assert browser.post("/stay", {"_csrf": token}).status_code == 204
    assert browser.post("/stay", **{"X-CSRF-Token": token}).status_code == 204
    assert browser.post("/stay").status_code == 403
    assert browser.post("/stay", {"_csrf": "another"}).status_code == 403
    assert browser.post("/stay", {"_csrf": token}, Origin="https://evil.example").status_code == 403
    assert browser.post("/stay", {"_csrf": token}, Origin="null").status_code == 403


def test_every_page_says_where_its_parts_may_come_from(browser, hospital):
    browser.sign_in(hospital)
    for path in ("/", "/sign-in?over=yes", "/there/is/none"):
        got = browser.get(path)
        policy = got.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        nonce = re.search(r"'nonce-([^']+)'", policy)[1]
        assert set(re.findall(r'nonce="([^"]+)"', got.text)) <= {nonce}
        assert got.headers["X-Frame-Options"] == "DENY"
        assert got.headers["Cache-Control"] == "no-store"
        assert not re.search(r"\son\w+=|javascript:|\sstyle=", got.text)


def test_an_error_says_what_to_do_and_its_number(browser, hospital):
    browser.sign_in(hospital)
    hospital.on("GET", f"/api/v1/patients/{ACCOUNT['id']}", 404, problem(404, "not_found", request_id="req-12345678"))
    got = browser.get(f"/patients/{ACCOUNT['id']}")
    assert got.status_code == 404
    assert "not there, or not yours" in got.text
    assert "req-12345678" in got.text


def test_a_part_of_the_house_that_is_away_is_named_so(browser, hospital):
    browser.sign_in(hospital)
    hospital.on("GET", f"/api/v1/patients/{ACCOUNT['id']}", 503, problem(503, "unavailable"))
    got = browser.get(f"/patients/{ACCOUNT['id']}", **{"HX-Request": "true"})
    assert got.status_code == 503
    assert "Nothing was lost" in got.text


def test_under_https_the_cookie_is_bound_to_this_host():
    assert shield.cookie_name(is_secure=True) == "__Host-session"
    options = shield.cookie_options(is_secure=True)
    assert (options["secure"], options["path"], options["httponly"]) == (True, "/", True)
    assert "domain" not in options


def test_what_a_browser_has_kept_off_a_page_is_noted_without_a_session_and_without_addresses(app, capfd):
    report = {"csp-report": {"effective-directive": "img-src", "document-uri": f"{PUBLIC}/patients/of-ada"}}
    got = app.test_client().post("/csp-reports", base_url=PUBLIC, json=report, content_type="application/csp-report")
    assert (got.status_code, got.headers.get("Set-Cookie")) == (204, None)
    assert "of-ada" not in capfd.readouterr().out


@pytest.mark.parametrize("has_password", [True, False])
def test_only_who_has_a_password_here_is_shown_the_way_to_another(browser, hospital, has_password):
    hospital.on("GET", "/api/v1/sessions", 200, {"items": [], "next_cursor": None})
    browser.sign_in(hospital, has_password=has_password)
    assert ('href="/account/password"' in browser.get("/account").text) is has_password

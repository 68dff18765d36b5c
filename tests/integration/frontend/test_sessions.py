"""What a browser is known by: sealed, renewed at sign-in, gone when idle, and refreshed by one request at a time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from frontend.api import Api, SignInNeeded
from frontend.session import IDLE_S, Session
from tests.integration.frontend.conftest import problem

TOKENS = {"access_token": "first", "expires_in": 600, "refresh_token": "r-1"}
REFRESH = "/api/v1/sessions/refresh"


def signed_in(sessions, *, access="first", left_s=600.0):
    session = sessions.load(None)
    session.set("access", access)
    session.set("access_until", time.time() + left_s)
    session.set("refresh", "r-1")
    sessions.save(session)
    return session


def test_what_is_kept_comes_back_to_the_same_browser_and_to_no_other(sessions):
    session = signed_in(sessions)
    assert sessions.load(session.cookie).data == session.data
    assert not sessions.load("somebody else's").is_signed_in
    assert not sessions.load(None).is_signed_in


def test_the_store_holds_neither_tokens_nor_cookies_nor_what_was_typed(sessions, bus):
    session = signed_in(sessions, access="a-secret-token")
    sessions.keep_draft("u-1", "register", {"family_name": ["Invented"]})
    held = "".join(f"{key}{bus.get(key)}" for key in bus.scan_iter())
    for secret in ("a-secret-token", "r-1", session.cookie, "Invented", "u-1", "register"):
        assert secret not in held
    assert 0 < bus.ttl(next(bus.scan_iter("web.session.*"))) <= IDLE_S


def test_a_session_of_which_nothing_can_be_read_is_a_new_one(sessions, bus):
    session = signed_in(sessions)
    bus.set(next(bus.scan_iter("web.session.*")), b"something else")
    assert sessions.load(session.cookie).cookie != session.cookie


def test_after_a_sign_in_the_cookie_from_before_is_nothing(sessions):
    session = sessions.load(None)
    before, token = session.cookie, session.csrf
    sessions.save(session)
    sessions.renew(session)
    sessions.save(session)
    assert session.cookie != before
    assert session.csrf != token
    assert sessions.load(before).cookie not in {before, session.cookie}


def test_what_two_requests_of_a_browser_change_at_once_is_kept_of_both(sessions):
    """A token that one of them has renewed must not go back to the one before: sent twice, it would end them all."""
    slow = sessions.load(signed_in(sessions).cookie)
    quick = sessions.load(slow.cookie)
    quick.set("refresh", "r-2")
    quick.pop("access_until")
    sessions.save(quick)
    slow.say("success", "It was done.")
    sessions.save(slow)
    found = sessions.load(slow.cookie)
    assert (found.get("refresh"), found.get("access_until"), found.get("access")) == ("r-2", None, "first")
    assert found.get("said") == [["success", "It was done."]]


def test_many_requests_of_a_browser_lose_nothing_of_each_other(sessions):
    cookie = signed_in(sessions).cookie

    def change(number):
        own = sessions.load(cookie)
        own.set(f"value-{number}", number)
        sessions.save(own)

    with ThreadPoolExecutor(12) as requests:
        list(requests.map(change, range(12)))
    assert {f"value-{number}" for number in range(12)} <= sessions.load(cookie).data.keys()


def test_a_request_that_ends_after_the_sign_out_brings_nothing_back(sessions, bus):
    slow = sessions.load(signed_in(sessions).cookie)
    out = sessions.load(slow.cookie)
    out.set("language", "de")
    out.keep_only({"language"})
    sessions.renew(out)
    sessions.save(out)
    slow.set("person_at", 1)
    sessions.save(slow)
    assert not sessions.load(slow.cookie).is_signed_in
    assert len(list(bus.scan_iter("web.session.*"))) == 1


def test_a_draft_belongs_to_a_person_and_a_form(sessions):
    assert sessions.keep_draft("u-1", "register", {"given_name": ["Ada"]})
    assert sessions.draft("u-1", "register")["values"] == {"given_name": ["Ada"]}
    assert sessions.draft("u-2", "register") is None
    assert sessions.draft("u-1", "edit") is None
    assert not sessions.keep_draft("u-1", "register", {"note": ["x" * 100_000]})
    sessions.drop_draft("u-1", "register")
    assert sessions.draft("u-1", "register") is None


def api(client, sessions, session):
    return Api(client, sessions, session, source="192.0.2.7")


def test_a_token_that_is_old_is_renewed_once_however_many_ask_at_once(hospital, client, sessions):
    """A refresh token that comes twice ends the whole family, so only one may be sent."""
    session = signed_in(sessions, left_s=1.0)
    sent = []

    def refresh(_, body):
        sent.append(body)
        time.sleep(0.2)
        return 200, {**TOKENS, "access_token": "second", "refresh_token": "r-2"}

    hospital.answers["POST", REFRESH] = refresh
    hospital.answers["GET", "/api/v1/account"] = lambda headers, _: (200, {"token": headers["authorization"]})
    seen = []

    def ask():
        own = sessions.load(session.cookie)
        seen.append(api(client, sessions, own).call("get_own_account").body["token"])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert seen == ["Bearer second"] * 6
    assert sent == [{"refresh_token": "r-1"}]
    assert sessions.load(session.cookie).get("refresh") == "r-2"


def test_a_token_that_is_refused_is_renewed_and_tried_once_more(hospital, client, sessions):
    session = signed_in(sessions)
    hospital.on("POST", REFRESH, 200, {**TOKENS, "access_token": "second"})

    def account(headers, _):
        return (200, {}) if headers["authorization"] == "Bearer second" else (401, problem(401, "not_signed_in"))

    hospital.answers["GET", "/api/v1/account"] = account
    assert api(client, sessions, session).call("get_own_account").status == 200
    assert [path for _, path, _, _ in hospital.asked] == ["/api/v1/account", REFRESH, "/api/v1/account"]
    assert {headers["x-forwarded-for"] for _, _, headers, _ in hospital.asked} == {"192.0.2.7"}


def test_who_was_signed_out_elsewhere_has_to_sign_in(hospital, client, sessions):
    session = signed_in(sessions, left_s=1.0)
    hospital.on("POST", REFRESH, 401, problem(401, "refresh_refused"))
    with pytest.raises(SignInNeeded):
        api(client, sessions, session).call("get_own_account")
    assert not sessions.load(session.cookie).is_signed_in
    with pytest.raises(SignInNeeded):
        api(client, sessions, Session("none")).call("get_own_account")

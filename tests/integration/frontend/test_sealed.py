"""Sessions and drafts on a real Redis: who holds the cookie can open them, and whoever reads Redis cannot."""

from __future__ import annotations

import pytest

from frontend.session import IDLE_S, Session, Sessions
from services.chassis import redis
from services.chassis.stores import StoreAway
from standalone.servers.ports import free

SECRET = "a secret of tests only"


def everything(bus: redis.Client) -> str:
    """All that Redis holds, as whoever reads it sees it."""
    return "".join(f"{name!r}{bus.get(name)!r}" for name in bus.scan_iter())


def kept(sessions: Sessions, **values: str) -> Session:
    session = sessions.load(None)
    for name, value in values.items():
        session.set(name, value)
    sessions.save(session)
    return session


def test_who_holds_the_cookie_finds_the_session_again(sessions):
    session = kept(sessions, access="a-token", language="de")
    found = sessions.load(session.cookie)
    assert (found.data, found.is_signed_in) == ({"access": "a-token", "language": "de"}, True)


def test_whoever_reads_redis_has_neither_the_token_nor_the_cookie_nor_what_was_typed(sessions, bus):
    session = kept(sessions, access="canary-token")
    sessions.keep_draft("canary-person", "register", {"family_name": ["canary-name"]})
    assert "canary" not in everything(bus)
    assert session.cookie not in everything(bus)


@pytest.mark.parametrize("cookie", ["", "x", "../../etc", "\x00", "ü" * 40, "A" * 4000])
def test_a_cookie_that_is_none_opens_an_empty_session_of_its_own(sessions, cookie):
    found = sessions.load(cookie)
    assert (found.data, found.is_signed_in) == ({}, False)
    assert found.cookie != cookie, "nobody chooses a cookie for somebody else"


def test_a_sign_in_gives_another_cookie_and_another_token_for_forms(sessions):
    session = kept(sessions, access="a-token")
    before, csrf = session.cookie, session.csrf
    sessions.renew(session)
    sessions.save(session)
    assert sessions.load(before).data == {}
    assert sessions.load(session.cookie).get("access") == "a-token"
    assert session.csrf != csrf


def test_a_session_that_has_ended_is_gone(sessions, bus):
    session = kept(sessions, access="a-token")
    sessions.end(session)
    assert sessions.load(session.cookie).data == {}
    assert not list(bus.scan_iter())


def test_a_session_lives_half_an_hour_from_its_last_use(sessions, bus):
    session = kept(sessions, access="a-token")
    (name,) = bus.scan_iter()
    bus.expire(name, 5)
    sessions.save(session)
    assert IDLE_S - 5 <= bus.ttl(name) <= IDLE_S == 1800


def test_one_request_at_a_time_asks_for_new_tokens(sessions):
    session = kept(sessions, access="a-token")
    with sessions.refreshing(session) as first, sessions.refreshing(session) as second:
        assert (first, second) == (True, False)
    with sessions.refreshing(session) as again:
        assert again


def test_a_draft_outlives_the_session_and_is_only_that_of_its_person_and_form(sessions):
    values = {"family_name": ["Ада"], "phones": ["1", "2"]}
    assert sessions.keep_draft("ada", "register", values)
    sessions.end(sessions.load(None))
    assert sessions.draft("ada", "register")["values"] == values
    assert sessions.draft("ada", "booking") is None
    assert sessions.draft("eve", "register") is None
    sessions.drop_draft("ada", "register")
    assert sessions.draft("ada", "register") is None


def test_with_another_secret_of_the_house_drafts_are_gone_and_nothing_breaks(sessions, bus):
    sessions.keep_draft("ada", "register", {"family_name": ["Ada"]})
    assert Sessions(bus, secret="another").draft("ada", "register") is None


def test_what_is_too_much_to_keep_is_not_kept(sessions):
    assert not sessions.keep_draft("ada", "notes", {"text": ["x" * 70_000]})
    assert sessions.draft("ada", "notes") is None


def test_a_store_that_is_away_is_said_to_be_away():
    with redis.client(f"redis://127.0.0.1:{free()}") as nowhere, pytest.raises(StoreAway):
        Sessions(nowhere, secret=SECRET).load("a-cookie")

"""Who may send a form: a page of this session, from this house, and nobody else."""

from __future__ import annotations

import pytest

from frontend import shield
from frontend.session import Session

OWN = "house.example"
SAME = {"Origin": "https://house.example"}


def check(session: Session, token: str, *, method: str = "POST", given: dict[str, str] | None = None) -> None:
    form = {shield.TOKEN: token}
    shield.check(method, own=OWN, given=SAME if given is None else given, form=form, session=session)


def test_a_form_of_this_session_passes_and_of_another_does_not():
    session = Session("cookie")
    check(session, shield.masked(session.csrf))
    with pytest.raises(shield.Forged):
        check(session, shield.masked(Session("other").csrf))


def test_the_token_may_come_as_a_header():
    session = Session("cookie")
    given = {**SAME, shield.HEADER: shield.masked(session.csrf)}
    shield.check("POST", own=OWN, given=given, form={}, session=session)


def test_it_looks_different_on_every_page_and_never_as_it_is_kept():
    """What is compressed with a guess beside it must not tell whether the guess was right."""
    session = Session("cookie")
    seen = {shield.masked(session.csrf) for _ in range(50)}
    assert len(seen) == 50
    assert not [each for each in seen if session.csrf in each]
    for each in seen:
        check(session, each)


@pytest.mark.parametrize("sent", ["", "a", "=", "ü", "AAAA", "A" * 88, "\x00", "not base64 at all", "🙂" * 30])
def test_what_is_no_token_is_refused_whatever_it_is(sent):
    with pytest.raises(shield.Forged):
        check(Session("cookie"), sent)


def test_the_bare_token_is_none():
    session = Session("cookie")
    with pytest.raises(shield.Forged):
        check(session, session.csrf)


@pytest.mark.parametrize(
    "given",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "https://house.example.elsewhere.example"},
        {"Origin": "https://house.example:444"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_change_from_elsewhere_is_refused_even_with_the_token(given):
    session = Session("cookie")
    with pytest.raises(shield.Forged):
        check(session, shield.masked(session.csrf), given=given)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_changes_nothing_needs_no_token(method):
    check(Session("cookie"), "", method=method, given={"Origin": "https://elsewhere.example"})


def test_under_https_the_name_of_the_cookie_binds_it_to_this_host():
    assert (shield.cookie_name(is_secure=True), shield.cookie_name(is_secure=False)) == ("__Host-session", "session")
    assert shield.cookie_options(is_secure=True)["secure"] is True


def test_a_page_lets_in_what_comes_from_here_and_nothing_inline_without_the_nonce():
    said = shield.headers("abc", is_secure=True)
    policy = dict(part.strip().split(" ", 1) for part in said["Content-Security-Policy"].split(";"))
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
    assert policy["script-src"] == "'self' 'nonce-abc'"
    assert "unsafe" not in said["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in shield.headers("abc", is_secure=False)

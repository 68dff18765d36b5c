"""Passwords: which count, how a forgotten one is set anew, and that nobody learns from it who is here."""

from __future__ import annotations

import itertools
import statistics
import time

import pytest

from services.chassis.call import Call
from services.chassis.config import SettingsError
from services.identity import app
from services.kernel.access import NOBODY
from tests.integration.identity import making
from tests.mailbox import tokens

FRESH = "nine small boats on a green river"
_numbers = itertools.count(1)


@pytest.fixture
def send(house, mailbox):
    """Send what waits, as the worker does; the links that somebody has got by now."""

    def now(to):
        job = next(each for each in house.service.jobs if each.name == "identity_mail")
        job.run(Call(id=making.new_id(), operation="mail", actor=NOBODY, at=making.now(), request_id="r"))
        return tokens(mailbox.newest_first(), to=to)

    return now


def person(house, **more):
    """Somebody with a mail address who is signed in."""
    user, signed_in = house.signed_in("nurse")
    email = f"ada.{next(_numbers)}@example.org"
    version = house.with_token("get_user", house.admin(), user_id=user["id"]).body["version"]
    body = {"email": email, **more}
    assert house.with_token("update_user", house.admin(), user_id=user["id"], version=version, body=body).status == 200
    return {**user, "email": email}, signed_in


def ask(house, username):
    """Ask for a link."""
    return house.call("request_password_reset", role=None, body={"username": username})


def complete(house, token, password=FRESH):
    """Set a new password by a link."""
    return house.call("complete_password_reset", role=None, body={"token": token, "new_password": password})


@pytest.mark.row("SEC-02")
def test_rules_the_first_change_and_a_link_by_mail_without_telling_who_is_here(house, send):
    user, old = person(house)
    first = house.user("nurse")
    begun = house.sign_in(first["username"], first["one_time_password"]).body
    assert begun["must_change_password"] is True
    assert house.with_token("list_facilities", begun["access_token"]).status == 403
    for weak, rule in (("too short", "min_length"), ("yashikxyashikyashikxyashik", "too_common")):
        body = {"current_password": first["one_time_password"], "new_password": weak}
        got = house.with_token("change_own_password", begun["access_token"], body=body)
        assert got.body["errors"] == [{"pointer": "/new_password", "rule": rule}]
    body = {"current_password": first["one_time_password"], "new_password": FRESH}
    assert house.with_token("change_own_password", begun["access_token"], body=body).status == 204
    assert house.with_token("list_facilities", begun["access_token"]).status == 200
    known, unknown = ask(house, user["username"]), ask(house, "nobody.at.all")
    assert (known.status, known.raw) == (unknown.status, unknown.raw) == (202, b"")
    wrong = [house.sign_in(name, "not the right password").body for name in (user["username"], "nobody.at.all")]
    assert {each["code"] for each in wrong} == {"sign_in_refused"}
    (token,) = send(user["email"])
    assert complete(house, token).status == 204
    assert house.refresh(old["refresh_token"]).status == 401, "every session has ended"
    assert house.sign_in(user["username"], making.PASSWORD).status == 401
    assert house.sign_in(user["username"], FRESH).status == 201
    assert complete(house, token).status == 401, "a link counts once"


def test_every_link_that_does_not_count_is_refused_alike(house, send):
    user, _ = person(house)
    ask(house, user["username"])
    (late,) = send(user["email"])
    making.rows(house, "UPDATE password_resets SET made_at = made_at - interval '31 minutes' WHERE used_at IS NULL")
    other, _ = person(house)
    ask(house, other["username"])
    (of_closed,) = send(other["email"])
    assert house.with_token("disable_user", house.admin(), user_id=other["id"]).status == 200
    answers = [complete(house, each) for each in (late, of_closed, "A" * 43)]
    bodies = [{k: v for k, v in got.body.items() if k != "request_id"} for got in answers]
    assert {got.status for got in answers} == {401}
    assert all(each == bodies[0] for each in bodies)
    assert bodies[0]["code"] == "reset_refused"


def test_a_weak_password_uses_up_no_link(house, send):
    user, _ = person(house)
    ask(house, user["username"])
    (token,) = send(user["email"])
    got = complete(house, token, "password password 1")
    assert (got.status, got.body["code"]) == (422, "password_refused")
    assert complete(house, token).status == 204


def test_a_link_does_not_go_round_the_second_factor_and_ends_a_wait(house, send):
    from tests.integration.identity.test_second_factor import enroll, first_step

    user, signed_in = person(house)
    enroll(house, signed_in["access_token"])
    for number in range(11):
        house.sign_in(user["username"], f"wrong password number {number}")
    ask(house, user["username"])
    assert complete(house, send(user["email"])[0]).status == 204
    assert first_step(house, user, FRESH)


def test_who_has_no_address_is_told_nothing_and_nothing_waits_to_be_sent(house):
    user, _ = house.signed_in("nurse")
    assert ask(house, user["username"]).status == 202
    assert str(user["id"]) not in {str(each[1].id) for each in unsent(house)}


def test_asking_again_and_again_has_to_wait_whoever_it_is(house):
    user, _ = person(house)
    for name in (user["username"], "nobody.with.mails"):
        assert [ask(house, name).status for _ in range(4)] == [202] * 3 + [429]


def test_asking_takes_the_same_work_whether_somebody_is_here_or_not(house):
    def work(username):
        begun = time.process_time()
        assert ask(house, username).status == 202
        return time.process_time() - begun

    people = [person(house)[0]["username"] for _ in range(7)]
    known = statistics.median(work(each) for each in people)
    unknown = statistics.median(work(f"nobody.number.{number}") for number in range(7))
    assert 0.5 < known / unknown < 2


def test_a_token_of_a_link_lies_in_no_table_in_clear_and_leaves_the_store_with_its_mail(house, send):
    user, _ = person(house)
    ask(house, user["username"])
    (token,) = send(user["email"])
    kept = making.rows(
        house, "SELECT t::text AS line, sealed FROM password_resets AS t WHERE account_id = %s", user["id"]
    )
    assert token not in kept[0]["line"]
    assert token.encode().hex() not in kept[0]["line"]
    assert kept[0]["sealed"] is None


def test_what_the_mail_server_does_not_take_waits_for_it(house, mailbox):
    user, _ = person(house)
    ask(house, user["username"])
    mail = house.service.controller._desk.mail
    (waiting,) = [each for each in unsent(house) if each[1].email == user["email"]]
    post, mail._post = mail._post, app.post(smtp_url="smtp://127.0.0.1:1", sender="a@b", public_url="http://x")
    try:
        with pytest.raises(Exception, match="unavailable"):
            mail.send(waiting[0], to=user["email"])
    finally:
        mail._post = post
    assert waiting[0].digest in {each[0].digest for each in unsent(house)}


def unsent(house):
    """What waits to be sent."""
    with house.service.controller._desk.store.read() as tx:
        return tx.unsent_resets(since=making.now().replace(year=2000), limit=100)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SMTP_URL", "http://mail.example.org"), ("MAIL_FROM", ""), ("PUBLIC_URL", "")],
)
def test_half_a_mail_server_is_refused_at_the_start_by_name(mailbox, name, value):
    with pytest.raises(SettingsError, match=name):
        app.service(making.environ("postgresql://x/y", "redis://x", **{**mailbox.settings(), name: value}))

"""Signing in: one answer for every refusal, waits that end, sessions whose tokens turn."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest
from prometheus_client import REGISTRY

from tests.integration.identity import making


def test_a_user_signs_in_changes_the_one_time_password_and_works(house):
    user = house.user("receptionist")
    first = house.sign_in(user["username"], user["one_time_password"])
    assert first.status == 201
    assert first.body["must_change_password"] is True
    token = first.body["access_token"]
    own = house.with_token("get_own_account", token).body
    assert (own["permissions"], own["has_password"]) == (["account.open"], True)
    assert house.with_token("list_facilities", token).status == 403
    change = {"current_password": user["one_time_password"], "new_password": making.PASSWORD}
    assert house.with_token("change_own_password", token, body=change).status == 204
    assert house.with_token("list_facilities", token).status == 200, "the same token holds the roles now"
    again = house.sign_in(user["username"].upper(), making.PASSWORD)
    assert again.status == 201
    assert again.body["must_change_password"] is False


def test_unknown_known_and_disabled_users_get_the_same_answer(house):
    user, _ = house.signed_in("nurse")
    closed, _ = house.signed_in("nurse")
    assert house.with_token("disable_user", house.admin(), user_id=closed["id"]).status == 200
    answers = [
        house.sign_in("nobody.at.all", "a long but wrong password"),
        house.sign_in(user["username"], "a long but wrong password"),
        house.sign_in(closed["username"], making.PASSWORD),
        house.sign_in("history", making.SECRETS["history"]),
    ]
    assert {got.status for got in answers} == {401}
    bodies = [{k: v for k, v in got.body.items() if k != "request_id"} for got in answers]
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["code"] == "sign_in_refused"


@pytest.mark.target("C-09")
def test_a_refusal_takes_the_same_work_whether_the_account_exists_or_not(house):
    """Processor time of this process, which the service runs in: it tells more than a clock on a busy machine."""
    user, _ = house.signed_in("nurse")

    def work(username):
        start = time.process_time()
        assert house.sign_in(username, "a long but wrong password").status == 401
        return time.process_time() - start

    known = statistics.median(work(user["username"]) for _ in range(5))
    unknown = statistics.median(work("nobody.of.that.name") for _ in range(5))
    assert 0.7 < known / unknown < 1.4


def hash_of(house, user):
    """What the store has of somebody's password."""
    return making.rows(house, "SELECT password_hash FROM accounts WHERE id = %s", user["id"])[0]["password_hash"]


@pytest.mark.target("C-09")
def test_a_weak_hash_is_made_anew_at_the_next_right_sign_in(house):
    user, _ = house.signed_in("nurse")
    strong = hash_of(house, user)
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(making.PASSWORD)
    making.rows(house, "UPDATE accounts SET password_hash = %s WHERE id = %s", weak, user["id"])
    assert house.sign_in(user["username"], "not the right one").status == 401
    assert house.sign_in(user["username"], making.PASSWORD).status == 201
    kept = hash_of(house, user)
    assert kept != strong, "another salt"
    assert argon2.extract_parameters(kept) == argon2.extract_parameters(strong)
    assert house.sign_in(user["username"], making.PASSWORD).status == 201


def test_half_a_character_is_a_refusal_and_no_fault(house):
    raw = b'{"username": "\\ud83d", "password": "\\ud83d and so on"}'
    assert house.call("sign_in", role=None, raw=raw).status in {400, 401, 422}


def test_wrong_passwords_close_an_account_for_a_while_also_to_the_right_one(house):
    user, _ = house.signed_in("nurse")
    statuses = [house.sign_in(user["username"], f"wrong password number {n}").status for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    got = house.sign_in(user["username"], making.PASSWORD)
    assert got.status == 429
    assert 1 <= int(got.headers["retry-after"]) <= 30
    making.rows(house, "UPDATE failure_counters SET closed_until = now() - interval '1 second'")
    assert house.sign_in(user["username"], making.PASSWORD).status == 201, "the wait ends by itself"
    assert house.sign_in(user["username"], "wrong once more, well").status == 401, "and a success forgets the failures"


def test_an_unknown_name_is_closed_as_a_known_one(house):
    statuses = [house.sign_in("nobody.here", f"wrong password number {n}").status for n in range(11)]
    assert statuses == [401] * 10 + [429]


def test_guesses_at_once_are_not_looked_at_more_often(house):
    user, _ = house.signed_in("nurse")
    before = len(making.entries(house, "sign_in"))
    with ThreadPoolExecutor(12) as pool:
        got = list(pool.map(lambda n: house.sign_in(user["username"], f"guess number {n} of many").status, range(24)))
    assert set(got) <= {401, 429, 503}
    looked_at = [entry for entry in making.entries(house, "sign_in")[before:] if entry["record_id"] == user["id"]]
    assert len(looked_at) <= 10


@pytest.mark.target("C-08")
def test_a_reset_ends_the_wait_and_every_session(house):
    user, tokens = house.signed_in("nurse")
    for n in range(11):
        house.sign_in(user["username"], f"wrong password number {n}")
    reset = house.with_token("reset_password", house.admin(), user_id=user["id"])
    assert reset.status == 200
    assert house.sign_in(user["username"], reset.body["one_time_password"]).status == 201
    assert house.refresh(tokens["refresh_token"]).status == 401
    assert house.with_token("get_own_account", tokens["access_token"]).status == 401


@pytest.mark.target("C-08")
@pytest.mark.row("SEC-01")
def test_signing_in_refreshing_a_theft_and_signing_out(house):
    user, stolen_from = house.signed_in("nurse")
    assert stolen_from["expires_in"] <= 600
    fresh = house.refresh(stolen_from["refresh_token"]).body
    assert fresh["refresh_token"] != stolen_from["refresh_token"]
    assert house.refresh(stolen_from["refresh_token"]).status == 401, "the thief comes second, or the owner does"
    assert house.refresh(fresh["refresh_token"]).status == 401, "and both are out"
    assert house.with_token("get_own_account", fresh["access_token"]).status == 401
    again = house.sign_in(user["username"], making.PASSWORD).body
    assert house.with_token("sign_out", again["access_token"]).status == 204
    assert house.with_token("get_own_account", again["access_token"]).status == 401
    assert house.refresh(again["refresh_token"]).status == 401


@pytest.mark.target("C-08")
def test_a_refresh_token_counts_once_and_its_second_use_ends_the_session(house):
    _, tokens = house.signed_in("nurse")
    reused = REGISTRY.get_sample_value("infirmary_refresh_tokens_reused_total")
    second = house.refresh(tokens["refresh_token"])
    assert second.status == 200
    assert second.body["session_id"] == tokens["session_id"]
    assert house.with_token("get_own_account", second.body["access_token"]).status == 200
    stolen = house.refresh(tokens["refresh_token"])
    assert (stolen.status, stolen.body["code"]) == (401, "refresh_refused")
    assert house.refresh(second.body["refresh_token"]).status == 401, "the family is gone"
    assert house.with_token("get_own_account", second.body["access_token"]).status == 401
    assert making.entries(house, "refresh_session")[-2]["outcome"] == "denied"
    assert REGISTRY.get_sample_value("infirmary_refresh_tokens_reused_total") > reused


@pytest.mark.target("C-08")
def test_one_refresh_token_used_by_many_at_once_is_won_once_and_ends_the_session(house):
    _, tokens = house.signed_in("nurse")
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: house.refresh(tokens["refresh_token"]), range(8)))
    won = [each for each in got if each.status == 200]
    assert len(won) == 1
    assert {each.status for each in got} == {200, 401}
    assert house.refresh(won[0].body["refresh_token"]).status == 401
    assert making.rows(house, "SELECT ended_why FROM sessions WHERE id = %s", tokens["session_id"]) == [
        {"ended_why": "reuse"}
    ]


@pytest.mark.target("C-08")
def test_signing_out_ends_the_tokens_at_once(house):
    _, tokens = house.signed_in("nurse")
    assert house.with_token("sign_out", tokens["access_token"]).status == 204
    assert house.with_token("get_own_account", tokens["access_token"]).status == 401
    assert house.refresh(tokens["refresh_token"]).status == 401


@pytest.mark.target("C-08")
def test_a_session_of_another_device_is_listed_and_ended(house):
    user, here = house.signed_in("nurse")
    there = house.sign_in(user["username"], making.PASSWORD).body
    listed = house.with_token("list_own_sessions", here["access_token"]).body["items"]
    assert [each["current"] for each in listed if each["id"] == here["session_id"]] == [True]
    assert there["session_id"] in {each["id"] for each in listed}
    ended = house.with_token("end_own_session", here["access_token"], session_id=there["session_id"])
    assert ended.status == 204
    assert house.with_token("get_own_account", there["access_token"]).status == 401
    assert house.with_token("get_own_account", here["access_token"]).status == 200


def test_signing_out_everywhere_else_leaves_this_session_alone(house):
    user, here = house.signed_in("nurse")
    others = [house.sign_in(user["username"], making.PASSWORD).body for _ in range(2)]
    assert house.with_token("end_own_sessions", here["access_token"]).body["ended"] >= 2
    for each in others:
        assert house.with_token("get_own_account", each["access_token"]).status == 401
        assert house.refresh(each["refresh_token"]).status == 401
    assert house.with_token("get_own_account", here["access_token"]).status == 200


def test_nobody_ends_a_session_of_somebody_else(house):
    _, mine = house.signed_in("nurse")
    _, other = house.signed_in("nurse")
    got = house.with_token("end_own_session", mine["access_token"], session_id=other["session_id"])
    assert got.status == 404
    assert house.with_token("get_own_account", other["access_token"]).status == 200


@pytest.mark.target("C-08")
def test_changing_the_password_ends_the_other_sessions_only(house):
    user, here = house.signed_in("nurse")
    there = house.sign_in(user["username"], making.PASSWORD).body
    change = {"current_password": making.PASSWORD, "new_password": "nine small boats on a green river"}
    assert house.with_token("change_own_password", here["access_token"], body=change).status == 204
    assert house.with_token("get_own_account", there["access_token"]).status == 401
    assert house.with_token("get_own_account", here["access_token"]).status == 200
    assert house.sign_in(user["username"], making.PASSWORD).status == 401


def test_a_weak_password_is_refused_by_rule_and_never_echoed(house):
    user, here = house.signed_in("nurse")
    for weak, rule in (("Password1234567890", "too_common"), (f"{user['username']}2026!!", "too_common")):
        change = {"current_password": making.PASSWORD, "new_password": weak}
        got = house.with_token("change_own_password", here["access_token"], body=change)
        assert (got.status, got.body["errors"]) == (422, [{"pointer": "/new_password", "rule": rule}])
        assert weak.encode() not in got.raw
    wrong = {"current_password": "not the right one", "new_password": "nine small boats on a green river"}
    got = house.with_token("change_own_password", here["access_token"], body=wrong)
    assert (got.status, got.body["code"]) == (422, "wrong_current_password")


def test_a_service_gets_a_token_for_its_secret_only(house):
    good = {"client_id": "history", "client_secret": making.SECRETS["history"]}
    got = house.call("issue_service_token", role=None, body=good)
    assert got.status == 200
    assert house.with_token("get_own_account", got.body["access_token"]).status == 403
    for bad in (
        good | {"client_secret": making.SECRETS["patients"]},
        {"client_id": "unknown", "client_secret": "x"},
        {"client_id": "admin", "client_secret": making.ADMIN},
    ):
        got = house.call("issue_service_token", role=None, body=bad)
        assert (got.status, got.body["code"]) == (401, "secret_refused")


def test_nothing_that_was_sent_or_given_out_lies_in_the_store_in_clear(house):
    user, tokens = house.signed_in("nurse")
    tables = [
        row["tablename"] for row in making.rows(house, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]
    text = "".join(
        row["line"] for table in tables for row in making.rows(house, f'SELECT t::text AS line FROM "{table}" AS t')
    )
    secrets = [making.PASSWORD, user["one_time_password"], tokens["refresh_token"], tokens["access_token"]]
    secrets += [making.ADMIN, making.SECRETS["history"], '"d":']
    hexed = [secret.encode().hex() for secret in secrets]
    assert [secret for secret in [*secrets, *hexed] if secret in text] == []

"""The second factor: two steps at sign-in, codes that count once, roles that want one, and what asks for it again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest

from tests.integration.identity import making

WRONG = "000000"


class Device:
    """What a person enrolls: the codes of steps, each given once."""

    def __init__(self, secret: str) -> None:
        self._totp, self._last = pyotp.TOTP(secret), 0

    def code(self) -> str:
        """A code that was not used yet: of the step before, of this one, or of the next."""
        step = max(int(time.time()) // 30 - 1, self._last + 1)
        self._last = step
        return self._totp.generate_otp(step)


def enroll(house, token, password=making.PASSWORD):
    """Enroll a device; the device and what the last step answered."""
    begun = house.with_token("start_second_factor", token, body={"current_password": password})
    assert begun.status == 200, begun.raw
    device = Device(begun.body["secret"])
    done = house.with_token("confirm_second_factor", token, body={"code": device.code()})
    assert done.status == 200, done.raw
    return device, done.body


def first_step(house, user, password=making.PASSWORD):
    """The challenge that a right password opens."""
    got = house.sign_in(user["username"], password)
    assert (got.status, got.body["code"]) == (401, "second_factor_required"), got.raw
    return got.body["facts"]["challenge_id"]


def second_step(house, challenge, code):
    """Finish a sign-in."""
    return house.call("finish_sign_in", role=None, body={"challenge_id": challenge, "code": code})


@pytest.mark.row("SEC-04")
def test_a_second_factor_from_its_enrolment_to_its_reset(house):
    admin, (user, tokens) = house.admin(), house.signed_in("nurse")
    device, enrolled = enroll(house, tokens["access_token"])
    assert len(set(enrolled["backup_codes"])) == 10
    used = device.code()
    assert second_step(house, first_step(house, user), used).status == 201
    again = second_step(house, first_step(house, user), used)
    assert (again.status, again.body["code"]) == (401, "second_factor_refused"), "a code counts once"
    backup = enrolled["backup_codes"][3]
    assert second_step(house, first_step(house, user), backup.lower()).status == 201
    assert second_step(house, first_step(house, user), backup).status == 401, "and so does a backup code"
    reset = house.with_token("reset_second_factor", admin, user_id=user["id"])
    assert (reset.status, reset.body["second_factor"]) == (200, False)
    entry = making.entries(house, "reset_second_factor")[-1]
    assert (entry["record_id"], entry["outcome"], entry["fields"]) == (user["id"], "success", ["second_factor"])
    assert house.sign_in(user["username"], making.PASSWORD).status == 201
    enforced(house, admin)


def enforced(house, admin):
    """A role that wants a second factor leaves nothing but the way to one, with tokens that are out already too."""
    role = {
        "name": "vault_keeper",
        "title": "Keeper",
        "description": "Keeps.",
        "permissions": ["account.open", "account.own", "users.read"],
    }
    assert house.with_token("create_role", admin, body=role).status == 201
    user, tokens = house.signed_in("vault_keeper")
    token = tokens["access_token"]
    assert house.with_token("list_users", token).status == 200
    want = {"requires_second_factor": True}
    assert house.with_token("update_role", admin, role_name="vault_keeper", version=1, body=want).status == 200
    assert house.with_token("list_users", token).status == 403, "at once"
    fresh = house.sign_in(user["username"], making.PASSWORD).body
    assert fresh["must_set_second_factor"] is True
    assert house.with_token("list_users", fresh["access_token"]).status == 403
    _, done = enroll(house, fresh["access_token"])
    assert house.with_token("list_users", done["access_token"]).status == 200
    after = house.refresh(fresh["refresh_token"]).body
    assert after["must_set_second_factor"] is False
    assert house.with_token("list_users", after["access_token"]).status == 200
    body = {"current_password": making.PASSWORD, "code": done["backup_codes"][0]}
    got = house.with_token("remove_second_factor", done["access_token"], body=body)
    assert (got.status, got.body["code"]) == (409, "second_factor_enforced")


def test_before_the_password_was_right_nothing_tells_that_there_is_a_second_factor(house):
    user, tokens = house.signed_in("nurse")
    enroll(house, tokens["access_token"])
    got = [house.sign_in(name, "not the right password") for name in (user["username"], "nobody.with.a.device")]
    bodies = [{k: v for k, v in each.body.items() if k != "request_id"} for each in got]
    assert bodies[0] == bodies[1]
    assert bodies[0]["code"] == "sign_in_refused"


@pytest.mark.target("C-11")
def test_one_code_shown_by_many_at_once_opens_one_session(house):
    user, tokens = house.signed_in("nurse")
    device, _ = enroll(house, tokens["access_token"])
    challenges, code = [first_step(house, user) for _ in range(6)], device.code()
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda each: second_step(house, each, code).status, challenges))
    assert min(got) == 201
    assert got.count(201) == 1
    assert set(got) <= {201, 401, 429}


@pytest.mark.target("C-11")
def test_one_backup_code_shown_by_many_at_once_opens_one_session(house):
    user, tokens = house.signed_in("nurse")
    _, done = enroll(house, tokens["access_token"])
    challenges, code = [first_step(house, user) for _ in range(4)], done["backup_codes"][0]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda each: second_step(house, each, code).status, challenges))
    assert got.count(201) == 1


@pytest.mark.target("C-11")
def test_a_challenge_counts_once_lives_five_minutes_and_takes_five_tries(house):
    user, tokens = house.signed_in("nurse")
    device, done = enroll(house, tokens["access_token"])
    spent = first_step(house, user)
    assert second_step(house, spent, device.code()).status == 201
    assert second_step(house, spent, done["backup_codes"][0]).status == 401
    old = first_step(house, user)
    making.rows(house, "UPDATE challenges SET made_at = made_at - interval '6 minutes' WHERE used_at IS NULL")
    assert second_step(house, old, done["backup_codes"][0]).status == 401
    tired = first_step(house, user)
    making.rows(house, "UPDATE challenges SET tries = 5 WHERE used_at IS NULL")
    assert second_step(house, tired, done["backup_codes"][0]).status == 401
    assert second_step(house, "A" * 43, done["backup_codes"][0]).status == 401
    assert second_step(house, first_step(house, user), done["backup_codes"][0]).status == 201, "it was never used"


def test_guesses_of_codes_close_the_second_step_for_a_while_and_not_the_account(house):
    user, tokens = house.signed_in("nurse")
    _, done = enroll(house, tokens["access_token"])
    got = [second_step(house, first_step(house, user), WRONG).status for _ in range(7)]
    assert got == [401] * 5 + [429] * 2
    counters = house.with_token("list_sign_in_counters", house.admin(), query={"user_id": user["id"]}).body["items"]
    mine = next(each for each in counters if each["user_id"] == user["id"] and each["kind"] == "factor")
    assert mine["closed_until"]
    assert house.with_token("clear_sign_in_counter", house.admin(), counter_id=mine["id"]).status == 204
    assert second_step(house, first_step(house, user), done["backup_codes"][1]).status == 201


@pytest.mark.target("C-11")
def test_enrolling_wants_the_password_and_a_code_of_the_device(house):
    _, tokens = house.signed_in("nurse")
    token = tokens["access_token"]
    wrong = house.with_token("start_second_factor", token, body={"current_password": "not the right one"})
    assert (wrong.status, wrong.body["code"]) == (422, "wrong_current_password")
    early = house.with_token("confirm_second_factor", token, body={"code": WRONG})
    assert (early.status, early.body["code"]) == (409, "no_second_factor")
    begun = house.with_token("start_second_factor", token, body={"current_password": making.PASSWORD}).body
    guess = house.with_token("confirm_second_factor", token, body={"code": WRONG})
    assert (guess.status, guess.body["code"]) == (422, "wrong_code")
    assert begun["secret"] in begun["otpauth_uri"]
    making.rows(house, "UPDATE second_factors SET made_at = made_at - interval '16 minutes' WHERE confirmed_at IS NULL")
    late = house.with_token("confirm_second_factor", token, body={"code": Device(begun["secret"]).code()})
    assert (late.status, late.body["code"]) == (409, "no_second_factor")
    enroll(house, token)
    twice = house.with_token("start_second_factor", token, body={"current_password": making.PASSWORD})
    assert (twice.status, twice.body["code"]) == (409, "second_factor_in_use")


def test_new_backup_codes_replace_the_old_ones_and_without_a_factor_there_are_none(house):
    user, tokens = house.signed_in("nurse")
    body = {"current_password": making.PASSWORD}
    assert house.with_token("renew_backup_codes", tokens["access_token"], body=body).status == 409
    device, done = enroll(house, tokens["access_token"])
    fresh = house.with_token("renew_backup_codes", tokens["access_token"], body=body).body["backup_codes"]
    assert second_step(house, first_step(house, user), done["backup_codes"][0]).status == 401
    assert second_step(house, first_step(house, user), fresh[0]).status == 201
    removed = house.with_token("remove_second_factor", tokens["access_token"], body={**body, "code": device.code()})
    assert removed.status == 204
    assert house.sign_in(user["username"], making.PASSWORD).status == 201


@pytest.mark.target("C-11")
def test_what_is_dangerous_asks_for_the_second_factor_again_where_the_role_wants_one(house):
    admin = house.admin()
    role = house.with_token("get_role", admin, role_name="admin").body
    want = {"requires_second_factor": True}
    assert house.with_token("update_role", admin, role_name="admin", version=role["version"], body=want).status == 200
    try:
        _, tokens = house.signed_in("admin")
        device, done = enroll(house, tokens["access_token"])
        other = house.user("nurse")
        give = {"user_id": other["id"], "version": 1, "body": {"roles": ["nurse", "pharmacist"]}}
        assert house.with_token("assign_roles", done["access_token"], **give).status == 200, "it was shown just now"
        making.rows(house, "UPDATE sessions SET authenticated_at = now() - interval '6 minutes'")
        old = house.refresh(tokens["refresh_token"]).body["access_token"]
        got = house.with_token("assign_roles", old, **{**give, "version": 2})
        assert (got.status, got.body["code"]) == (403, "step_up_required")
        assert house.with_token("list_users", old).status == 200, "what is not dangerous goes on"
        shown = house.with_token("show_second_factor", old, body={"code": device.code()})
        assert shown.status == 200
        got = house.with_token("assign_roles", shown.body["access_token"], **{**give, "version": 2})
        assert got.status == 200
        wrong = house.with_token("show_second_factor", old, body={"code": WRONG})
        assert (wrong.status, wrong.body["code"]) == (422, "wrong_code")
    finally:
        version = house.with_token("get_role", admin, role_name="admin").body["version"]
        back = {"requires_second_factor": False}
        house.with_token("update_role", admin, role_name="admin", version=version, body=back)


@pytest.mark.target("C-11")
def test_secrets_of_devices_and_backup_codes_lie_in_no_table_in_clear(house):
    _, tokens = house.signed_in("nurse")
    begun = house.with_token("start_second_factor", tokens["access_token"], body={"current_password": making.PASSWORD})
    device = Device(begun.body["secret"])
    done = house.with_token("confirm_second_factor", tokens["access_token"], body={"code": device.code()})
    tables = [
        row["tablename"] for row in making.rows(house, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]
    text = "".join(r["line"] for t in tables for r in making.rows(house, f'SELECT t::text AS line FROM "{t}" AS t'))
    secrets = [
        begun.body["secret"],
        *done.body["backup_codes"],
        *(c.replace("-", "") for c in done.body["backup_codes"]),
    ]
    assert [each for each in [*secrets, *(s.encode().hex() for s in secrets)] if each in text] == []


def test_eight_characters_are_enough_where_a_role_demands_a_second_factor_that_is_set(house):
    admin = house.admin()
    role = {
        "name": "short_word",
        "title": "Short word",
        "description": "For a shorter password.",
        "permissions": ["account.open", "account.own"],
        "requires_second_factor": True,
    }
    assert house.with_token("create_role", admin, body=role).status == 201
    user, tokens = house.signed_in("short_word")
    short = {"current_password": making.PASSWORD, "new_password": "kdvQ wnx"}
    refused = house.with_token("change_own_password", tokens["access_token"], body=short)
    assert refused.body["errors"] == [{"pointer": "/new_password", "rule": "min_length"}]
    _, done = enroll(house, tokens["access_token"])
    assert house.with_token("change_own_password", done["access_token"], body=short).status == 204
    common = {"current_password": "kdvQ wnx", "new_password": "ilovemydog"}
    refused = house.with_token("change_own_password", done["access_token"], body=common)
    assert refused.body["errors"] == [{"pointer": "/new_password", "rule": "too_common"}]
    first_step(house, user, "kdvQ wnx")

"""A signing key that somebody else may have: its tokens are dead at once, for every process, and another one signs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.chassis import auth, redis
from services.chassis.policy import Policy
from services.chassis.policy_stream import PolicyPublisher
from services.identity.repository.upkeep import PolicyRows
from tests.integration.identity import making


def jwks(house):
    """The published keys."""
    return house.call("get_jwks", role=None).body["keys"]


@pytest.mark.target("C-08")
def test_tokens_of_a_withdrawn_key_are_dead_at_once_and_another_key_signs(house):
    user, tokens = house.signed_in("nurse")
    old = auth.open_token(tokens["access_token"]).header["kid"]
    got = house.with_token("withdraw_signing_key", house.admin(), kid=old)
    assert (got.status, got.body["stage"]) == (200, "withdrawn")
    assert house.with_token("get_own_account", tokens["access_token"]).status == 401
    assert old not in {each["kid"] for each in jwks(house)}
    fresh = house.refresh(tokens["refresh_token"])
    assert fresh.status == 200, "sessions stay"
    assert auth.open_token(fresh.body["access_token"]).header["kid"] != old
    assert house.with_token("get_own_account", fresh.body["access_token"]).body["id"] == user["id"]
    again = house.with_token("withdraw_signing_key", house.admin(), kid=old)
    assert (again.status, again.body["code"]) == (409, "withdrawn_already")
    assert house.with_token("withdraw_signing_key", house.admin(), kid="no-such-key").status == 404
    kept = making.rows(house, "SELECT sealed, withdrawn_at FROM signing_keys WHERE kid = %s", old)
    assert kept[0]["sealed"] is None
    assert kept[0]["withdrawn_at"]
    assert any(f"signing_key-{old}" in each["fields"] for each in making.entries(house, "withdraw_signing_key"))


def test_a_withdrawn_key_stays_withdrawn_for_a_process_that_starts_later_and_holds_an_old_set(house, redis_url):
    _, tokens = house.signed_in("nurse")
    old = auth.open_token(tokens["access_token"]).header["kid"]
    assert house.with_token("withdraw_signing_key", house.admin(), kid=old).status == 200
    with redis.client(redis_url, timeout_s=5) as bus:
        rows = PolicyRows(making.database(house.service.settings.database_url.get_secret_value()))
        later = making.now() + timedelta(hours=23)
        PolicyPublisher(bus).write_snapshot(lambda: rows.state(at=later))
        policy = Policy(bus, permissions=making.permissions(house.service))
        policy._rebuild()
        assert policy.is_withdrawn(old)
        rows._database.engine.dispose()


def test_a_key_that_waits_signs_at_once_when_the_one_before_is_withdrawn(house):
    _, tokens = house.signed_in("nurse")
    now_signing = auth.open_token(house.refresh(tokens["refresh_token"]).body["access_token"]).header["kid"]
    for each in house.with_token("list_signing_keys", house.admin()).body["items"]:
        if each["stage"] == "waiting":
            house.with_token("withdraw_signing_key", house.admin(), kid=each["id"])
    waiting = house.with_token("rotate_signing_key", house.admin()).body["id"]
    assert house.with_token("withdraw_signing_key", house.admin(), kid=now_signing).status == 200
    stages = {each["id"]: each["stage"] for each in house.with_token("list_signing_keys", house.admin()).body["items"]}
    assert stages[waiting] == "signing"

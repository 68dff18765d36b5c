"""Roles of the house's own: made, changed and deleted, in force at once, and no way to more than one's own rights."""

from __future__ import annotations

import itertools

import pytest

from services.chassis import redis
from services.chassis.policy import Policy
from services.chassis.policy_stream import STREAM, PolicyPublisher
from services.identity.repository.upkeep import PolicyRows
from tests.integration.identity import making

_numbers = itertools.count(1)
OWN = ["account.open", "account.own"]


def role(house, *permissions, by=None, **more):
    """A new role of the house's own."""
    body = {
        "name": f"own_role_{next(_numbers)}",
        "title": "Own role",
        "description": "Made by a test.",
        "permissions": [*OWN, *permissions],
        **more,
    }
    got = house.with_token("create_role", by or house.admin(), body=body)
    assert got.status == 201, got.raw
    return got.body


def change(house, name, body, *, by=None, version=None):
    """Change a role from its version now."""
    known = house.with_token("get_role", house.admin(), role_name=name).body["version"]
    return house.with_token("update_role", by or house.admin(), role_name=name, version=version or known, body=body)


@pytest.mark.row("SEC-14")
def test_every_change_of_roles_is_in_the_trail_with_what_came_and_what_went(house):
    made = role(house, "patients.read")
    change(house, made["name"], {"permissions": [*OWN, "users.read"], "requires_second_factor": True})
    user = house.user("nurse")
    given = {"roles": [made["name"]]}
    assert house.with_token("assign_roles", house.admin(), user_id=user["id"], version=1, body=given).status == 200
    entry = making.entries(house, "create_role")[-1]
    assert {f"role:{made['name']}", "permissions"} <= set(entry["fields"])
    assert {"patients.read", "account.open"} <= set(entry["added"])
    entry = making.entries(house, "update_role")[-1]
    assert {"permissions", "requires_second_factor"} <= set(entry["fields"])
    assert (entry["added"], entry["removed"]) == (["users.read"], ["patients.read"])
    entry = making.entries(house, "assign_roles")[-1]
    assert (entry["added"], entry["removed"]) == ([made["name"]], ["nurse"])
    assert (entry["record_id"], entry["outcome"]) == (user["id"], "success")
    kept = making.rows(
        house,
        "SELECT v.state ->> 'permissions' AS held FROM record_versions v JOIN roles r ON r.id = v.record_id"
        " WHERE r.name = %s ORDER BY v.version",
        made["name"],
    )
    assert ["patients.read" in each["held"] for each in kept] == [True, False], "old and new are in the history"


def test_an_own_role_opens_what_it_holds_and_a_change_holds_for_tokens_that_are_out(house):
    made = role(house, "users.read")
    _, tokens = house.signed_in(made["name"])
    token = tokens["access_token"]
    assert house.with_token("list_users", token).status == 200
    assert house.with_token("list_facilities", token).status == 403
    assert change(house, made["name"], {"permissions": [*OWN, "facilities.read"]}).status == 200
    assert house.with_token("list_users", token).status == 403
    assert house.with_token("list_facilities", token).status == 200


def test_a_role_in_use_stays_and_a_deleted_one_opens_nothing_even_when_its_name_comes_back(house):
    made = role(house, "users.read")
    user, tokens = house.signed_in(made["name"])
    got = house.with_token("delete_role", house.admin(), role_name=made["name"], version=1)
    assert (got.status, got.body["code"]) == (409, "role_in_use")
    version = house.with_token("get_user", house.admin(), user_id=user["id"]).body["version"]
    house.with_token("assign_roles", house.admin(), user_id=user["id"], version=version, body={"roles": ["nurse"]})
    assert house.with_token("delete_role", house.admin(), role_name=made["name"], version=1).status == 204
    assert house.with_token("get_role", house.admin(), role_name=made["name"]).status == 404
    assert house.with_token("list_users", tokens["access_token"]).status == 403
    again = role(house, "facilities.read", name=made["name"])
    assert again["version"] == 3, "versions go on, so that no process takes the old one for newer"
    listed = house.with_token("list_roles", house.admin()).body["items"]
    assert [each["own"] for each in listed if each["name"] == made["name"]] == [True]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"permissions": ["no.such"]}, 422, "unknown_permission"),
        ({"name": "nurse"}, 409, "role_taken"),
        ({"name": "first_sign_in"}, 409, "role_taken"),
        ({"name": "Not a name"}, 422, "invalid_request"),
        ({"permissions": []}, 422, "invalid_request"),
    ],
)
def test_what_is_no_role_is_refused_by_place(house, body, status, code):
    whole = {"name": "wrong_one", "title": "Wrong", "description": "Wrong.", "permissions": OWN, **body}
    got = house.with_token("create_role", house.admin(), body=whole)
    assert (got.status, got.body["code"]) == (status, code)
    if code == "unknown_permission":
        assert got.body["errors"] == [{"pointer": "/permissions/0", "rule": "unknown_permission"}]


def test_nobody_puts_into_a_role_what_he_may_not_do_himself(house):
    _, tokens = house.signed_in("admin")
    token = tokens["access_token"]
    body = {"name": "too_much", "title": "T", "description": "D.", "permissions": [*OWN, "audit.read"]}
    got = house.with_token("create_role", token, body=body)
    assert (got.status, got.body["code"]) == (403, "permission_not_held")
    mine = role(house, "users.read", by=token)
    got = change(house, mine["name"], {"permissions": [*OWN, "history.read"]}, by=token)
    assert (got.status, got.body["code"]) == (403, "permission_not_held")
    others = role(house, "audit.read")
    kept = change(house, others["name"], {"permissions": [*OWN, "audit.read", "users.read"]}, by=token)
    assert kept.status == 200, "what is in it already is not given by this"


def test_nobody_gives_roles_to_himself(house):
    user, tokens = house.signed_in("admin")
    version = house.with_token("get_user", house.admin(), user_id=user["id"]).body["version"]
    body = {"roles": ["admin", "doctor"]}
    got = house.with_token("assign_roles", tokens["access_token"], user_id=user["id"], version=version, body=body)
    assert (got.status, got.body["code"]) == (403, "own_roles")


def test_of_a_fixed_role_only_the_second_factor_can_be_said(house):
    got = change(house, "auditor", {"permissions": OWN})
    assert (got.status, got.body["code"]) == (409, "fixed_role")
    got = house.with_token("delete_role", house.admin(), role_name="auditor", version=1)
    assert (got.status, got.body["code"]) == (409, "fixed_role")
    changed = change(house, "pharmacist", {"requires_second_factor": True})
    assert (changed.status, changed.body["version"]) == (200, 2)
    stale = change(house, "pharmacist", {"requires_second_factor": False}, version=1)
    assert (stale.status, stale.body["fields"]) == (412, ["requires_second_factor"])
    assert change(house, "pharmacist", {"requires_second_factor": False}).status == 200


def test_a_process_that_starts_later_knows_own_roles_from_the_snapshot_alone(house, redis_url):
    made = role(house, "users.read", requires_second_factor=True)
    gone = role(house, "users.read")
    house.with_token("delete_role", house.admin(), role_name=gone["name"], version=1)
    with redis.client(redis_url, timeout_s=5) as bus:
        url = house.service.settings.database_url.get_secret_value()
        rows = PolicyRows(making.database(url))
        PolicyPublisher(bus).write_snapshot(lambda: rows.state(at=making.now()))
        assert bus.xlen(STREAM) == 0
        policy = Policy(bus, permissions=making.permissions(house.service))
        policy._rebuild()
        known = making.state(policy).roles
        assert known[made["name"]].permissions == {*OWN, "users.read"}
        assert known[made["name"]].second_factor
        assert known[gone["name"]].permissions == frozenset()
        rows._database.engine.dispose()


@pytest.mark.row("SEC-07")
def test_the_last_super_admin_manages_everything_and_cannot_be_lost(house):
    admin = house.admin()
    me = house.with_token("get_own_account", admin).body
    assert set(me["permissions"]) == set(making.permissions(house.service)["permissions"])
    for each in house.with_token("list_users", admin, query={"role": "super_admin", "active": "true"}).body["items"]:
        if each["id"] != me["id"]:
            assert house.with_token("disable_user", admin, user_id=each["id"]).status == 200
    user, _ = house.signed_in("nurse")
    version = house.with_token("get_user", admin, user_id=user["id"]).body["version"]
    got = house.with_token("assign_roles", admin, user_id=user["id"], version=version, body={"roles": ["doctor"]})
    assert got.status == 200
    got = house.with_token("disable_user", admin, user_id=me["id"])
    assert (got.status, got.body["code"]) == (409, "last_super_admin")
    demote = {"user_id": me["id"], "version": me["version"], "body": {"roles": ["admin"]}}
    got = house.with_token("assign_roles", admin, **demote)
    assert (got.status, got.body["code"]) == (409, "last_super_admin")
    assert house.with_token("get_own_account", admin).body["roles"] == ["super_admin"]

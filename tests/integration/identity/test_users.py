"""Accounts and their roles: one-time passwords, effects at once, and a super admin who cannot be lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.identity import making

NOBODY = "01939c3e-0000-7000-8000-0000000000ff"


def test_a_one_time_password_is_shown_once_and_kept_nowhere_in_clear(house):
    body = {"username": "shown.once", "display_name": "Zoë Ångström", "email": "zoe@example.org", "roles": ["nurse"]}
    token, key = house.admin(), "key-of-one-intent"
    made = house.with_token("create_user", token, body=body, key=key)
    assert made.status == 201
    assert made.headers["etag"] == '"1"'
    assert made.headers["location"] == f"/api/v1/users/{made.body['id']}"
    again = house.with_token("create_user", token, body=body, key=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.body == made.body | {"one_time_password": None}
    kept = making.rows(house, "SELECT convert_from(body, 'UTF8') AS body FROM idempotency WHERE key = %s", key)
    assert made.body["one_time_password"] not in kept[0]["body"]


def test_a_user_name_is_taken_whatever_the_case(house):
    user = house.user("nurse")
    body = {"username": user["username"].upper(), "display_name": "Ada", "roles": ["nurse"]}
    got = house.with_token("create_user", house.admin(), body=body)
    assert (got.status, got.body["code"]) == (409, "username_taken")


@pytest.mark.parametrize("role", ["no_such_role", "service", "first_sign_in"])
def test_a_role_that_people_cannot_have_is_refused_by_place(house, role):
    body = {"username": "some.body", "display_name": "Ada", "roles": ["nurse", role]}
    got = house.with_token("create_user", house.admin(), body=body)
    assert (got.status, got.body["code"]) == (422, "unknown_role")
    assert got.body["errors"] == [{"pointer": "/roles/1", "rule": "unknown_role"}]
    assert role not in got.body["title"]


@pytest.mark.target("C-08")
@pytest.mark.row("SEC-09")
def test_a_role_that_is_taken_away_stops_working_with_the_same_token(house):
    user, tokens = house.signed_in("admin")
    assert house.with_token("list_users", tokens["access_token"]).status == 200
    version = house.with_token("get_user", house.admin(), user_id=user["id"]).body["version"]
    body = {"roles": ["nurse"]}
    got = house.with_token("assign_roles", house.admin(), user_id=user["id"], body=body, version=version)
    assert got.status == 200
    assert house.with_token("list_users", tokens["access_token"]).status == 403
    kept = making.rows(
        house,
        "SELECT state ->> 'roles' AS roles FROM record_versions WHERE record_id = %s ORDER BY version DESC LIMIT 2",
        user["id"],
    )
    assert [row["roles"] for row in kept] == ['["nurse"]', '["admin"]'], "old and new are in the history"
    entry = making.entries(house, "assign_roles")[-1]
    assert (entry["fields"], entry["added"], entry["removed"]) == (["roles"], ["nurse"], ["admin"])


def test_roles_that_an_account_begins_with_stand_in_its_entry(house):
    house.user("nurse", "doctor")
    entry = making.entries(house, "create_user")[-1]
    assert entry["added"] == ["doctor", "nurse"]
    assert "removed" not in entry


def test_names_are_told_of_accounts_that_there_are_and_nothing_else(house):
    user = house.user("nurse")
    got = house.with_token("list_user_names", house.admin(), query={"user_id": [user["id"], NOBODY]})
    shown = {"id": user["id"], "kind": "staff", "display_name": user["display_name"]}
    assert got.body == {"items": [shown], "next_cursor": None}


@pytest.mark.parametrize(("role", "is_named"), [("nurse", False), ("admin", True)])
def test_a_colleague_learns_that_an_account_is_a_patients_and_not_whose(house, role, is_named):
    """Whoever manages accounts sees their names anyway."""
    patient, both = house.user("patient"), house.user("nurse", "patient")
    body = {"client_id": f"sorting-{role}", "display_name": "Sorting machine", "roles": ["nurse"]}
    program = house.with_token("create_service_account", house.admin(), body=body).body
    _, tokens = house.signed_in(role)
    ids = [each["id"] for each in (patient, both, program)]
    got = house.with_token("list_user_names", tokens["access_token"], query={"user_id": ids}).body["items"]
    assert {each["id"]: (each["kind"], each["display_name"]) for each in got} == {
        patient["id"]: ("patient", patient["display_name"] if is_named else None),
        both["id"]: ("staff", both["display_name"]),
        program["id"]: ("program", program["display_name"]),
    }


@pytest.mark.target("C-08")
def test_a_disabled_user_is_out_at_once_and_an_enabled_one_may_come_back(house):
    user, tokens = house.signed_in("nurse")
    admin = house.admin()
    assert house.with_token("disable_user", admin, user_id=user["id"]).body["active"] is False
    assert house.with_token("get_own_account", tokens["access_token"]).status == 401
    assert house.refresh(tokens["refresh_token"]).status == 401
    assert house.sign_in(user["username"], making.PASSWORD).status == 401
    assert house.with_token("enable_user", admin, user_id=user["id"]).body["active"] is True
    assert house.with_token("get_own_account", tokens["access_token"]).status == 401, "the old session stays ended"
    assert house.sign_in(user["username"], making.PASSWORD).status == 201


def test_a_stale_version_names_the_fields_that_others_changed(house):
    user, admin = house.user("nurse"), house.admin()
    first = house.with_token(
        "update_user", admin, user_id=user["id"], version=1, body={"display_name": "Ada B.", "email": "ada@example.org"}
    )
    assert (first.status, first.headers["etag"]) == (200, '"2"')
    stale = house.with_token("update_user", admin, user_id=user["id"], version=1, body={"display_name": "Ada C."})
    assert (stale.status, stale.body["fields"]) == (412, ["display_name", "email"])
    missing = house.with_token("update_user", admin, user_id=user["id"], body={"display_name": "Ada C."})
    assert missing.status == 428
    same = house.with_token("update_user", admin, user_id=user["id"], version=2, body={"email": "ada@example.org"})
    assert (same.status, same.body["version"]) == (200, 2), "what changes nothing makes no version"


def test_only_a_super_admin_decides_about_super_admins(house):
    _, plain = house.signed_in("admin")
    token = plain["access_token"]
    boss = house.user("super_admin")
    body = {"username": "would.be.boss", "display_name": "Ada", "roles": ["super_admin"]}
    assert house.with_token("create_user", token, body=body).status == 403
    assert house.with_token("reset_password", token, user_id=boss["id"]).status == 403
    assert house.with_token("disable_user", token, user_id=boss["id"]).status == 403
    assert house.with_token("end_user_sessions", token, user_id=boss["id"]).status == 403
    assert house.with_token("update_user", token, user_id=boss["id"], version=1, body={"email": None}).status == 403
    roles = {"roles": ["nurse"]}
    assert house.with_token("assign_roles", token, user_id=boss["id"], version=1, body=roles).status == 403
    entry = making.entries(house, "reset_password")[-1]
    assert (entry["outcome"], entry["record_id"]) == ("denied", boss["id"])


def test_the_last_active_super_admin_cannot_be_lost_also_not_by_two_at_once(house):
    admin = house.admin()
    me = house.with_token("get_own_account", admin).body
    for each in house.with_token("list_users", admin, query={"role": "super_admin", "active": "true"}).body["items"]:
        if each["id"] != me["id"]:
            assert house.with_token("disable_user", admin, user_id=each["id"]).status == 200
    got = house.with_token("disable_user", admin, user_id=me["id"])
    assert (got.status, got.body["code"]) == (409, "last_super_admin")
    got = house.with_token("assign_roles", admin, user_id=me["id"], version=me["version"], body={"roles": ["nurse"]})
    assert (got.status, got.body["code"]) == (409, "last_super_admin")
    _, second_tokens = house.signed_in("super_admin")
    second = house.with_token("get_own_account", second_tokens["access_token"]).body
    tokens = {me["id"]: admin, second["id"]: second_tokens["access_token"]}
    with ThreadPoolExecutor(2) as pool:
        both = [(tokens[me["id"]], second["id"]), (tokens[second["id"]], me["id"])]
        got = list(pool.map(lambda pair: house.with_token("disable_user", pair[0], user_id=pair[1]).status, both))
    left = making.rows(house, "SELECT id::text FROM accounts WHERE is_active AND roles @> '{super_admin}'")
    assert len(left) == 1, got
    lost = ({me["id"], second["id"]} - {left[0]["id"]}).pop()
    assert house.with_token("enable_user", tokens[left[0]["id"]], user_id=lost).status == 200


def test_the_account_of_a_service_has_no_password_and_no_other_role(house):
    admin = house.admin()
    found = house.with_token("list_users", admin, query={"role": "service"}).body["items"]
    assert {each["username"] for each in found} == set(making.SECRETS)
    service = found[0]
    for operation, more in (
        ("reset_password", {}),
        ("assign_roles", {"version": service["version"], "body": {"roles": ["nurse"]}}),
        ("update_user", {"version": service["version"], "body": {"display_name": "x"}}),
    ):
        got = house.with_token(operation, admin, user_id=service["id"], **more)
        assert (got.status, got.body["code"]) == (409, "not_a_person")


def test_users_come_in_pages_that_belong_to_their_filter(house):
    admin = house.admin()
    for _ in range(3):
        house.user("pharmacist", by=admin)
    seen, cursor = [], None
    while True:
        query = {"role": "pharmacist", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = house.with_token("list_users", admin, query=query).body
        seen += [each["id"] for each in page["items"]]
        last, cursor = cursor, page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) >= 3
    other = house.with_token("list_users", admin, query={"role": "nurse", "limit": 2, "cursor": last})
    assert other.status == 400


def test_an_unknown_user_is_not_found_and_leaves_a_trace(house):
    admin = house.admin()
    assert house.with_token("get_user", admin, user_id=NOBODY).status == 404
    assert house.with_token("disable_user", admin, user_id=NOBODY).status == 404
    assert making.entries(house, "disable_user")[-1]["outcome"] == "not_found"


def test_every_change_of_an_account_leaves_one_entry_and_one_event(house):
    user, _ = house.signed_in("nurse")
    house.with_token("end_user_sessions", house.admin(), user_id=user["id"])
    query = "SELECT type FROM outbox WHERE event::jsonb ->> 'subject' = %s AND type LIKE 'identity.%%' ORDER BY id"
    assert [row["type"] for row in making.rows(house, query, user["id"])] == [
        "identity.user_created.v1",
        "identity.password_changed.v1",
    ]
    for operation in ("create_user", "change_own_password", "sign_in", "end_user_sessions"):
        mine = [entry for entry in making.entries(house, operation) if entry["record_id"] == user["id"]]
        assert {entry["outcome"] for entry in mine} == {"success"}, operation


def test_roles_and_permissions_are_listed_as_they_are_published(house):
    _, tokens = house.signed_in("auditor")
    published = making.permissions(house.service)
    roles = house.with_token("list_roles", tokens["access_token"]).body["items"]
    assert {role["name"] for role in roles} == set(published["roles"])
    everything = next(role for role in roles if role["name"] == "super_admin")["permissions"]
    listed = house.with_token("list_permissions", tokens["access_token"]).body["items"]
    assert everything == sorted(each["name"] for each in listed) == sorted(published["permissions"])


def test_what_is_dangerous_is_refused_while_the_policy_is_not_live(house):
    admin, user = house.admin(), house.user("nurse")
    house.policy.is_live = False
    try:
        body = {"roles": ["doctor"]}
        got = house.with_token("assign_roles", admin, user_id=user["id"], version=1, body=body)
        assert got.status == 503
        assert house.with_token("rotate_signing_key", admin).status == 503
        assert house.with_token("get_user", admin, user_id=user["id"]).body["roles"] == ["nurse"]
    finally:
        house.policy.is_live = True


def test_history_cannot_be_changed_in_the_store(house):
    house.user("nurse")
    for statement in (
        "UPDATE record_versions SET fields = '{}'",
        "DELETE FROM record_versions",
        "TRUNCATE record_versions",
    ):
        with pytest.raises(Exception, match="append-only"):
            making.rows(house, statement)

"""Administrators of one facility, through the whole application: accounts, roles, places, links, counters."""

from __future__ import annotations

import pytest

from services.identity.model import administering
from tests.integration.identity.test_reach import department, facility, narrowed

NOBODY = "01939c3e-0000-7000-8000-0000000000ff"


@pytest.fixture(scope="module")
def places(house):
    """Two facilities, and a ward of the first."""
    here, there = facility(house)["id"], facility(house)["id"]
    return here, there, department(house, here)["id"]


@pytest.fixture(scope="module")
def admin(house, places):
    """An administrator of the first facility: who it is, and a token."""
    user, tokens, _ = narrowed(house, [{"role": "admin", "facilities": [places[0]]}], "admin")
    return user, tokens["access_token"]


def version(house, user):
    return house.with_token("get_user", house.admin(), user_id=user).body["version"]


def assign(house, token, user, *areas, roles=("nurse",)):
    body = {"roles": list(roles), "areas": list(areas)}
    return house.with_token("assign_roles", token, user_id=user, version=version(house, user), body=body)


def test_accounts_that_work_there_and_nowhere_else_are_administered_and_others_are_not_there(house, places, admin):
    here, there, ward = places
    mine, _, _ = narrowed(house, [{"role": "nurse", "facilities": [here]}])
    of_ward, _, _ = narrowed(house, [{"role": "nurse", "departments": [ward]}])
    both, _, _ = narrowed(house, [{"role": "nurse", "facilities": [here, there]}])
    elsewhere, _, _ = narrowed(house, [{"role": "nurse", "facilities": [there]}])
    everywhere, _ = house.signed_in("nurse")
    token, headers = admin[1], {"x-request-id": "the-same"}

    def tried(operation, user, **more):
        got = house.call(
            operation, role=None, headers={"authorization": f"Bearer {token}", **headers}, user_id=user, **more
        )
        return got.status, got.raw

    for user in (mine, of_ward):
        assert tried("get_user", user["id"])[0] == 200
        assert tried("end_user_sessions", user["id"])[0] == 200
        change = {"body": {"display_name": "Another"}, "version": version(house, user["id"])}
        assert tried("update_user", user["id"], **change)[0] == 200
    for operation, more in [
        ("get_user", {}),
        ("update_user", {"version": 2, "body": {"display_name": "Another"}}),
        ("disable_user", {"version": 2}),
        ("enable_user", {"version": 2}),
        ("reset_password", {}),
        ("reset_second_factor", {}),
        ("end_user_sessions", {}),
        (
            "assign_roles",
            {"version": 2, "body": {"roles": ["nurse"], "areas": [{"role": "nurse", "facilities": [here]}]}},
        ),
    ]:
        unknown = tried(operation, NOBODY, **more)
        assert unknown[0] == 404, operation
        for user in (both, elsewhere, everywhere):
            assert tried(operation, user["id"], **more) == unknown, operation


def test_a_list_of_accounts_holds_those_that_are_administered_and_fills_its_pages(house, places, admin):
    here, there, ward = places
    shown, cursor = [], None
    narrowed(house, [{"role": "nurse", "departments": [ward]}])
    narrowed(
        house,
        [{"role": "nurse", "facilities": [there]}, {"role": "pharmacist", "facilities": [here]}],
        "nurse",
        "pharmacist",
    )
    while True:
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = house.with_token("list_users", admin[1], query=query).body
        assert len(page["items"]) == 1 or page["next_cursor"] is None
        shown += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    with house.service.controller._desk.store.read() as tx:
        by = house.me(admin[1]).under("users.read")
        everybody = tx.accounts(after=None, limit=500, role=None, active=None, within=house.me(house.admin()).scope)
        wanted = [each for each in everybody if administering.administers(each.roles, each.areas, by=by)]
    assert shown == [str(each.id) for each in wanted]
    assert admin[0]["id"] in shown
    assert len(shown) < len(everybody)


def test_a_role_is_given_for_the_own_places_only(house, places, admin):
    here, there, ward = places
    user, _, _ = narrowed(house, [{"role": "nurse", "facilities": [here]}])
    assert assign(house, admin[1], user["id"], {"role": "nurse", "departments": [ward]}).status == 200
    for areas in ([], [{"role": "nurse", "facilities": [here, there]}], [{"role": "nurse", "facilities": [there]}]):
        got = assign(house, admin[1], user["id"], *areas)
        assert (got.status, got.body["code"]) == (403, "area_not_held")
    body = {"username": "made.by.here", "display_name": "X", "roles": ["nurse"]}
    got = house.with_token("create_user", admin[1], body=body)
    assert (got.status, got.body["code"]) == (403, "area_not_held")
    body["areas"] = [{"role": "nurse", "facilities": [here]}]
    assert house.with_token("create_user", admin[1], body=body).status == 201


def test_what_holds_in_the_whole_house_is_not_decided_from_one_place(house, admin):
    role = {"name": "mine", "title": "Mine", "description": "Mine.", "permissions": []}
    client = {"client_id": "prog-1", "display_name": "Program", "roles": []}
    for operation, more in [
        ("create_role", {"body": {**role, "permissions": ["account.own"]}}),
        ("create_facility", {"body": {"name": "Another", "zone": "UTC"}}),
        ("list_service_accounts", {}),
        ("create_service_account", {"body": {**client, "roles": ["auditor"]}}),
        ("set_group_roles", {"version": 1, "body": {"entries": []}}),
        ("list_sign_in_counters", {}),
    ]:
        assert house.with_token(operation, admin[1], **more).status == 403, operation


def test_places_are_kept_within_the_own_facility(house, places, admin):
    here, there, ward = places
    beyond = department(house, there)["id"]
    change = {"version": 1, "body": {"name": "Renamed here"}}
    assert house.with_token("update_facility", admin[1], facility_id=there, **change).status == 404
    assert house.with_token("update_department", admin[1], department_id=beyond, **change).status == 404
    assert house.with_token("update_department", admin[1], department_id=ward, **change).status == 200
    for where, status in ((there, 422), (NOBODY, 422), (here, 201)):
        body = {"name": "A new one", "facility_id": where}
        assert house.with_token("create_location", admin[1], body=body).status == status
    assert house.with_token("get_facility", admin[1], facility_id=there).status == 200, "where things are, all may see"


def test_counters_of_accounts_are_lifted_by_who_administers_them(house, places, admin):
    user, _, _ = narrowed(house, [{"role": "nurse", "facilities": [places[0]]}])
    other, _ = house.signed_in("nurse")
    for each in (user, other):
        assert house.sign_in(each["username"], "wrong").status == 401

    def seen(token, about):
        got = house.with_token("list_sign_in_counters", token, query={"user_id": about})
        return got.status, [each["id"] for each in got.body.get("items", ())]

    status, [counter] = seen(admin[1], user["id"])
    assert status == 200
    assert seen(admin[1], other["id"]) == (403, [])
    _, [beyond] = seen(house.admin(), other["id"])
    assert house.with_token("clear_sign_in_counter", admin[1], counter_id=beyond).status == 404
    assert house.with_token("clear_sign_in_counter", admin[1], counter_id=counter).status == 204


def test_patients_decides_about_whose_record_an_account_may_be_linked_to(house, records, places):
    """It is asked with the token of the desk, and for the right to invite."""
    record, beyond = records.register(), records.register()
    records.hidden.add(beyond)
    _, tokens, _ = narrowed(house, [{"role": "receptionist", "facilities": [places[0]]}], "receptionist")
    token = tokens["access_token"]

    def invite(patient):
        body = {"patient_id": patient, "relation": "self"}
        return house.with_token("create_activation_code", token, body=body)

    unknown = invite(NOBODY)
    assert (invite(record).status, unknown.status) == (201, 422)
    assert {**invite(beyond).body, "request_id": ""} == {**unknown.body, "request_id": ""}
    tried = (record, beyond, NOBODY)
    asked = [each for each in records.peer.requests if any(f"{id_}/standing" in each.target for id_ in tried)]
    assert {each.target.partition("?")[2] for each in asked} == {"permission=accounts.invite"}
    assert {each.headers.get("authorization") for each in asked} == {f"Bearer {token}"}
    listed = house.with_token("list_record_links", token, query={"patient_id": beyond})
    assert (listed.status, listed.body.get("items")) == (200, []), listed.raw

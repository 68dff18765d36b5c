"""How far an account reaches: roles narrowed to places, and what closing a facility does to those who work there."""

from __future__ import annotations

import itertools

import pytest

from tests.integration.identity import making

_numbers = itertools.count(1)


def facility(house):
    """A new facility."""
    body = {"name": f"Site {next(_numbers)} of reach", "zone": "Europe/Berlin"}
    return house.with_token("create_facility", house.admin(), body=body).body


def department(house, facility_id):
    """A new department of a facility."""
    body = {"name": f"Department {next(_numbers)}", "facility_id": facility_id}
    return house.with_token("create_department", house.admin(), body=body).body


def narrowed(house, areas, *roles):
    """Give somebody who is signed in these roles in these areas; the account and the tokens of before."""
    user, tokens = house.signed_in(*(roles or ("nurse",)))
    version = house.with_token("get_user", house.admin(), user_id=user["id"]).body["version"]
    body = {"roles": list(roles or ("nurse",)), "areas": areas}
    got = house.with_token("assign_roles", house.admin(), user_id=user["id"], version=version, body=body)
    assert got.status == 200, got.raw
    return user, tokens, got.body


def test_a_role_without_an_area_holds_everywhere(house):
    _, tokens = house.signed_in("nurse")
    me = house.me(tokens["access_token"])
    assert (me.scope.facilities, me.scope.departments) == (None, None)
    assert me.covers_facility("anywhere")
    assert me.covers_department("any", facility_id="anywhere")
    assert not me.is_about("anybody")


def test_a_narrowed_role_holds_in_its_places_only_also_with_a_token_that_was_out(house):
    here, there = facility(house), facility(house)
    ward, other = department(house, there["id"]), department(house, there["id"])
    areas = [{"role": "nurse", "facilities": [here["id"]]}, {"role": "pharmacist", "departments": [ward["id"]]}]
    user, tokens, shown = narrowed(house, areas, "nurse", "pharmacist")
    assert shown["areas"][1] == {"role": "pharmacist", "facilities": [there["id"]], "departments": [ward["id"]]}
    fresh = house.sign_in(user["username"], making.PASSWORD).body["access_token"]
    for token in (tokens["access_token"], fresh):
        me = house.me(token)
        assert me.scope.facilities == {here["id"], there["id"]}
        nurse, pharmacist = me.under("history.write"), me.under("history.read")
        assert (nurse.covers_facility(here["id"]), nurse.covers_facility(there["id"])) == (True, False)
        assert pharmacist.covers_department(ward["id"], facility_id=there["id"])
        assert not pharmacist.covers_department(other["id"], facility_id=there["id"])
        assert not me.under("users.read").covers_facility(here["id"]), "a right that nobody gave holds nowhere"


def test_areas_are_refused_by_place(house):
    here, there = facility(house), facility(house)
    ward = department(house, there["id"])
    nobody = "01939c3e-0000-7000-8000-0000000000ff"
    user = house.user("nurse")
    for areas, pointer in (
        ([{"role": "doctor", "facilities": [here["id"]]}], "/areas/0/role"),
        ([{"role": "nurse", "facilities": [here["id"], nobody]}], "/areas/0/facilities/1"),
        ([{"role": "nurse", "departments": [nobody]}], "/areas/0/departments/0"),
        ([{"role": "nurse", "facilities": [here["id"]], "departments": [ward["id"]]}], "/areas/0/departments"),
        ([{"role": "nurse", "facilities": []}], "/areas/0"),
    ):
        body = {"roles": ["nurse"], "areas": areas}
        got = house.with_token("assign_roles", house.admin(), user_id=user["id"], version=1, body=body)
        assert got.status == 422
        assert any(each["pointer"].startswith(pointer) for each in got.body["errors"]), got.body


def test_a_new_account_can_be_narrowed_from_the_first_day(house):
    here = facility(house)
    body = {
        "username": f"narrow.{next(_numbers)}.one",
        "display_name": "Ada Example",
        "roles": ["nurse"],
        "areas": [{"role": "nurse", "facilities": [here["id"]]}],
    }
    made = house.with_token("create_user", house.admin(), body=body)
    assert made.body["areas"] == [{"role": "nurse", "facilities": [here["id"]], "departments": []}]


def test_closing_a_facility_sends_home_whoever_works_nowhere_else_until_it_opens(house):
    here, there = facility(house), facility(house)
    only, only_tokens, _ = narrowed(house, [{"role": "nurse", "facilities": [here["id"]]}])
    both, both_tokens, _ = narrowed(house, [{"role": "nurse", "facilities": [here["id"], there["id"]]}])
    _, free_tokens = house.signed_in("nurse")
    closed = {"facility_id": here["id"], "version": 1, "body": {"active": False}}
    assert house.with_token("update_facility", house.admin(), **closed).status == 200
    assert house.with_token("get_own_account", only_tokens["access_token"]).status == 401
    assert house.refresh(only_tokens["refresh_token"]).status == 401
    assert house.sign_in(only["username"], making.PASSWORD).status == 401
    for tokens in (both_tokens, free_tokens):
        assert house.with_token("get_own_account", tokens["access_token"]).status == 200
    assert house.sign_in(both["username"], making.PASSWORD).status == 201
    opened = {"facility_id": here["id"], "version": 2, "body": {"active": True}}
    assert house.with_token("update_facility", house.admin(), **opened).status == 200
    assert house.sign_in(only["username"], making.PASSWORD).status == 201


@pytest.mark.parametrize("many", [65])
def test_areas_have_an_end_because_they_travel_in_every_token(house, many):
    user = house.user("nurse", "doctor")
    ids = [f"01939c3e-0000-7000-8000-{number:012x}" for number in range(many)]
    areas = [{"role": "nurse", "facilities": ids[:40]}, {"role": "doctor", "facilities": ids[40:]}]
    body = {"roles": ["nurse", "doctor"], "areas": areas}
    got = house.with_token("assign_roles", house.admin(), user_id=user["id"], version=1, body=body)
    assert {"pointer": "/areas", "rule": "max_items"} in got.body["errors"]

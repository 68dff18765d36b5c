"""Facilities, locations and departments over the whole application and a real store."""

from __future__ import annotations

import itertools

from tests.integration.identity import making

NOBODY = "01939c3e-0000-7000-8000-0000000000ff"
_numbers = itertools.count(1)


def facility(house, **more):
    """A new facility."""
    body = {"name": f"Hospital {next(_numbers)}", "zone": "Europe/Berlin", **more}
    got = house.with_token("create_facility", house.admin(), body=body)
    assert got.status == 201, got.raw
    return got.body


def test_a_house_with_wards_and_departments_is_built(house):
    admin, site = house.admin(), facility(house)
    ward = house.with_token("create_location", admin, body={"facility_id": site["id"], "name": "Building A"})
    assert (ward.status, ward.body["zone"]) == (201, "Europe/Berlin"), "the zone of the facility, unless it has its own"
    body = {"facility_id": site["id"], "location_id": ward.body["id"], "name": "Cardiology"}
    department = house.with_token("create_department", admin, body=body)
    assert department.status == 201
    got = house.with_token("get_department", admin, department_id=department.body["id"])
    assert (got.body, got.headers["etag"]) == (department.body, '"1"')
    emptied = house.with_token(
        "update_department", admin, department_id=got.body["id"], version=1, body={"location_id": None}
    )
    assert (emptied.status, emptied.body["location_id"], emptied.body["version"]) == (200, None, 2)
    listed = house.with_token("list_departments", admin, query={"facility_id": site["id"]}).body["items"]
    assert [each["id"] for each in listed] == [department.body["id"]]
    assert making.entries(house, "update_department")[-1]["fields"] == ["location_id"]


def test_a_facility_has_a_number_to_call_and_may_lose_it(house):
    admin, site = house.admin(), facility(house, phone="+49 30 23125 001")
    assert site["phone"] == "+49 30 23125 001"
    change = {"facility_id": site["id"], "version": 1}
    for wrong in ("call us", "", "0" * 41):
        got = house.with_token("update_facility", admin, body={"phone": wrong}, **change)
        assert (got.status, got.body["errors"][0]["pointer"]) == (422, "/phone")
    got = house.with_token("update_facility", admin, body={"phone": None}, **change)
    assert (got.status, got.body["phone"], got.body["version"]) == (200, None, 2)
    assert facility(house)["phone"] is None
    assert making.entries(house, "update_facility")[-1]["fields"] == ["phone"]


def test_an_unknown_zone_is_refused_on_making_and_on_changing(house):
    admin = house.admin()
    got = house.with_token("create_facility", admin, body={"name": "Nowhere", "zone": "Europe/Atlantis"})
    assert (got.status, got.body["errors"]) == (422, [{"pointer": "/zone", "rule": "unknown_zone"}])
    site = facility(house)
    for zone in ("Mars/Olympus", "localtime", "../etc/passwd"):
        got = house.with_token("update_facility", admin, facility_id=site["id"], version=1, body={"zone": zone})
        assert got.status == 422
        assert zone.encode() not in got.raw


def test_two_places_of_one_name_are_refused_whatever_the_writing(house):
    site = facility(house, name="Straße  Nord")
    got = house.with_token("create_facility", house.admin(), body={"name": "STRASSE nord", "zone": "Europe/Berlin"})
    assert (got.status, got.body["code"]) == (409, "name_taken")
    admin = house.admin()
    one = house.with_token("create_location", admin, body={"facility_id": site["id"], "name": "Ward 1"}).body
    two = house.with_token("create_location", admin, body={"facility_id": site["id"], "name": "Ward 2"}).body
    got = house.with_token("update_location", admin, location_id=two["id"], version=1, body={"name": one["name"]})
    assert got.status == 409
    elsewhere = {"facility_id": facility(house)["id"], "name": "Ward 1"}
    assert house.with_token("create_location", admin, body=elsewhere).status == 201


def test_a_closed_facility_gets_no_new_places(house):
    admin, site = house.admin(), facility(house)
    closed = house.with_token("update_facility", admin, facility_id=site["id"], version=1, body={"active": False})
    assert closed.body["active"] is False
    got = house.with_token("create_location", admin, body={"facility_id": site["id"], "name": "Ward 1"})
    assert (got.status, got.body["code"]) == (409, "facility_closed")


def test_a_department_is_not_found_at_a_location_of_elsewhere(house):
    admin, site = house.admin(), facility(house)
    other = house.with_token(
        "create_location", admin, body={"facility_id": facility(house)["id"], "name": "Far away"}
    ).body
    body = {"facility_id": site["id"], "location_id": other["id"], "name": "Cardiology"}
    got = house.with_token("create_department", admin, body=body)
    assert (got.status, got.body["errors"]) == (422, [{"pointer": "/location_id", "rule": "other_facility"}])
    got = house.with_token("create_department", admin, body=body | {"location_id": NOBODY})
    assert (got.status, got.body["errors"]) == (422, [{"pointer": "/location_id", "rule": "unknown"}])
    got = house.with_token("create_location", admin, body={"facility_id": NOBODY, "name": "Ward 1"})
    assert (got.status, got.body["errors"]) == (422, [{"pointer": "/facility_id", "rule": "unknown"}])


def test_a_stale_change_of_a_place_names_the_fields(house):
    admin, site = house.admin(), facility(house)
    fresh = {"name": f"{site['name']} north", "zone": "Europe/Paris"}
    assert house.with_token("update_facility", admin, facility_id=site["id"], version=1, body=fresh).status == 200
    got = house.with_token("update_facility", admin, facility_id=site["id"], version=1, body={"active": False})
    assert (got.status, got.body["fields"]) == (412, ["name", "zone"])


def test_places_come_in_pages_and_an_unknown_one_is_not_found(house):
    admin = house.admin()
    made = [facility(house)["id"] for _ in range(3)]
    seen, query = [], {"limit": 2}
    while True:
        page = house.with_token("list_facilities", admin, query=query).body
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        query = {"limit": 2, "cursor": page["next_cursor"]}
    assert seen == sorted(seen)
    assert set(made) <= set(seen)
    assert house.with_token("get_facility", admin, facility_id=NOBODY).status == 404
    assert house.with_token("update_location", admin, location_id=NOBODY, version=1, body={"name": "x"}).status == 404


def test_who_may_only_see_places_changes_none(house):
    _, tokens = house.signed_in("nurse")
    token, site = tokens["access_token"], facility(house)
    assert house.with_token("get_facility", token, facility_id=site["id"]).status == 200
    got = house.with_token("update_facility", token, facility_id=site["id"], version=1, body={"name": "Mine"})
    assert got.status == 403
    assert house.with_token("get_facility", token, facility_id=site["id"]).body == site

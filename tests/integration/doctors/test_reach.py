"""Who is narrowed to a facility plans, manages and closes there, through the whole application; all may look."""

from __future__ import annotations

import pytest

from tests.integration.doctors import making
from tests.integration.doctors.making import done

ADMIN = {"role": "admin", "subject": "admin-here"}


@pytest.fixture
def sites(house, identity):
    """Two facilities, and an administrator of the first."""
    here, there = making.site(identity), making.site(identity)
    house.roles.areas = {"admin-here": {"admin": {"facilities": [here.facility], "departments": []}}}
    yield here, there
    house.roles.areas = {}


def test_hours_are_planned_in_the_own_facility_and_no_other(house, sites):
    here, there = sites
    doctor = making.doctor(house)["id"]
    mine = done(house.call("add_doctor_session", doctor_id=doctor, body=here.hours(), **ADMIN))
    refused = house.call("add_doctor_session", doctor_id=doctor, body=there.hours(weekday=2), **ADMIN)
    assert refused.status == 403
    beyond = making.session(house, doctor, there, weekday=2)
    for session, status in ((mine, 200), (beyond, 403)):
        change = {"applies_from": making.coming(30)["starts_at"][:10], "starts": "10:00"}
        where = {"doctor_id": doctor, "doctor_session_id": session["id"], "version": 1}
        assert house.call("change_doctor_session", body=change, **where, **ADMIN).status == status
    assert len(done(house.call("list_doctor_sessions", doctor_id=doctor, **ADMIN), 200)["items"]) >= 2, "all may look"


def test_what_is_of_all_places_of_a_doctor_wants_all_of_them(house, sites):
    here, there = sites
    doctor = making.doctor(house)["id"]
    rename = {"doctor_id": doctor, "body": {"title": "Dr."}}
    assert house.call("update_doctor", version=1, **rename, **ADMIN).status == 200, "works nowhere yet"
    making.session(house, doctor, here)
    assert house.call("update_doctor", version=2, doctor_id=doctor, body={"title": None}, **ADMIN).status == 200
    assert house.call("list_leave", doctor_id=doctor, **ADMIN).status == 200
    making.session(house, doctor, there, weekday=2)
    assert house.call("update_doctor", version=3, **rename, **ADMIN).status == 403
    assert house.call("list_leave", doctor_id=doctor, **ADMIN).status == 403
    assert house.call("deactivate_doctor", doctor_id=doctor, version=3, **ADMIN).status == 403
    assert done(house.call("get_doctor", doctor_id=doctor, **ADMIN), 200)["version"] == 3


def test_a_doctor_is_put_into_departments_of_the_own_facility_only(house, identity, sites):
    here, there = sites
    mine, theirs = identity.department(here.facility), identity.department(there.facility)
    refused = house.call("create_doctor", body=making.profile(department_ids=[mine, theirs]), **ADMIN)
    assert refused.status == 403
    doctor = done(house.call("create_doctor", body=making.profile(department_ids=[mine]), **ADMIN))["id"]
    change = {"doctor_id": doctor, "version": 1}
    assert house.call("update_doctor", body={"department_ids": [theirs]}, **change, **ADMIN).status == 403
    done(house.call("update_doctor", body={"department_ids": [theirs]}, **change), 200)
    kept = {"doctor_id": doctor, "version": 2, "body": {"department_ids": [theirs, mine]}}
    assert house.call("update_doctor", **kept, **ADMIN).status == 200, "what somebody else put there may stay"


def test_rooms_and_closures_are_of_the_own_facility_and_lists_of_the_house(house, sites):
    here, there = sites
    made = {}
    for site, status in ((here, 201), (there, 403)):
        room = {"kind": "room", "name": "1", "facility_id": site.facility, "location_id": site.location}
        assert house.call("create_resource", body=room, **ADMIN).status == status
        made[site.facility] = done(house.call("create_resource", body={**room, "name": "2"}))["id"]
    for site, status in ((here, 200), (there, 403)):
        where = {"resource_id": made[site.facility], "version": 1, "body": {"name": "3"}}
        assert house.call("update_resource", **where, **ADMIN).status == status
        body = {"scope": "facility", "scope_id": site.facility, "reason": "Inventory", **making.coming()}
        got = house.call("add_closure", facility_id=site.facility, body=body, **ADMIN)
        assert got.status == (201 if status == 200 else 403)
    assert house.call("create_specialization", body={"name": "New"}, **ADMIN).status == 403
    assert house.call("list_plan_changes", **ADMIN).status == 403
    assert house.call("list_resources", **ADMIN).status == 200

"""Sessions, leave and closures of real plans: what is refused, what is in force, and who may change it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.integration.doctors import making
from tests.integration.doctors.making import done


@pytest.fixture
def berlin(identity) -> making.Site:
    """A facility in Berlin."""
    return making.site(identity)


@pytest.fixture
def doctor(house) -> str:
    """A doctor."""
    return making.doctor(house)["id"]


def add(house, doctor, body, **more):
    return house.call("add_doctor_session", doctor_id=doctor, body=body, **more)


def test_hours_are_added_read_and_in_the_plan(house, identity, appointments, berlin, doctor):
    room = {"kind": "room", "name": "1", "facility_id": berlin.facility, "location_id": berlin.location}
    room = done(house.call("create_resource", body=room))["id"]
    kind = making.appointment_type(house, "Visit")["id"]
    made = making.session(
        house, doctor, berlin, resource_ids=[room], appointment_type_ids=[kind], capacity=2, max_bookings=5
    )
    assert (made["version"], made["zone"], made["change"]["state"]) == (1, "Europe/Berlin", "effective")
    evening = making.session(house, doctor, berlin, starts="13:00", ends="17:00")
    shown = done(house.call("get_doctor_session", doctor_id=doctor, doctor_session_id=made["id"]), 200)
    assert shown == {name: value for name, value in made.items() if name != "change"}
    listed = done(house.call("list_doctor_sessions", doctor_id=doctor), 200)["items"]
    assert [each["id"] for each in listed] == [made["id"], evening["id"]]
    plan = making.plan(house, doctor, berlin)
    assert plan["version"] == 2
    assert [each["id"] for each in plan["sessions"]] == [made["id"], evening["id"]]
    assert (plan["sessions"][0]["resource_ids"], plan["sessions"][0]["max_bookings"]) == ([room], 5)
    assert appointments.plans[berlin.facility, doctor]["doctor"] == plan
    assert {each["clashes"] for each in appointments.applied} == {"refuse"}
    told = [each for each in making.sent(house) if each["type"] == "doctors.plan_changed.v1"]
    assert [(each["subject"], each["data"]["plan_version"]) for each in told] == [(doctor, 1), (doctor, 2)]


@pytest.mark.row("DOC-04")
def test_overlapping_hours_are_refused_across_locations_and_facilities(house, identity, berlin, doctor):
    other_location = making.Site(berlin.facility, identity.location(berlin.facility))
    london = making.site(identity, "Europe/London")
    made = making.session(house, doctor, berlin)
    for at, given in ((berlin, {}), (other_location, {"starts": "11:59", "ends": "13:00"}), (london, {})):
        refused = done(add(house, doctor, at.hours(**given)), 409)
        assert refused["code"] == "sessions_overlap"
        assert refused["facts"] == {"session_id": made["id"], "first_day": "2026-01-05"}
    making.session(house, doctor, other_location, starts="12:00", ends="13:00")
    making.session(house, doctor, london, starts="12:00", ends="13:00")
    making.session(house, making.doctor(house)["id"], berlin)
    assert len(making.rows(house, "sessions")) == 4


def test_of_two_overlapping_sessions_at_once_one_is_added(house, berlin, identity):
    other = making.site(identity)
    for _ in range(10):
        doctor = making.doctor(house)["id"]
        with ThreadPoolExecutor(4) as pool:
            bodies = [at.hours(starts=starts) for at in (berlin, other) for starts in ("09:00", "10:00")]
            answers = list(pool.map(lambda body, doctor=doctor: add(house, doctor, body), bodies))
        found = Counter((each.status, each.body.get("code")) for each in answers)
        assert found[201, None] == 1, found
        assert set(found) <= {(201, None), (409, "sessions_overlap"), (409, "plan_pending")}


@pytest.mark.parametrize(
    ("given", "pointer", "rule"),
    [
        ({"ends": "09:00"}, "/ends", "same_as_start"),
        ({"ends": "09:10"}, "/slot_minutes", "no_slot_fits"),
        ({"valid_to": "2026-01-04"}, "/valid_to", "before_start"),
        ({"slot_minutes": 0}, "/slot_minutes", "minimum"),
        ({"slot_minutes": -15}, "/slot_minutes", "minimum"),
        ({"capacity": 0}, "/capacity", "minimum"),
        ({"weekday": 8}, "/weekday", "maximum"),
        ({"starts": "24:00"}, "/starts", "pattern"),
        ({"valid_from": "2026-02-30"}, "/valid_from", "format"),
        ({"valid_to": "9999-12-31"}, "/valid_to", "out_of_range"),
        ({"resource_ids": [making.NOBODY]}, "/resource_ids/0", "unknown"),
        ({"appointment_type_ids": [making.NOBODY]}, "/appointment_type_ids/0", "unknown"),
        ({"location_id": making.NOBODY}, "/location_id", "unknown"),
        ({"facility_id": making.NOBODY}, "/facility_id", "unknown"),
    ],
)
def test_hours_that_cannot_be_are_refused_and_leave_nothing(house, berlin, doctor, given, pointer, rule):
    refused = done(add(house, doctor, berlin.hours(**given)), 422)
    assert refused["errors"] == [{"pointer": pointer, "rule": rule}]
    assert making.rows(house, "sessions") + making.rows(house, "plan_changes") == []


def test_places_that_are_closed_elsewhere_or_without_a_known_clock_are_refused(house, identity, berlin, doctor):
    wrong = {
        "closed": identity.location(berlin.facility, active=False),
        "other_facility": making.site(identity).location,
        "unknown_zone": identity.location(berlin.facility, "Mars/Olympus"),
    }
    for rule, location in wrong.items():
        refused = done(add(house, doctor, berlin.hours(location_id=location)), 422)
        assert refused["errors"] == [{"pointer": "/location_id", "rule": rule}]
    identity.status = 503
    assert add(house, doctor, berlin.hours()).status == 503


def test_hours_are_changed_from_a_day_on_in_one_change_of_the_plan(house, appointments, berlin, doctor):
    made = making.session(house, doctor, berlin)
    where = {"doctor_id": doctor, "doctor_session_id": made["id"]}
    body = {"applies_from": "2099-06-01", "starts": "08:00"}
    fresh = done(house.call("change_doctor_session", **where, version=1, body=body), 200)
    assert (fresh["follows"], fresh["valid_from"], fresh["starts"]) == (made["id"], "2099-06-01", "08:00")
    old = done(house.call("get_doctor_session", **where), 200)
    assert (old["valid_to"], old["version"]) == ("2099-05-31", 2)
    plan = making.plan(house, doctor, berlin)
    assert (plan["version"], len(plan["sessions"]), len(appointments.applied)) == (2, 2, 2)
    stale = done(house.call("change_doctor_session", **where, version=1, body=body), 412)
    assert stale["fields"] == ["valid_to"]


def test_hours_end_on_a_last_day_or_never_were(house, berlin, doctor):
    made, never = (
        making.session(house, doctor, berlin),
        making.session(house, doctor, berlin, valid_from="2099-01-01", weekday=2),
    )
    where = {"doctor_id": doctor, "doctor_session_id": made["id"]}
    ended = done(house.call("end_doctor_session", **where, version=1, query={"last": "2099-05-31"}), 200)
    assert (ended["valid_to"], ended["change"]["state"]) == ("2099-05-31", "effective")
    refused = done(house.call("end_doctor_session", **where, version=2, query={"last": "2020-01-01"}), 422)
    assert refused["errors"] == [{"parameter": "last", "rule": "in_the_past"}]
    where = {"doctor_id": doctor, "doctor_session_id": never["id"]}
    done(house.call("end_doctor_session", **where, version=1, query={"last": "2098-12-31"}), 200)
    assert house.call("get_doctor_session", **where).status == 404
    assert [each["id"] for each in making.plan(house, doctor, berlin)["sessions"]] == [made["id"]]


@pytest.mark.row("DOC-16")
def test_a_doctor_plans_for_oneself_and_those_who_plan_for_everybody(house, berlin):
    """Doctor A on B gets 403; the one who plans may."""
    a, b = str(uuid4()), str(uuid4())
    own, other = making.doctor(house, user_id=a)["id"], making.doctor(house, user_id=b)["id"]
    as_a = {"role": "doctor", "subject": a}
    made = done(add(house, own, berlin.hours(), **as_a))
    theirs = done(add(house, other, berlin.hours(), role="admin"))
    assert add(house, other, berlin.hours(weekday=2), **as_a).status == 403
    where = {"doctor_id": other, "doctor_session_id": theirs["id"], "version": 1}
    body = {"applies_from": "2099-06-01", "starts": "08:00"}
    assert house.call("change_doctor_session", **where, body=body, **as_a).status == 403
    assert house.call("end_doctor_session", **where, query={"last": "2099-01-01"}, **as_a).status == 403
    assert house.call("add_leave", doctor_id=other, body=making.coming(), **as_a).status == 403
    leave = done(house.call("add_leave", doctor_id=other, body=making.coming(), role="admin"))
    assert house.call("list_leave", doctor_id=other, **as_a).status == 403
    assert house.call("get_leave", doctor_id=other, leave_id=leave["id"], **as_a).status == 403
    assert house.call("remove_leave", doctor_id=other, leave_id=leave["id"], version=1, **as_a).status == 403
    assert house.call("get_plan_change", change_id=leave["change"]["change_id"], **as_a).status == 404
    assert house.call("get_plan_change", change_id=made["change"]["change_id"], **as_a).status == 200
    done(house.call("add_leave", doctor_id=own, body=making.coming(), **as_a))
    denied = [each for each in making.entries(house) if each["outcome"] == "denied"]
    assert {each["record_id"] for each in denied} == {other}
    assert add(house, own, berlin.hours(weekday=2), role="receptionist").status == 403


def test_leave_holds_everywhere_until_it_is_taken_back(house, identity, appointments, berlin, doctor):
    london = making.site(identity, "Europe/London")
    making.session(house, doctor, berlin)
    making.session(house, doctor, london, weekday=2)
    body = making.coming() | {"reason": "Only for those who plan."}
    made = done(house.call("add_leave", doctor_id=doctor, body=body))
    for at in (berlin, london):
        plan = making.plan(house, doctor, at)
        assert (plan["version"], [each["id"] for each in plan["closures"]]) == (2, [made["id"]])
    assert "Only for" not in str(appointments.applied) + str(making.sent(house, ""))
    back = done(house.call("remove_leave", doctor_id=doctor, leave_id=made["id"], version=1), 200)
    assert back["version"] == 2
    assert making.plan(house, doctor, berlin)["closures"] == []
    assert house.call("get_leave", doctor_id=doctor, leave_id=made["id"]).status == 404
    assert done(house.call("list_leave", doctor_id=doctor), 200)["items"] == []


def test_leave_by_the_clock_of_a_facility(house, identity, berlin, doctor):
    body = {"facility_id": berlin.facility, "starts_local": "2099-07-06T08:00", "ends_local": "2099-07-06T18:00"}
    made = done(house.call("add_leave", doctor_id=doctor, body=body))
    assert (made["starts_at"], made["ends_at"]) == ("2099-07-06T06:00:00Z", "2099-07-06T16:00:00Z")
    assert made["change"] == {"state": "effective", "change_id": None, "clashing": [], "more": False}
    for name, rule in (("2099-03-29T02:30", "skipped_time"), ("2099-10-25T02:30", "repeated_time")):
        wrong = body | {"starts_local": name, "ends_local": "2099-12-01T00:00"}
        refused = done(house.call("add_leave", doctor_id=doctor, body=wrong), 422)
        assert refused["errors"] == [{"pointer": "/starts_local", "rule": rule}]
    del body["facility_id"]
    refused = done(house.call("add_leave", doctor_id=doctor, body=body), 422)
    assert refused["errors"] == [{"pointer": "/facility_id", "rule": "required"}]


def test_leave_in_the_past_or_without_a_length_is_refused(house, doctor):
    past = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-02T00:00:00Z"}
    assert done(house.call("add_leave", doctor_id=doctor, body=past), 422)["errors"][0]["rule"] == "not_all_past"
    for hours in (0, -1):
        refused = done(house.call("add_leave", doctor_id=doctor, body=making.coming(hours=hours)), 422)
        assert refused["errors"] == [{"pointer": "/ends_at", "rule": "after_start"}]
    assert making.rows(house, "leave") == []


def test_closures_are_of_the_facilitys_own_plan(house, identity, appointments, berlin, doctor):
    making.session(house, doctor, berlin)
    room = {"kind": "room", "name": "1", "facility_id": berlin.facility}
    room = done(house.call("create_resource", body=room))["id"]
    where = {"facility_id": berlin.facility}
    holiday = {"scope": "facility", "starts_local": "2099-12-25T00:00", "ends_local": "2099-12-27T00:00"}
    made = done(house.call("add_closure", **where, body=holiday))
    assert (made["starts_at"], made["scope_id"]) == ("2099-12-24T23:00:00Z", berlin.facility)
    done(house.call("add_closure", **where, body=making.coming() | {"scope": "resource", "scope_id": room}))
    done(house.call("add_closure", **where, body=making.coming() | {"scope": "location", "scope_id": berlin.location}))
    plan = making.plan(house, doctor, berlin)
    assert (plan["version"], plan["facility_version"], len(plan["facility_closures"])) == (1, 3, 3)
    assert len(appointments.plans[berlin.facility, berlin.facility]["closures"]) == 3
    for scope_id, scope in ((making.NOBODY, "resource"), (making.site(identity).location, "location")):
        body = making.coming() | {"scope": scope, "scope_id": scope_id}
        assert done(house.call("add_closure", **where, body=body), 422)["errors"][0]["pointer"] == "/scope_id"
    done(house.call("remove_closure", **where, closure_id=made["id"], version=1), 200)
    assert len(done(house.call("list_closures", **where), 200)["items"]) == 2
    assert making.plan(house, doctor, berlin)["facility_version"] == 4


def test_plans_of_a_facility_are_listed_by_specialization(house, identity, berlin, doctor):
    heart = making.specialization(house, "Cardiology")
    special = making.doctor(house, specialization_ids=[heart])["id"]
    for each in (doctor, special):
        making.session(house, each, berlin)
    making.session(house, making.doctor(house)["id"], making.site(identity))
    over = making.doctor(house)["id"]
    making.session(house, over, berlin, valid_to="2026-01-31")
    where = {"facility_id": berlin.facility}
    found = done(house.call("list_doctor_plans", **where, role="patient"), 200)["items"]
    assert [each["doctor_id"] for each in found] == [doctor, special]
    found = done(house.call("list_doctor_plans", **where, query={"specialization_id": heart}), 200)["items"]
    assert [each["doctor_id"] for each in found] == [special]
    first = done(house.call("list_doctor_plans", **where, query={"limit": 1}), 200)
    rest = done(house.call("list_doctor_plans", **where, query={"limit": 1, "cursor": first["next_cursor"]}), 200)
    assert [each["doctor_id"] for each in rest["items"]] == [special]
    assert house.call("list_doctor_plans", facility_id=making.NOBODY).status == 404

"""What cannot be meant is refused with the field by name, and writes nothing."""

from __future__ import annotations

import base64
from datetime import date, timedelta

import orjson
import pytest

from services.chassis import paging
from tests.integration.appointments.making import Booking, at, fresh, monday, session

START = at(monday(), "10:00")


def unchanged(desk: Booking, written: int) -> None:
    """Nothing was written but the trace of the refusal, which may be the first in its stream."""
    assert desk.size() - written in (0, 1)
    assert desk.listed(at(monday(), "00:00"), at(monday(), "23:59")) == []


def fields(got) -> list[tuple[str | None, str]]:
    return [(each.get("pointer") or each.get("parameter"), each["rule"]) for each in got.body["errors"]]


@pytest.mark.parametrize("minutes", [0, -1, 1441, 10**12, 1.5, "30", None])
def test_a_length_that_is_none_is_422(desk: Booking, minutes):
    doctor = desk.doctor()
    written = desk.size()
    got = desk.book(doctor, START, minutes=minutes)
    assert (got.status, fields(got)[0][0]) == (422, "/minutes")
    unchanged(desk, written)


@pytest.mark.parametrize(
    ("given", "pointer", "rule"),
    [
        ({}, "/starts_at", "one_of_starts_at_and_starts_local"),
        ({"starts_at": START, "starts_local": "2030-01-01T10:00"}, "/starts_at", "one_of_starts_at_and_starts_local"),
        ({"starts_at": START.replace("10:00:00", "10:00:30")}, "/starts_at", "whole_minutes"),
        ({"starts_at": "2020-01-06T10:00:00+01:00"}, "/starts_at", "not_in_past"),
        ({"starts_local": "2020-01-06T10:00"}, "/starts_local", "not_in_past"),
        ({"starts_at": "9999-12-31T23:59:00Z"}, "/starts_at", "format"),
        ({"starts_at": "9999-12-31T23:59:00-12:00"}, "/starts_at", "format"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "/starts_at", "format"),
        ({"starts_local": "0001-01-01T00:00"}, "/starts_local", "format"),
        ({"starts_local": "2027-02-30T10:00"}, "/starts_local", "format"),
        ({"starts_local": "2027-03-28T02:30"}, "/starts_local", "skipped_time"),
        ({"starts_local": "2027-10-31T02:30"}, "/starts_local", "repeated_time"),
        ({"starts_at": "2100-01-04T10:00:00+01:00"}, "/starts_at", "too_far_ahead"),
    ],
)
def test_a_time_that_cannot_be_meant_is_422_by_name(desk: Booking, given, pointer, rule):
    doctor = desk.doctor()
    written = desk.size()
    for operation in ("book_appointment", "request_appointment", "hold_place"):
        who = {} if operation == "hold_place" else {"patient_id": fresh()}
        body = {"doctor_id": doctor, "appointment_type_id": desk.world.type, **who, **given}
        got = desk.call(operation, body=body)
        assert (got.status, fields(got)) == (422, [(pointer, rule)]), (operation, got.body)
    unchanged(desk, written)


@pytest.mark.parametrize("start", ["tomorrow", "2030-01-07", "2030-01-07T10:00:00", "2030-13-07T10:00:00Z", 5, None])
def test_a_start_that_is_no_moment_is_422(desk: Booking, start):
    doctor = desk.doctor()
    got = desk.book(doctor, start)
    assert (got.status, fields(got)[0][0]) == (422, "/starts_at")


def test_unknown_ids_are_404_and_made_up_ones_422(desk: Booking):
    doctor, stranger = desk.doctor(), fresh()
    desk.world.standings[stranger] = "unknown"
    written = desk.size()
    assert desk.book(fresh(), START).status == 404
    assert desk.book(doctor, START, patient=stranger).status == 404
    assert desk.book(doctor, START, appointment_type_id=fresh()).body["facts"] == {"why": "type_not_offered"}
    assert desk.call("get_appointment", appointment_id=fresh()).status == 404
    assert desk.act("cancel_appointment", {"id": fresh(), "version": 1}, {"reason_code": "other"}).status == 404
    for name in ("patient_id", "doctor_id", "appointment_type_id", "hold_id"):
        got = desk.book(doctor, START, **{name: "nobody"})
        assert (got.status, fields(got)[0][0]) == (422, f"/{name}")
    assert desk.book(doctor, START, color="red").status == 422
    unchanged(desk, written)


@pytest.mark.parametrize("standing", ["deceased", "merged", "inactive"])
def test_a_record_that_is_closed_is_booked_for_by_nobody(desk: Booking, standing: str):
    doctor, patient = desk.doctor(), fresh()
    kept = desk.booked(doctor, at(monday(2), "10:00"), patient=patient)
    asked = desk.request(doctor, at(monday(2), "11:00"), patient=patient).body
    other = fresh()
    desk.world.standings |= {patient: standing, other: standing}
    written = desk.size()
    for got in (desk.book(doctor, START, patient=other), desk.request(doctor, START, patient=other)):
        assert (got.status, got.body["code"], got.body["facts"]) == (
            409, "patient_not_bookable", {"standing": standing},
        )  # fmt: skip
    desk.house.service.controller._desk.patients.forget_all()
    moved = desk.act("reschedule_appointment", kept, {"starts_at": at(monday(2), "15:00")})
    assert moved.body["code"] == desk.act("approve_appointment", asked).body["code"] == "patient_not_bookable"
    unchanged(desk, written)
    assert desk.act("cancel_appointment", kept, {"reason_code": "died"}).status == 200


def test_a_doctor_who_may_not_work_is_not_booked(desk: Booking):
    ends = monday() + timedelta(days=3)
    doctor = desk.doctor(*(session(weekday=day) for day in range(1, 8)), licence_expires_on=ends.isoformat())
    desk.booked(doctor, at(ends, "16:30"))
    lapsed = desk.book(doctor, at(ends + timedelta(days=1), "09:00"))
    assert (lapsed.status, lapsed.body["facts"]) == (409, {"why": "licence_expired"})
    assert desk.free(doctor, ends + timedelta(days=1)) == []
    gone = desk.doctor(active=False)
    refused = desk.book(gone, START)
    assert (refused.status, refused.body["code"], refused.body["facts"]) == (
        409, "doctor_not_bookable", {"why": "inactive"},
    )  # fmt: skip
    assert desk.free(gone, monday()) == []


@pytest.mark.parametrize("clock", ["08:59", "08:30", "16:31", "17:00", "23:00"])
def test_outside_of_sessions_is_409(desk: Booking, clock: str):
    doctor = desk.doctor()
    written = desk.size()
    got = desk.book(doctor, at(monday(), clock))
    assert (got.status, got.body["code"]) == (409, "outside_sessions")
    unchanged(desk, written)


def test_periods_that_cannot_be_meant_are_422(desk: Booking):
    doctor = desk.doctor()
    for since, until, parameter in (
        (START, START, "until"),
        (START, at(monday() - timedelta(days=1), "10:00"), "until"),
        (START, at(monday(12), "10:00"), "until"),
        ("0001-01-01T00:00:00Z", None, "since"),
        ("9999-12-31T23:59:00Z", None, "since"),
        (START, "9999-12-31T23:59:00Z", "until"),
    ):
        query = {"doctor_id": doctor, "appointment_type_id": desk.world.type, "since": since}
        query |= {} if until is None else {"until": until}
        got = desk.call("find_free_places", query=query)
        assert (got.status, fields(got)[0][0]) == (422, parameter), got.body
    both = {"doctor_id": doctor, "specialization_id": fresh(), "appointment_type_id": desk.world.type}
    for query in (both, {"appointment_type_id": desk.world.type}):
        assert desk.call("find_free_places", query=query).status == 422


def forged(of, keys) -> str:
    packed = orjson.dumps([paging._mark(of), keys])
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "keys", [[], ["x"], ["x", "y"], [None, None], [1, 2, 3], ["9999-12-31T23:59:59-12:00", fresh()]]
)
def test_a_cursor_that_was_made_up_is_400(desk: Booking, keys):
    doctor, facility = desk.doctor(), desk.world.facility
    made = desk.booked(doctor, START)
    desk.carry()
    for operation, of, more in (
        ("list_unresolved_appointments", ("unresolved", facility), {}),
        ("list_appointment_requests", ("requests", facility, None), {}),
        ("list_patient_appointments", ("patient", made["patient_id"]), {"patient_id": made["patient_id"]}),
        ("list_appointment_changes", ("changes", facility, made["id"]), {"appointment_id": made["id"]}),
    ):
        got = desk.call(operation, query={"cursor": forged(of, keys)}, **more)
        assert (got.status, fields(got)) == (400, [("cursor", "cursor")]), (operation, got.body)
    of = (facility, desk.world.type, doctor, None)
    query = {"doctor_id": doctor, "appointment_type_id": desk.world.type, "cursor": forged(of, keys)}
    assert desk.call("find_free_places", query=query).status == 400


@pytest.mark.parametrize(
    "spoiled",
    [
        {"zone": "Europe/Nowhere"},
        {"zone": "Europe"},
        {"doctor_id": fresh()},
        {"facility_id": fresh()},
        {"version": 99},
        {"licence_expires_on": "2030-02-30"},
        {"closures": [{"id": fresh(), "scope": "doctor", "scope_id": fresh(), "starts_at": START, "ends_at": START}]},
        {"sessions": [session(valid_from=date.max.isoformat(), zone="Mars/Base")]},
    ],
)
def test_a_plan_that_is_none_is_422_and_the_one_of_now_stays(desk: Booking, spoiled):
    doctor = desk.doctor()
    written = desk.size()
    body = {"version": 2, "change_id": fresh(), "clashes": "refuse"}
    plan = {**desk.world.plans[doctor], "version": 2, **spoiled}
    assert desk.call("apply_plan", body=body | {"doctor": plan}, plan_id=doctor).status == 422
    assert desk.call("apply_plan", body=body | {"doctor": plan, "closures": []}, plan_id=doctor).status == 422
    assert desk.call("apply_plan", body=body, plan_id=doctor).status == 422
    assert desk.call("apply_plan", body=body, plan_id=doctor, role="doctor").status == 403
    assert desk.size() - written in (0, 1)
    desk.booked(doctor, START)

"""Where an appointment may lie: times that can be meant, plans, licences, closures and limits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from services.appointments import model
from services.kernel.errors import Forbidden, Invalid
from services.kernel.intervals import Interval
from tests.unit.appointments.making import (
    AT,
    CLERK,
    DOCTOR,
    FACILITY,
    HOUSE,
    LOCATION,
    ROOM,
    TYPE,
    asked,
    closure,
    number,
    plan,
    plan_body,
    session,
    spot,
)  # fmt: skip

BERLIN = ZoneInfo("Europe/Berlin")
TEN, ELEVEN = "2026-03-02T10:00:00+01:00", "2026-03-02T11:00:00+01:00"


def rules(error: Invalid) -> list[tuple[str | None, str]]:
    return [(each.pointer or each.parameter, each.rule) for each in error.errors]


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        ({}, "/starts_at", "one_of_starts_at_and_starts_local"),
        ({"starts_at": TEN, "starts_local": "2026-03-02T10:00"}, "/starts_at", "one_of_starts_at_and_starts_local"),
        ({"starts_at": "2026-03-02T10:00:01Z"}, "/starts_at", "whole_minutes"),
        ({"starts_at": "2026-03-02T10:00:00.5Z"}, "/starts_at", "whole_minutes"),
        ({"starts_at": "2026-02-30T10:00:00Z"}, "/starts_at", "format"),
        ({"starts_at": "9999-12-31T23:59:00Z"}, "/starts_at", "format"),
        ({"starts_at": "0001-01-01T00:00:00+01:00"}, "/starts_at", "format"),
        ({"starts_local": "2026-03-29T02:30"}, "/starts_local", "skipped_time"),
        ({"starts_local": "2026-10-25T02:30"}, "/starts_local", "repeated_time"),
        ({"starts_local": "2026-02-30T10:00"}, "/starts_local", "format"),
        ({"starts_local": "0001-01-01T00:00"}, "/starts_local", "format"),
    ],
)
def test_a_time_that_cannot_be_meant_is_named(body, pointer, rule):
    with pytest.raises(model.TimeInvalid) as refused:
        model.read_start(body, zone=BERLIN)
    assert rules(refused.value) == [(pointer, rule)]


@pytest.mark.parametrize(
    ("body", "utc"),
    [
        ({"starts_at": TEN}, "2026-03-02T09:00+00:00"),
        ({"starts_at": "2026-03-02T04:00:00-05:00"}, "2026-03-02T09:00+00:00"),
        ({"starts_local": "2026-03-02T10:00"}, "2026-03-02T09:00+00:00"),
        ({"starts_local": "2026-07-02T10:00"}, "2026-07-02T08:00+00:00"),
        ({"starts_at": "2026-10-25T02:30:00+01:00"}, "2026-10-25T01:30+00:00"),
    ],
)
def test_a_time_is_read_as_it_is_meant(body, utc):
    assert model.read_start(body, zone=BERLIN) == datetime.fromisoformat(utc)


@pytest.mark.parametrize(
    ("since", "until", "wrong"),
    [
        (TEN, TEN, ("until", "not_after_since")),
        (ELEVEN, TEN, ("until", "not_after_since")),
        (TEN, "2027-03-02T10:00:00Z", ("until", "period_too_long")),
        ("9999-12-31T23:59:00Z", None, ("since", "format")),
        (TEN, "2026-03-02T10:00:07+01:00", ("until", "whole_minutes")),
    ],
)
def test_a_period_that_cannot_be_meant_is_named(since, until, wrong):
    with pytest.raises(model.TimeInvalid) as refused:
        model.period(since, until, at=AT, usual=timedelta(days=7), longest=timedelta(days=62))
    assert rules(refused.value) == [wrong]


def test_a_period_of_which_nothing_is_said_is_the_usual_one_from_now():
    found = model.period(None, None, at=AT, usual=timedelta(days=7), longest=timedelta(days=62))
    assert found == Interval(AT, AT + timedelta(days=7))


@pytest.mark.parametrize(
    ("at", "rule"),
    [
        (datetime(2026, 3, 2, 9, 30, tzinfo=UTC), "not_in_past"),
        (datetime(2026, 3, 2, 9, 29, tzinfo=UTC), None),
        (AT - timedelta(days=401), "too_far_ahead"),
    ],
)
def test_what_is_over_and_what_is_too_far_ahead_is_refused_and_what_has_begun_is_not(at, rule):
    if rule is None:
        assert spot(at=at).time.start < at
        return
    with pytest.raises(model.TimeInvalid) as refused:
        spot(at=at)
    assert rules(refused.value) == [("/starts_at", rule)]


def test_what_is_over_is_entered_with_the_right_and_a_reason_within_the_window():
    late = asked(retro_reason="Power cut.")
    assert spot(late, at=AT + timedelta(days=20)).time.start.date() == date(2026, 3, 2)
    with pytest.raises(Forbidden):
        spot(late, at=AT + timedelta(days=20), actor=CLERK)
    with pytest.raises(model.TimeInvalid) as refused:
        spot(late, at=AT + timedelta(days=31))
    assert rules(refused.value) == [("/starts_at", "too_long_ago")]


@pytest.mark.parametrize(
    ("more", "start", "minutes", "fits"),
    [
        ({}, "2026-03-02T09:00:00+01:00", 30, True),
        ({}, "2026-03-02T16:30:00+01:00", 30, True),
        ({}, "2026-03-02T16:31:00+01:00", 30, False),
        ({}, "2026-03-02T08:59:00+01:00", 30, False),
        ({}, "2026-03-02T09:07:00+01:00", 11, True),
        ({}, "2026-03-03T10:00:00+01:00", 30, False),
        ({"starts": "22:00", "ends": "02:00"}, "2026-03-02T23:50:00+01:00", 30, True),
        ({"starts": "22:00", "ends": "02:00"}, "2026-03-03T01:30:00+01:00", 30, True),
        ({"starts": "22:00", "ends": "02:00"}, "2026-03-03T01:31:00+01:00", 30, False),
        ({"valid_from": "2026-03-03"}, TEN, 30, False),
        ({"valid_to": "2026-03-01"}, TEN, 30, False),
        ({"valid_to": "2026-03-02"}, TEN, 30, True),
        ({"appointment_type_ids": [str(number(99))]}, TEN, 30, False),
        ({"appointment_type_ids": [str(TYPE)]}, TEN, 30, True),
    ],
)
def test_a_place_lies_whole_within_a_session_for_its_type(more, start, minutes, fits):
    of, body = plan(session(**more)), asked(start, minutes=minutes)
    if fits:
        assert spot(body, of=of).time.length == timedelta(minutes=minutes)
        return
    with pytest.raises(model.OutsideSessions):
        spot(body, of=of)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"active": False}, "inactive"),
        ({"appointment_types": []}, "type_not_offered"),
        ({"licence_expires_on": "2026-03-01"}, "licence_expired"),
    ],
)
def test_a_doctor_who_may_not_is_not_booked(more, why):
    with pytest.raises(model.DoctorNotBookable) as refused:
        spot(of=plan(**more))
    assert refused.value.facts == {"why": why}


def test_a_licence_counts_through_its_last_day_and_a_type_for_staff_is_not_for_patients():
    assert spot(of=plan(licence_expires_on="2026-03-02"))
    inside = {"id": str(TYPE), "minutes": 30, "audience": "staff", "specialization_ids": []}
    of = plan(appointment_types=[inside])
    assert model.offered(of, TYPE).minutes == 30
    with pytest.raises(model.DoctorNotBookable):
        model.offered(of, TYPE, is_for_patients=True)


@pytest.mark.parametrize(
    ("scope", "id_", "is_closed"),
    [("doctor", DOCTOR, True), ("facility", FACILITY, True), ("location", LOCATION, True), ("resource", ROOM, True),
     ("location", number(22), False), ("resource", number(31), False)],
)  # fmt: skip
def test_a_closure_closes_what_it_is_about_and_touching_is_not_overlapping(scope, id_, is_closed):
    for since, until, meets in (
        (TEN, ELEVEN, True),
        ("2026-03-02T10:29:00+01:00", ELEVEN, True),
        (ELEVEN, "2026-03-02T12:00:00+01:00", False),
    ):
        shut = closure(scope, id_, since, until)
        of = plan(
            session(resource_ids=[str(ROOM)]), **{"closures" if scope == "doctor" else "facility_closures": [shut]}
        )
        if is_closed and meets:
            with pytest.raises(model.PlaceClosed):
                spot(of=of)
        else:
            assert spot(of=of).closed == (FACILITY, LOCATION, ROOM)


def test_a_device_that_is_closed_closes_what_asks_for_it():
    of = plan(facility_closures=[closure("resource", number(31), TEN, ELEVEN)])
    assert spot(of=of)
    with pytest.raises(model.PlaceClosed):
        spot(asked(resource_ids=[str(number(31))]), of=of)


def test_limits_are_of_the_session_that_it_lies_in_and_of_the_day_of_the_facility():
    of = plan(session(starts="22:00", ends="02:00", max_bookings=7), max_per_day=3)
    found = spot(asked("2026-03-03T01:00:00+01:00"), of=of).limits
    assert [(each.name, each.most) for each in found] == [("session", 7), ("doctor_day", 3)]
    assert found[0].period.start == datetime(2026, 3, 2, 21, tzinfo=UTC)
    assert found[1].period.start == datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert spot().limits == []


def test_windows_are_sessions_without_what_is_closed_in_as_few_as_possible():
    of = plan(
        session(), session(id=str(number(8)), starts="17:00", ends="18:00"),
        closures=[closure("doctor", DOCTOR, TEN, ELEVEN)],
    )  # fmt: skip
    found = list(of.windows(Interval(AT, AT + timedelta(days=1))))
    assert [(each.start.hour, each.end.hour) for each in found] == [(8, 9), (10, 17)]
    assert list(plan(active=False).windows(Interval(AT, AT + timedelta(days=1)))) == []


@pytest.mark.parametrize(
    "spoiled",
    [
        {"zone": "Mars/Base"},
        {"doctor_id": "x"},
        {"licence_expires_on": "2026-02-30"},
        {"sessions": [session(starts="9")]},
        {"closures": [closure("doctor", DOCTOR, TEN, TEN)]},
    ],
)
def test_a_plan_that_is_not_of_the_contract_cannot_be_read(spoiled):
    with pytest.raises((ValueError, ZoneInfoNotFoundError)):
        model.read_plan(plan_body() | spoiled)


def change(plan_id=DOCTOR, **more):
    body = {"version": 3, "change_id": str(number(40)), "clashes": "refuse", **more}
    return model.read_change(body, facility_id=FACILITY, plan_id=plan_id, at=AT, house=HOUSE)


def test_a_change_is_of_one_plan():
    away = closure("doctor", DOCTOR, TEN, ELEVEN)
    found = change(doctor=plan_body(closures=[away], facility_closures=[closure("facility", FACILITY, TEN, ELEVEN)]))
    assert [each.scope for each in found.closures] == ["doctor"]  # the facility's own stand in its plan
    assert found.is_refused_by_clashes
    assert change(FACILITY, closures=[closure("facility", FACILITY, TEN, ELEVEN)]).plan is None


@pytest.mark.parametrize(
    ("plan_id", "more"),
    [
        (DOCTOR, {}),
        (DOCTOR, {"closures": []}),
        (FACILITY, {"doctor": plan_body()}),
        (DOCTOR, {"doctor": plan_body(), "closures": []}),
        (DOCTOR, {"doctor": plan_body(version=4)}),
        (number(77), {"doctor": plan_body()}),
        (DOCTOR, {"doctor": plan_body(facility_id=str(number(78)))}),
        (DOCTOR, {"doctor": plan_body(zone="Europe")}),
        (FACILITY, {"closures": [closure("facility", FACILITY, ELEVEN, TEN)]}),
    ],
)
def test_a_change_that_is_of_none_or_of_another_plan_is_refused(plan_id, more):
    with pytest.raises(Invalid):
        change(plan_id, **more)

"""What the calendar draws: sessions without what is closed, times by one clock, and periods in parts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from frontend import schedule
from services.kernel.intervals import Interval

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 30)


def session(**changes: Any) -> dict[str, Any]:
    plain = {"location_id": "here", "resource_ids": ["room"], "weekday": 1, "starts": "08:00", "ends": "12:00"}
    return {**plain, "zone": "Europe/Berlin", "valid_from": "2020-01-01", "valid_to": None, **changes}


def closure(scope: str, of: str, starts: str, ends: str) -> dict[str, Any]:
    return {
        "scope": scope,
        "scope_id": of,
        "starts_at": f"2026-11-30T{starts}+01:00",
        "ends_at": f"2026-11-30T{ends}+01:00",
    }


def plan(*sessions: dict[str, Any], closures: Any = (), house: Any = (), active: bool = True) -> dict[str, Any]:
    made = {"doctor_id": "d", "active": active, "sessions": list(sessions)}
    return {**made, "closures": list(closures), "facility_closures": list(house)}


def seen(plans: list[dict[str, Any]], *, location: str = "", day: date = MONDAY) -> list[tuple[str, str, str]]:
    found = schedule.backdrop(plans, schedule.days(day, 1, zone=BERLIN), zone=BERLIN, location=location)
    return [(each["extendedProps"]["kind"], each["start"][11:16], each["end"][11:16]) for each in found]


def appointment(starts: str, ends: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": "a",
        "doctor_id": "d",
        "status": "booked",
        "version": 3,
        "starts_at": starts,
        "ends_at": ends,
        **changes,
    }


def test_sessions_that_meet_are_drawn_as_one() -> None:
    assert seen([plan(session(), session(starts="12:00", ends="14:00"))]) == [("hours", "08:00", "14:00")]


def test_leave_is_taken_out_of_a_session_and_drawn_as_such() -> None:
    leave = closure("doctor", "d", "09:00:00", "10:00:00")
    hours = [("hours", "08:00", "09:00"), ("hours", "10:00", "12:00"), ("away", "09:00", "10:00")]
    assert seen([plan(session(), closures=[leave])]) == hours


def test_a_closed_room_closes_only_the_sessions_in_it() -> None:
    shut = closure("resource", "room", "08:00:00", "12:00:00")
    other = session(starts="13:00", ends="15:00", resource_ids=[])
    assert seen([plan(session(), other, house=[shut])]) == [("hours", "13:00", "15:00")]


def test_only_sessions_at_a_place_are_drawn_where_one_is_looked_at() -> None:
    assert seen([plan(session(), session(starts="13:00", ends="15:00", location_id="there"))], location="there") == [
        ("hours", "13:00", "15:00")
    ]


def test_a_doctor_who_takes_no_appointments_has_no_hours() -> None:
    assert seen([plan(session(), active=False)]) == []


def test_a_night_is_drawn_on_both_of_its_days() -> None:
    night = plan(session(starts="22:00", ends="02:00"))
    assert seen([night]) == seen([night], day=MONDAY + timedelta(days=1)) == [("hours", "22:00", "02:00")]


def test_an_appointment_stands_at_the_time_that_the_place_shows() -> None:
    made = schedule.drawn(appointment("2026-11-30T08:00:00Z", "2026-11-30T08:30:00Z"), title="A", more="B", zone=BERLIN)
    assert (made["start"], made["end"]) == ("2026-11-30T09:00:00", "2026-11-30T09:30:00")


def test_an_appointment_over_which_clocks_are_put_back_keeps_its_length() -> None:
    late = appointment("2026-10-25T00:30:00Z", "2026-10-25T01:15:00Z")
    made = schedule.drawn(late, title="A", more="B", zone=BERLIN)
    assert (made["start"], made["end"]) == ("2026-10-25T02:30:00", "2026-10-25T03:15:00")


@pytest.mark.parametrize(("status", "can_move"), [("booked", True), ("pending", False), ("completed", False)])
def test_only_what_is_booked_can_be_moved(status: str, *, can_move: bool) -> None:
    found = appointment("2026-11-30T08:00:00Z", "2026-11-30T08:30:00Z", status=status)
    assert schedule.drawn(found, title="A", more="B", zone=BERLIN)["editable"] is can_move


def test_what_is_booked_over_is_marked() -> None:
    found = appointment("2026-11-30T08:00:00Z", "2026-11-30T08:30:00Z", overbook_reason="Urgent")
    assert "is-over" in schedule.drawn(found, title="A", more="B", zone=BERLIN)["classNames"]


def test_six_weeks_are_asked_for_in_two_parts_without_a_gap() -> None:
    whole = schedule.days(MONDAY, 42, zone=BERLIN)
    first, second = schedule.parts(whole)
    assert (first.start, first.end, second.end) == (whole.start, second.start, whole.end)
    assert max(first.length, second.length) <= timedelta(days=schedule.MOST_DAYS)


def test_a_day_on_which_clocks_are_put_back_has_an_hour_more() -> None:
    assert schedule.days(date(2026, 10, 25), 1, zone=BERLIN).length == timedelta(hours=25)


@pytest.mark.parametrize(
    ("local", "moment"),
    [
        ("2026-11-30T09:00", datetime(2026, 11, 30, 8, 0, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-11-30T09:00:00+02:00", datetime(2026, 11, 30, 7, 0, tzinfo=UTC)),
        ("tomorrow", None),
    ],
)
def test_a_time_on_the_clock_means_a_moment(local: str, moment: datetime | None) -> None:
    assert schedule.moment_of(local, BERLIN) == moment


def test_the_day_is_drawn_as_long_as_something_happens_in_it() -> None:
    whole = Interval(datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    early = schedule.backdrop([plan(session(starts="05:30", ends="12:00"))], whole, zone=BERLIN)
    assert (schedule.hours_of_day([]), schedule.hours_of_day(early)) == (("07:00", "19:00"), ("05:00", "19:00"))

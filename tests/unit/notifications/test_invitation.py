"""The entry for a calendar: one name for all versions of an appointment, one moment whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from services.notifications.model.invitation import invitation
from services.notifications.model.words import Topic
from tests.unit.notifications.making import APPOINTMENT, AT, FACTS, ORGANIZER, START, happening


def made(topic=Topic.BOOKED, **given):
    return invitation(
        happening(topic, **given),
        FACTS,
        summary="Appointment at Northgate Hospital",
        organizer=ORGANIZER,
        from_name="Northgate Hospital",
        name="Ada Example",
        email="ada@example.org",
    )


def entry(found):
    calendar = Calendar.from_ical(found.ics)
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == found.method
    assert (calendar["VERSION"], bool(calendar["PRODID"])) == ("2.0", True)
    return event


def test_an_appointment_is_made_moved_and_taken_back_under_one_name():
    booked, moved = made(version=1), made(Topic.MOVED, version=2, was_at=START)
    cancelled = made(Topic.CANCELLED, version=3)
    assert [each.method for each in (booked, moved, cancelled)] == ["REQUEST", "REQUEST", "CANCEL"]
    entries = [entry(each) for each in (booked, moved, cancelled)]
    assert {str(each["UID"]) for each in entries} == {str(APPOINTMENT)}
    assert [each["SEQUENCE"] for each in entries] == [1, 2, 3]
    assert [str(each["STATUS"]) for each in entries] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]


def test_a_request_that_was_declined_is_in_no_calendar():
    assert made(Topic.DECLINED) is None


@pytest.mark.parametrize(
    ("start", "clock"),
    [
        (datetime(2026, 3, 28, 8, 30, tzinfo=UTC), "09:30"),
        (datetime(2026, 3, 29, 7, 30, tzinfo=UTC), "09:30"),  # the day on which the clock was put forward
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "02:30"),  # the first and the second half past two
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "02:30"),
        (datetime(2026, 10, 26, 8, 30, tzinfo=UTC), "09:30"),
    ],
)
def test_the_moment_is_right_on_both_sides_of_a_change_of_the_clocks(start, clock):
    event = entry(made(starts_at=start, ends_at=start + timedelta(minutes=90)))
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (start, start + timedelta(minutes=90))
    assert f"{event.decoded('DTSTART').astimezone(ZoneInfo('Europe/Berlin')):%H:%M}" == clock


def test_it_says_who_invites_whom_to_where_and_nothing_of_what_it_is_about():
    event = entry(made())
    assert str(event["ORGANIZER"]) == f"mailto:{ORGANIZER}"
    assert event["ORGANIZER"].params["CN"] == "Northgate Hospital"
    assert str(event["ATTENDEE"]) == "mailto:ada@example.org"
    assert event["ATTENDEE"].params["CN"] == "Ada Example"
    assert event["LOCATION"] == "Building A, Northgate Hospital"
    assert event["SUMMARY"] == "Appointment at Northgate Hospital"
    assert event["CLASS"] == "PRIVATE"
    assert event.decoded("DTSTAMP") == AT
    assert {"DESCRIPTION", "COMMENT", "CATEGORIES"}.isdisjoint(event)


def test_lines_are_as_long_and_end_as_the_standard_says():
    raw = made().ics
    assert raw.endswith(b"\r\n")
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))

"""What waits for an answer: all of it, whoever has waited longest first, for whatever time was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.service import now
from tests.integration.appointments.making import Booking, a_call, at, monday, opened, session
from tests.integration.appointments.telling import entries
from tests.integration.appointments.test_reach import Staff


@pytest.fixture
def short(new_postgres, redis_url: str) -> Iterator[Booking]:
    """A booking desk that keeps what is over for a day only."""
    with opened(new_postgres(), redis_url, WINDOW_DAYS="1") as found:
        yield found


def waiting(desk: Booking, **query: Any) -> list[str]:
    """The ids of what waits, page by page."""
    found: list[str] = []
    while True:
        got = desk.call("list_appointment_requests", role="receptionist", query=query)
        assert got.status == 200, got.body
        found += [each["id"] for each in got.body["items"]]
        query["cursor"] = got.body["next_cursor"]
        if query["cursor"] is None:
            return found


def asked(desk: Booking, doctor: str, weeks: int, **more: Any) -> dict[str, Any]:
    """A request for a Monday in so many weeks."""
    got = desk.request(doctor, at(monday(weeks), "10:00"), **more)
    assert got.status == 201, got.body
    return dict(got.body)


def test_whoever_has_waited_longest_comes_first_for_whatever_time_it_is(desk: Booking):
    doctor, other = desk.doctor(session(weekday=1)), desk.doctor(session(weekday=1))
    made = [asked(desk, doctor, weeks) for weeks in (6, 2, 8, 1)] + [asked(desk, other, 3)]
    desk.booked(doctor, at(monday(1), "12:00"))
    desk.carry()
    assert waiting(desk, limit=2) == [each["id"] for each in made]
    assert waiting(desk, doctor_id=[other]) == [made[-1]["id"]]


def test_what_was_answered_waits_no_more_from_the_answer_on(desk: Booking):
    """The journal may not know it yet."""
    doctor = desk.doctor(session(weekday=1))
    approved, declined, cancelled, left = (asked(desk, doctor, weeks) for weeks in (1, 2, 3, 4))
    desk.carry()
    assert desk.act("approve_appointment", approved, role="receptionist").status == 200
    assert desk.act("decline_appointment", declined, {"reason": "No"}, role="receptionist").status == 200
    assert desk.act("cancel_appointment", cancelled, {"reason_code": "other"}).status == 200
    assert waiting(desk, limit=1) == [left["id"]]
    desk.carry()
    assert waiting(desk) == [left["id"]]


def test_a_request_that_has_left_the_records_waits_all_the_same(short: Booking):
    doctor = short.doctor(session(weekday=1))
    old = asked(short, doctor, 1)
    short.carry()
    short.carrier.tidy(a_call("tidy", at=now() + timedelta(days=400)))
    assert waiting(short) == [old["id"]]


def test_who_is_narrowed_to_another_place_sees_nothing_of_what_waits_here(desk: Booking):
    asked(desk, desk.doctor(session(weekday=1)), 1)
    desk.carry()
    elsewhere = Staff(desk, receptionist="01939c3e-0000-7000-8000-0000000000ee")
    assert elsewhere.does("list_appointment_requests").status == 404


def test_every_request_that_is_shown_stands_in_the_trail(desk: Booking):
    made = asked(desk, desk.doctor(session(weekday=1)), 1)
    desk.carry()
    waiting(desk)
    desk.carry()
    traces = [each for each in entries(desk) if each["operation"] == "list_appointment_requests"]
    own = [each for each in traces if made["patient_id"] in each["found"]]
    assert [(each["action"], each["found"]) for each in own] == [("search", [made["patient_id"]])]

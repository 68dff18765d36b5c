"""Places that are kept for a while: by the clock of the store, for one account, and without a trace afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import UUID

import pytest

from services.appointments.schema.keys import Keys
from tests.integration.appointments.contests import at_once, clean, statuses
from tests.integration.appointments.making import CLERK, OTHER, Booking, at, fresh, monday, opened, session
from tests.waiting import wait_for


@pytest.fixture
def brief(postgres_url: str, redis_url: str) -> Iterator[Booking]:
    """A booking desk where a hold lasts for less than a second."""
    with opened(postgres_url, redis_url, HOLD_MINUTES="0.01") as found:
        yield found


@pytest.mark.row("APT-06")
def test_a_held_place_is_taken_for_others_until_its_time_is_over(brief: Booking):
    """Who sleeps over the end of the hold comes too late, whatever it believes."""
    doctor, start = brief.doctor(), at(monday(), "10:00")
    held = brief.hold(doctor, start)
    assert held.status == 201, held.body
    seen = brief.free(doctor, monday())
    refused = brief.book(doctor, start, subject=OTHER)
    assert start not in seen
    assert (refused.status, refused.body["code"]) == (409, "place_taken")
    wait_for(lambda: brief.is_over(held.body["id"]))
    assert start in brief.free(doctor, monday())
    late = brief.book(doctor, start, hold_id=held.body["id"])
    assert (late.status, late.body["code"]) == (409, "hold_over")
    brief.booked(doctor, start, subject=OTHER)
    clean(brief)


def test_the_end_of_a_hold_is_of_the_clock_of_the_store(desk: Booking):
    """The clock of the service takes no part: the store adds the minutes to its own time."""
    held = desk.hold(desk.doctor(), at(monday(), "10:00"))
    end = desk.records.connection.hget(Keys(UUID(desk.world.facility)).record(UUID(held.body["id"])), "u")
    seconds, _ = desk.records.connection.time()
    assert 0 < int(end) - seconds * 1000 <= 300_000 + 1000


def test_who_holds_a_place_books_it_and_nobody_else_does(desk: Booking):
    doctor, start = desk.doctor(session(resource_ids=[fresh()])), at(monday(), "10:00")
    held = desk.hold(doctor, start).body["id"]
    stolen = desk.book(doctor, start, hold_id=held, subject=OTHER)
    assert (stolen.status, stolen.body["code"]) == (409, "hold_over")
    unknown = desk.book(doctor, start, hold_id=fresh())
    assert (unknown.status, unknown.body["code"]) == (409, "hold_over")
    made = desk.booked(doctor, start, hold_id=held)
    assert made["seat"] == 1
    assert desk.book(doctor, at(monday(), "11:00"), hold_id=held).body["code"] == "hold_over"
    clean(desk)


def test_a_hold_is_for_its_place_only(desk: Booking):
    doctor, other = desk.doctor(), desk.doctor()
    held = desk.hold(doctor, at(monday(), "10:00")).body["id"]
    for who, clock, minutes in ((doctor, "11:00", 30), (other, "10:00", 30), (doctor, "10:00", 60)):
        got = desk.book(who, at(monday(), clock), hold_id=held, minutes=minutes)
        assert (got.status, got.body["code"]) == (409, "hold_over")
    assert desk.booked(doctor, at(monday(), "10:10"), hold_id=held, minutes=20)
    clean(desk)


def test_an_account_keeps_five_places_and_a_moved_appointment_uses_one_up(desk: Booking):
    doctor = desk.doctor()
    clocks = ("09:00", "09:30", "10:00", "10:30", "11:00")
    held = [desk.hold(doctor, at(monday(), clock)).body["id"] for clock in clocks]
    sixth = desk.hold(doctor, at(monday(), "12:00"))
    assert (sixth.status, sixth.body["code"], sixth.body["facts"]) == (
        409, "limit_reached", {"limit": "holds", "maximum": 5},
    )  # fmt: skip
    made = desk.booked(doctor, at(monday(), "15:00"))
    moved = desk.act("reschedule_appointment", made, {"starts_at": at(monday(), "09:00"), "hold_id": held[0]})
    assert (moved.status, moved.body["starts_at"]) == (200, at(monday(), "09:00"))
    assert desk.hold(doctor, at(monday(), "12:00")).status == 201
    clean(desk)


def test_a_hold_is_given_back_once_and_by_its_holder(desk: Booking):
    doctor, start = desk.doctor(), at(monday(), "10:00")
    held = desk.hold(doctor, start).body["id"]
    assert desk.call("release_hold", hold_id=held, subject=OTHER).status == 404
    assert desk.call("release_hold", hold_id=fresh(), subject=CLERK).status == 404
    assert desk.call("release_hold", hold_id=held, subject=CLERK).status == 204
    assert desk.call("release_hold", hold_id=held, subject=CLERK).status == 404
    assert start in desk.free(doctor, monday())


def test_a_hold_that_ended_by_itself_leaves_nothing_in_the_schedules(brief: Booking):
    doctor = brief.doctor(session(resource_ids=[fresh()]))
    held = [brief.hold(doctor, at(monday(), clock)).body["id"] for clock in ("10:00", "10:30", "11:00")]
    wait_for(lambda: all(brief.is_over(each) for each in held))
    last = brief.hold(doctor, at(monday(), "12:00"), subject=OTHER).body["id"]
    wait_for(lambda: brief.is_over(last))
    final = brief.hold(doctor, at(monday(), "13:00"), subject=OTHER).body["id"]
    brief.call("release_hold", hold_id=final, subject=OTHER)
    tag = brief.world.facility.replace("-", "")
    left = [each for kind in "ardh" for each in brief.records.connection.scan_iter(match=f"{{{tag}}}:{kind}:*")]
    assert left == []


@pytest.mark.target("A-22")
@pytest.mark.timeout(600)
def test_when_a_hold_ends_one_of_a_hundred_gets_the_place(brief: Booking, rounds):
    for _ in range(rounds(full=50, short=2)):
        doctor, start = brief.doctor(), at(monday(), "10:00")
        held = brief.hold(doctor, start).body["id"]
        till = time.monotonic() + 0.55

        def claim(_: int, doctor=doctor, start=start, till=till):
            time.sleep(max(0.0, till - time.monotonic()))
            return brief.book(doctor, start, subject=OTHER)

        got, _ = at_once(100, claim)
        if 201 not in statuses(got):  # all came before the end
            wait_for(lambda held=held: brief.is_over(held))
            got, _ = at_once(100, lambda _, doctor=doctor, start=start: brief.book(doctor, start, subject=OTHER))
        assert statuses(got) == {201: 1, 409: 99}
        clean(brief)

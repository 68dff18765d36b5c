"""Booking, moving and cancelling on the real stores."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integration.appointments.making import Booking, at, fresh, monday, session, together


@pytest.mark.row("APT-01")
def test_a_booked_place_is_no_longer_free(desk: Booking):
    doctor, start = desk.doctor(), at(monday(), "10:00")
    before = free(desk, doctor)
    assert start in before
    got = desk.book(doctor, start, reason="Follow-up")
    assert got.status == 201, got.body
    assert (got.body["status"], got.body["seat"], got.body["starts_at"]) == ("booked", 1, start)
    assert got.headers["etag"] == '"1"'
    assert free(desk, doctor) == [each for each in before if each != start]
    read = desk.call("get_appointment", appointment_id=got.body["id"])
    assert read.body == got.body
    desk.carry()
    assert desk.violations() == []


def free(desk: Booking, doctor: str) -> list[str]:
    query = {
        "doctor_id": doctor,
        "appointment_type_id": desk.world.type,
        "since": at(monday(), "00:00"),
        "until": at(monday(), "23:00"),
    }
    got = desk.call("find_free_places", query=query)
    assert got.status == 200, got.body
    return [each["starts_at"] for each in got.body["items"]]


def test_a_taken_place_is_409_and_names_three_that_can_be_booked(desk: Booking):
    doctor, start = desk.doctor(), at(monday(), "10:00")
    desk.booked(doctor, start)
    got = desk.book(doctor, start)
    assert (got.status, got.body["code"]) == (409, "place_taken")
    offered = got.body["facts"]["alternatives"]
    assert [each["starts_at"] for each in offered] == [at(monday(), each) for each in ("09:00", "09:30", "10:30")]
    for each in offered:
        desk.booked(doctor, each["starts_at"])


@pytest.mark.row("APT-04")
@pytest.mark.parametrize(
    ("first", "minutes", "second", "more"),
    [("09:00", 30, "09:15", 30), ("23:50", 30, "00:05", 20), ("09:00", 45, "09:44", 5)],
)
def test_odd_durations_and_midnight_overlap_too(desk: Booking, first: str, minutes: int, second: str, more: int):
    doctor = desk.doctor(session(starts="23:00", ends="02:00"), session(starts="08:00", ends="12:00"))
    desk.booked(doctor, at(monday(), first), minutes=minutes)
    day = monday() + timedelta(days=1) if second < first else monday()
    got = desk.book(doctor, at(day, second), minutes=more)
    assert (got.status, got.body["code"]) == (409, "place_taken")


@pytest.mark.row("APT-02")
@pytest.mark.parametrize("capacity", [1, 4])
def test_as_many_get_a_place_as_there_are_however_they_come_to_it(desk: Booking, capacity: int):
    """A hundred book, thirty requests are approved, thirty appointments are moved: each time to one place, at once."""
    doctor = desk.doctor(session(capacity=capacity))
    elsewhere = desk.doctor(session(capacity=50))
    booked = together(100, lambda _: desk.book(doctor, at(monday(), "10:00")))
    asked = [desk.call("request_appointment", body=desk.wish(doctor, at(monday(), "11:00"))).body for _ in range(30)]
    approved = together(30, lambda number: desk.act("approve_appointment", asked[number]))
    others = [desk.booked(elsewhere, at(monday(), "12:00")) for _ in range(30)]
    to = {"starts_at": at(monday(), "12:00"), "doctor_id": doctor}
    moved = together(30, lambda number: desk.act("reschedule_appointment", others[number], to))
    for got in (booked, approved, moved):
        won = [each for each in got if each.status in {200, 201}]
        assert sorted(each.body["seat"] for each in won) == list(range(1, capacity + 1))
        assert {each.body["code"] for each in got if each not in won} == {"place_taken"}
    assert desk.violations() == []


def test_the_same_key_books_once(desk: Booking):
    doctor, start, patient = desk.doctor(), at(monday(), "10:00"), fresh()
    got = together(8, lambda _: desk.book(doctor, start, patient=patient, key="the-same-key"))
    assert {each.status for each in got} == {201}
    assert len({each.raw for each in got}) == 1
    other = desk.book(doctor, at(monday(), "11:00"), patient=patient, key="the-same-key")
    assert (other.status, other.body["code"]) == (422, "key_reused")


def test_moving_takes_the_new_place_and_gives_the_old_one_back(desk: Booking):
    doctor = desk.doctor()
    made = desk.booked(doctor, at(monday(), "10:00"))
    desk.booked(doctor, at(monday(), "11:00"))
    refused = desk.act("reschedule_appointment", made, {"starts_at": at(monday(), "11:00")})
    assert (refused.status, refused.body["code"]) == (409, "place_taken")
    moved = desk.act("reschedule_appointment", made, {"starts_at": at(monday(), "12:00")})
    assert (moved.status, moved.body["version"], moved.body["starts_at"]) == (200, 2, at(monday(), "12:00"))
    desk.booked(doctor, at(monday(), "10:00"))
    stale = desk.act("cancel_appointment", made, {"reason_code": "other"})
    desk.carry()
    assert stale.status == 412
    gone = desk.act("cancel_appointment", moved.body, {"reason_code": "other"})
    assert (gone.status, gone.body["status"], gone.body["seat"]) == (200, "cancelled", None)
    desk.booked(doctor, at(monday(), "12:00"))
    desk.carry()
    assert desk.violations() == []
    changes = desk.call("list_appointment_changes", appointment_id=made["id"]).body["items"]
    assert [each["what"] for each in changes] == ["cancel_appointment", "reschedule_appointment", "book_appointment"]

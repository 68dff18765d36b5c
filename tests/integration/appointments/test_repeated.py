"""Requests that are sent again: one effect, one answer."""

from __future__ import annotations

import pytest

from tests.integration.appointments import contests
from tests.integration.appointments.making import CLERK, Booking, at, fresh, monday, opened, plain, together


@pytest.mark.target("A-09")
@pytest.mark.timeout(600)
def test_each_of_many_requests_sent_five_times_at_once_books_once(desk: Booking, rounds):
    contests.same_keys(desk, requests=rounds(full=1000, short=100))


@pytest.mark.row("APT-07")
@pytest.mark.target("A-10")
def test_the_same_key_gives_the_same_appointment_and_for_another_body_nothing(desk: Booking):
    doctor, patient, key = desk.doctor(), fresh(), "one-key-for-one-thing"
    first = desk.book(doctor, at(monday(), "10:00"), patient=patient, key=key)
    again = desk.book(doctor, at(monday(), "10:00"), patient=patient, key=key)
    assert (first.status, again.status, again.body["id"]) == (201, 201, first.body["id"])
    assert "idempotency-replayed" not in first.headers
    assert (again.headers["idempotency-replayed"], again.headers["etag"]) == ("true", '"1"')
    written = desk.size()
    for clock in ("10:00", "11:00"):
        other = desk.book(doctor, at(monday(), clock), key=key)
        assert (other.status, other.body["code"]) == (422, "key_reused")
    assert desk.size() == written


@pytest.mark.target("A-11")
def test_the_same_key_of_another_account_or_facility_is_another_key(desk: Booking, postgres_url: str, redis_url: str):
    doctor, key = desk.doctor(), "a-key-that-two-have-made-up"
    first = desk.booked(doctor, at(monday(), "10:00"), key=key)
    other = desk.book(doctor, at(monday(), "11:00"), key=key, subject=fresh())
    assert (other.status, other.body["starts_at"]) == (201, at(monday(), "11:00"))
    taken = desk.book(doctor, at(monday(), "10:00"), key=key, subject=fresh())
    assert (taken.status, "id" in taken.body) == (409, False)
    with opened(postgres_url, redis_url) as elsewhere:
        there = elsewhere.booked(elsewhere.doctor(), at(monday(), "10:00"), key=key)
        assert there["id"] != first["id"]
    contests.clean(desk)


def test_every_kind_of_change_that_is_sent_again_gets_its_first_answer(desk: Booking):
    doctor = desk.doctor()
    made = desk.booked(doctor, at(monday(), "10:00"))
    asked = desk.request(doctor, at(monday(), "12:00")).body
    for operation, thing, body in (
        ("reschedule_appointment", made, {"starts_at": at(monday(), "11:00")}),
        ("cancel_appointment", made | {"version": 2}, {"reason_code": "other"}),
        ("mark_appointment_entered_in_error", made | {"version": 3}, {"reason": "A namesake."}),
        ("approve_appointment", asked, None),
        ("set_appointment_status", asked | {"version": 2}, {"to": "arrived"}),
    ):
        first = desk.act(operation, thing, body, key=f"key-of-{operation}")
        assert first.status == 200, first.body
        again = together(3, lambda _, what=(operation, thing, body): desk.act(*what, key=f"key-of-{what[0]}"))
        for each in again:
            assert (each.status, plain(each.body), each.headers["etag"]) == (
                200, plain(first.body), first.headers["etag"],
            )  # fmt: skip
    contests.clean(desk)


def test_a_repeated_booking_is_not_decided_on_again(desk: Booking):
    doctor, patient, key = desk.doctor(), fresh(), "booked-before-all-this"
    first = desk.booked(doctor, at(monday(), "10:00"), patient=patient, key=key)
    desk.world.standings[patient] = "deceased"
    desk.world.doctor(doctor=doctor, active=False)
    assert desk.apply(doctor, clashes="keep").status == 200
    again = desk.book(doctor, at(monday(), "10:00"), patient=patient, key=key)
    assert (again.status, again.body) == (201, first)


def test_a_repeated_hold_is_the_same_hold(desk: Booking):
    doctor = desk.doctor()
    held = together(4, lambda _: desk.hold(doctor, at(monday(), "10:00"), key="one-hold"))
    assert {each.status for each in held} == {201}
    assert len({plain(each.body) for each in held}) == 1
    assert desk.call("release_hold", hold_id=held[0].body["id"], subject=CLERK).status == 204
    assert at(monday(), "10:00") in desk.free(doctor, monday())

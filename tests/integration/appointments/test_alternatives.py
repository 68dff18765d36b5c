"""A refusal that is about a place names the three nearest that can really be had: each of them is booked here."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integration.appointments.contests import clean
from tests.integration.appointments.making import Booking, at, fresh, monday, opened, session


def alternatives(refused, code: str) -> list[str]:
    """The starts that a refusal names."""
    assert (refused.status, refused.body["code"]) == (409, code), refused.body
    offered = refused.body["facts"]["alternatives"]
    assert len(offered) == 3
    return [each["starts_at"] for each in offered]


def weekly(**more) -> list[dict]:
    return [session(weekday=day, **more) for day in range(1, 8)]


def closure(scope: str, scope_id: str, since: str, until: str) -> dict:
    return {"id": fresh(), "scope": scope, "scope_id": scope_id, "starts_at": since, "ends_at": until}


@pytest.mark.row("APT-27")
def test_every_refusal_about_a_place_names_three_that_can_be_booked(desk: Booking):
    taken, start = desk.doctor(), at(monday(), "10:00")
    desk.booked(taken, start)
    for each in alternatives(desk.book(taken, start), "place_taken"):
        desk.booked(taken, each)

    outside = desk.doctor(*weekly())
    for each in alternatives(desk.book(outside, at(monday(), "08:00")), "outside_sessions"):
        desk.booked(outside, each)

    away = desk.doctor(*weekly())
    leave = closure("doctor", away, at(monday(), "09:00"), at(monday(), "16:00"))
    desk.doctor(*desk.world.plans[away]["sessions"], doctor=away, closures=[leave])
    for each in alternatives(desk.book(away, at(monday(), "15:00")), "place_closed"):
        desk.booked(away, each)

    patient, one, other = fresh(), desk.doctor(*weekly()), desk.doctor(*weekly())
    desk.booked(one, start, patient=patient, minutes=60)
    for each in alternatives(desk.book(other, start, patient=patient), "patient_busy"):
        desk.booked(other, each, patient=patient)

    desk.hold(one, at(monday(), "13:00"))
    for each in alternatives(desk.book(one, at(monday(), "13:00"), subject="other"), "place_taken"):
        desk.booked(one, each, subject="other")
    for each in alternatives(desk.book(one, at(monday(), "16:00"), hold_id=fresh()), "hold_over"):
        desk.booked(one, each)
    clean(desk)


def test_a_room_or_device_that_is_taken_is_free_at_the_places_that_are_named(desk: Booking):
    room, device = fresh(), fresh()
    one, other = desk.doctor(*weekly(resource_ids=[room])), desk.doctor(*weekly(resource_ids=[room]))
    desk.booked(one, at(monday(), "10:00"))
    for each in alternatives(desk.book(other, at(monday(), "10:00")), "resource_taken"):
        desk.booked(other, each)
    third = desk.doctor(*weekly())
    desk.booked(third, at(monday(), "13:00"), resource_ids=[device], minutes=90)
    fourth = desk.doctor(*weekly())
    refused = desk.book(fourth, at(monday(), "13:00"), resource_ids=[device])
    for each in alternatives(refused, "resource_taken"):
        desk.booked(fourth, each, resource_ids=[device])
    clean(desk)


def test_a_device_that_is_closed_is_not_offered(desk: Booking):
    device = fresh()
    closed = [closure("resource", device, at(monday(), "09:00"), at(monday(), "12:00"))]
    assert desk.close(*closed, version=1).status == 200
    doctor = desk.doctor(*weekly(), facility_version=1, facility_closures=closed)
    refused = desk.book(doctor, at(monday(), "11:00"), resource_ids=[device])
    for each in alternatives(refused, "place_closed"):
        desk.booked(doctor, each, resource_ids=[device])
    clean(desk)


def test_where_a_limit_is_reached_the_places_are_beyond_it(desk: Booking):
    patient, doctor = fresh(), desk.doctor(*weekly(starts="08:00", ends="18:00"), max_per_day=6)
    for clock in ("08:00", "09:00", "10:00", "11:00", "12:00"):
        desk.booked(doctor, at(monday(), clock), patient=patient)
    refused = desk.book(doctor, at(monday(), "15:00"), patient=patient)
    assert refused.body["facts"]["limit"] == "patient_day"
    for each in alternatives(refused, "limit_reached")[:2]:
        desk.booked(doctor, each, patient=patient)
    desk.booked(doctor, at(monday(), "13:00"))
    refused = desk.book(doctor, at(monday(), "16:00"))
    assert refused.body["facts"]["limit"] == "doctor_day"
    for each in alternatives(refused, "limit_reached"):
        desk.booked(doctor, each)
    night = desk.doctor(*weekly(starts="20:00", ends="06:00", max_bookings=2))
    for clock in ("20:00", "21:00"):
        desk.booked(night, at(monday(), clock))
    refused = desk.book(night, at(monday() + timedelta(days=1), "05:00"))
    assert refused.body["facts"]["limit"] == "session"
    for each in alternatives(refused, "limit_reached")[:2]:
        desk.booked(night, each)
    clean(desk)


def test_where_a_limit_is_reached_everywhere_no_place_is_named(postgres_url: str, redis_url: str):
    with opened(postgres_url, redis_url, OPEN_PER_PATIENT="1", HOLDS_PER_ACCOUNT="1") as desk:
        doctor, patient = desk.doctor(), fresh()
        desk.booked(doctor, at(monday(), "10:00"), patient=patient)
        refused = desk.book(doctor, at(monday(), "11:00"), patient=patient)
        assert refused.body["facts"] == {"limit": "open_per_patient", "maximum": 1}
        desk.hold(doctor, at(monday(), "12:00"))
        assert desk.hold(doctor, at(monday(), "13:00")).body["facts"] == {"limit": "holds", "maximum": 1}


def test_a_move_that_is_refused_names_places_to_which_it_can_be_moved(desk: Booking):
    doctor = desk.doctor(*weekly())
    made = desk.booked(doctor, at(monday(), "09:00"), minutes=60)
    desk.booked(doctor, at(monday(), "10:00"), minutes=90)
    refused = desk.act("reschedule_appointment", made, {"starts_at": at(monday(), "10:00")})
    starts = alternatives(refused, "place_taken")
    assert at(monday(), "09:00") in starts  # where it stands is free for it
    for each in starts:
        moved = desk.act("reschedule_appointment", made, {"starts_at": each})
        assert moved.status == 200, moved.body
        made = moved.body
    clean(desk)


def test_what_is_left_out_of_a_move_stays_as_it_is(desk: Booking):
    device, room = fresh(), fresh()
    doctor, other = desk.doctor(*weekly(resource_ids=[room])), desk.doctor(*weekly())
    made = desk.booked(doctor, at(monday(), "09:00"), minutes=50, resource_ids=[device])
    moved = desk.act("reschedule_appointment", made, {"starts_at": at(monday(), "11:00")}).body
    assert (moved["resource_ids"], moved["minutes"]) == ([room, device], 50)
    assert desk.book(other, at(monday(), "11:20"), resource_ids=[device]).body["code"] == "resource_taken"
    desk.booked(other, at(monday(), "09:00"), resource_ids=[device])
    elsewhere = desk.act("reschedule_appointment", moved, {"doctor_id": other, "starts_at": at(monday(), "13:00")}).body
    assert elsewhere["resource_ids"] == [device]
    clean(desk)

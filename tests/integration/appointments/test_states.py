"""How all appointments of a facility stand: each once, in one place for ever, without whose it is."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from services.appointments.repository.carrying import Carrier
from services.chassis.service import now
from tests.integration.appointments.making import Booking, a_call, at, fresh, monday, opened, session

_STATE = {
    "id", "facility_id", "doctor_id", "location_id", "appointment_type_id", "status", "starts_at", "ends_at", "zone",
    "late_cancelled", "changed_at", "version",
}  # fmt: skip


def page(desk: Booking, **query: Any) -> dict[str, Any]:
    got = desk.call("list_appointment_states", role="service", query=query)
    assert got.status == 200, got.body
    return dict(got.body)


def test_each_appointment_stands_in_the_list_once_whatever_happens_while_it_is_read(desk):
    doctor, chance = desk.doctor(session(capacity=9, weekday=1)), random.Random(1)
    made = [desk.booked(doctor, at(monday(), f"{9 + n // 4:02}:{n % 4 * 15:02}"), minutes=15) for n in range(12)]
    desk.carry()
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 5}
    while True:
        read = page(desk, **query)
        found += read["items"]
        if read["next_cursor"] is None:
            break
        query["cursor"] = read["next_cursor"]
        before = made.pop(chance.randrange(len(made)))  # whichever it is: before or behind the place that is read
        moved = desk.act("reschedule_appointment", before, {"starts_at": at(monday(2), "09:00"), "minutes": 15})
        assert moved.status == 200, moved.body
        desk.booked(doctor, at(monday(3), "09:00"), minutes=15)
        desk.carry()

    ids = [each["id"] for each in found]
    assert ids == sorted(set(ids))
    assert set(ids) >= {each["id"] for each in made}
    assert len(ids) >= 12


def test_a_state_shows_how_it_stands_and_not_whose_it_is(desk):
    doctor, patient = desk.doctor(session(weekday=1)), fresh()
    made = desk.booked(doctor, at(monday(), "09:00"), patient=patient, reason="Follow-up")
    done = desk.act("cancel_appointment", made, {"reason_code": "other", "note": "ill"}).body
    desk.carry()

    (state,) = page(desk)["items"]

    assert set(state) == _STATE
    assert state == {name: done[name] for name in _STATE}
    assert patient not in str(state)


def test_old_appointments_are_in_the_list_too_and_those_of_other_facilities_are_not(desk, postgres_url, redis_url):
    doctor = desk.doctor(session(weekday=1))
    old = desk.booked(doctor, at(monday(-2), "09:00"), retro_reason="Entered afterwards.")
    desk.carry()
    Carrier(desk.records, desk.journal, window=timedelta(days=1), clock=now).tidy(a_call("tidy"))
    with opened(postgres_url, redis_url) as other:
        theirs = other.booked(other.doctor(session(weekday=1)), at(monday(), "09:00"))
        other.carry()
        assert [each["id"] for each in page(other)["items"]] == [theirs["id"]]
    assert [each["id"] for each in page(desk)["items"]] == [old["id"]]

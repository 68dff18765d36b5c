"""The auditor finds each kind of wrong, in records that somebody has changed behind the back of the service."""

from __future__ import annotations

from uuid import UUID

import orjson
import pytest
from prometheus_client import REGISTRY

from services.appointments.repository import arguments, packing
from services.appointments.schema.keys import Keys
from tests.integration.appointments.contests import clean
from tests.integration.appointments.making import Booking, a_call, at, fresh, monday, session

MOST_LOOKS = 500


def keys(desk: Booking) -> Keys:
    """Those of the facility."""
    return Keys(UUID(desk.world.facility))


def stands(desk: Booking, appointment: dict) -> list[tuple[str, str, int]]:
    """Where an appointment stands now: keys, members and their places in the order."""
    data = desk.records.connection.hget(keys(desk).record(UUID(appointment["id"])), "d")
    record = packing.read(orjson.loads(data))
    return [
        (key, entry.member(record.id), entry.first)
        for entry in arguments.entries(keys(desk), record)
        for key in entry.keys
    ]


def spoil(desk: Booking, appointment: dict, **changed: object) -> None:
    """Another record than was booked, which its schedules agree with."""
    connection, name = desk.records.connection, keys(desk).record(UUID(appointment["id"]))
    for key, member, _ in stands(desk, appointment):
        connection.zrem(key, member)
    connection.hset(name, "d", orjson.dumps({**orjson.loads(connection.hget(name, "d")), **changed}))
    for key, member, place in stands(desk, appointment):
        connection.zadd(key, {member: place})


def found(desk: Booking) -> set[tuple[str, frozenset[str]]]:
    """What the auditor says: invariants with the appointments that show them."""
    return {(each.invariant, frozenset(map(str, each.appointments))) for each in desk.violations()}


def counted() -> float:
    """How often a number that was given twice has been counted."""
    value = REGISTRY.get_sample_value("infirmary_invariant_violations_total", {"invariant": "I1"})
    return value or 0.0


@pytest.fixture
def two(desk: Booking) -> tuple[dict, dict]:
    """Two appointments at one time, in one session of two places with a room."""
    doctor, start = desk.doctor(session(capacity=2, resource_ids=[fresh()])), at(monday(), "10:00")
    return desk.booked(doctor, start), desk.booked(doctor, start)


def test_one_number_given_twice_is_found(desk: Booking, two):
    clean(desk)
    spoil(desk, two[1], seat=two[0]["seat"])
    assert found(desk) == {("I1", frozenset({two[0]["id"], two[1]["id"]}))}


def test_a_number_beyond_the_capacity_is_found(desk: Booking, two):
    spoil(desk, two[1], seat=3)
    assert found(desk) == {("I3", frozenset({two[1]["id"]}))}


def test_a_room_in_two_sessions_at_a_time_is_found(desk: Booking, two):
    spoil(desk, two[1], session_id=fresh())
    assert found(desk) == {("I1", frozenset({two[0]["id"], two[1]["id"]}))}


def test_a_patient_in_two_places_at_a_time_is_found_but_for_a_reason(desk: Booking, two):
    spoil(desk, two[1], patient_id=two[0]["patient_id"])
    assert found(desk) == {("I2", frozenset({two[0]["id"], two[1]["id"]}))}
    spoil(desk, two[1], overlap_reason="interpreter")
    assert found(desk) == set()


def test_what_lies_on_two_days_is_found_once(desk: Booking):
    doctor = desk.doctor(session(starts="22:00", ends="02:00", capacity=2, slot_minutes=60))
    one, other = (desk.booked(doctor, at(monday(), "23:30")) for _ in range(2))
    spoil(desk, other, seat=one["seat"])
    assert len(desk.violations()) == 1


def test_a_schedule_without_the_record_and_a_record_without_its_schedule_are_found(desk: Booking, two):
    connection, (key, member, place) = desk.records.connection, stands(desk, two[0])[0]
    connection.zrem(key, member)
    assert found(desk) == {("index", frozenset({two[0]["id"]}))}
    connection.zadd(key, {member: place})
    gone = UUID(fresh())
    connection.zadd(key, {member.replace(UUID(two[0]["id"]).hex, gone.hex): place})
    assert found(desk) == {("index", frozenset({str(gone)}))}


def test_a_version_of_which_nothing_was_told_is_found(desk: Booking, two):
    desk.carry()
    name = keys(desk).record(UUID(two[0]["id"]))
    data = orjson.loads(desk.records.connection.hget(name, "d"))
    desk.records.connection.hset(name, mapping={"v": 2, "d": orjson.dumps({**data, "version": 2})})
    assert found(desk) == {("I6", frozenset({two[0]["id"]}))}


def test_a_look_that_goes_on_comes_round_to_everything(desk: Booking, two):
    """What the timed look does: a few keys at a time, so that a house with many needs no more room."""
    spoil(desk, two[1], seat=two[0]["seat"])
    before, looks = counted(), 0
    while counted() < before + 2:  # twice, so it begins anew after the last
        looks += 1
        assert looks < MOST_LOOKS
        desk.auditor.look_on(a_call("look"), most=1)
    assert looks > 2

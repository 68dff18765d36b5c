"""The reading model follows what happens, in whatever order and however often it is told."""

from __future__ import annotations

import itertools
import random
from datetime import date
from typing import Any

import pytest

from services.chassis.service import new_id, now
from tests.integration.reports import oracle
from tests.integration.reports.making import Reports, envelope, event_of, histories
from tests.waiting import wait_for

GROUPS = ("day", "doctor", "specialization", "status")
COLUMNS = {"day": "day", "doctor": "doctor_id", "specialization": "specialization_id", "status": "status"}


def clinic(reports: Reports) -> tuple[list[str], list[str], list[str]]:
    """Facilities, specializations and doctors: with none, with one and with several specializations."""
    facilities = [reports.facility() for _ in range(2)]
    cardiology, surgery, other = (reports.specialization(name) for name in ("Cardiology", "Surgery", "Other"))
    doctors = [
        reports.doctor(),
        reports.doctor(cardiology),
        reports.doctor(cardiology, surgery),
        reports.doctor(other, surgery),
    ]
    return facilities, [cardiology, surgery, other], doctors


def told_in_disorder(reports: Reports, lives: list[list[dict[str, Any]]], chance: random.Random) -> None:
    """All versions of all appointments, some twice, in any order; their owner states the last ones."""
    for life in lives:
        reports.owners.appointments[life[-1]["id"]] = life[-1]
    events = [event_of(state, kind=_kind(life, n)) for life in lives for n, state in enumerate(life)]
    events += chance.sample(events, len(events) // 3)
    chance.shuffle(events)
    reports.publish(*events)


def _kind(life: list[dict[str, Any]], n: int) -> str | None:
    is_move = n > 0 and life[n]["status"] == life[n - 1]["status"] == "booked"
    return "rescheduled" if is_move else None


@pytest.mark.parametrize("seed", range(2))
def test_figures_are_those_of_a_slow_count_whatever_the_order_and_the_repeats(reports, seed):
    chance = random.Random(seed)
    facilities, specializations, doctors = clinic(reports)
    lives = histories(chance, count=150, facilities=facilities, doctors=doctors)
    told_in_disorder(reports, lives, chance)
    reports.change_doctor(doctors[1], specialization_ids=[specializations[0], specializations[2]])
    reports.follow(consumers=2)

    held = {id_: each["specialization_ids"] for id_, each in reports.owners.doctors.items()}
    states, first, last = [life[-1] for life in lives], date(2026, 1, 1), date(2026, 12, 31)
    filters: list[dict[str, list[str]]] = [
        {},
        {"status": ["completed", "no_show", "entered_in_error"]},
        {"doctor_id": doctors[1:3]},
        {"specialization_id": specializations[:1]},
        {"specialization_id": specializations[1:], "doctor_id": doctors[2:], "status": ["booked"]},
    ]
    for size in range(len(GROUPS) + 1):
        for group_by, only in itertools.product(itertools.combinations(GROUPS, size), filters):
            asked: dict[str, Any] = {"facility": facilities[0], "first": first, "last": last, "only": only}
            wanted = oracle.counted(states, held, group_by=group_by, **asked)
            found = reports.report(facility_id=facilities[0], group_by=list(group_by), **only)
            keys = [tuple(row[COLUMNS[name]] for name in GROUPS if name in group_by) for row in found["rows"]]
            counts = [row["appointments"] for row in found["rows"]]
            assert {k: c for k, c in zip(keys, counts, strict=True) if c} == dict(wanted), (group_by, only)
            total = sum(oracle.is_wanted(each, held, **asked) for each in states)
            assert found["total"]["appointments"] == total
            assert found["adds_up"] == ("specialization" not in group_by)
            assert not found["adds_up"] or sum(counts) == total


@pytest.mark.parametrize("seed", range(2))
def test_rates_are_those_of_a_slow_count(reports, seed):
    chance = random.Random(seed)
    facilities, _, doctors = clinic(reports)
    lives = histories(chance, count=150, facilities=facilities, doctors=doctors)
    told_in_disorder(reports, lives, chance)
    reports.follow(consumers=2)

    states = [life[-1] for life in lives if life[-1]["facility_id"] == facilities[0]]
    found = reports.report("get_attendance_rates", facility_id=facilities[0], group_by=["doctor"])

    of_all = oracle.outcomes(states)
    assert {name: found["total"][name] for name in of_all} == of_all
    for row in found["rows"]:
        wanted = oracle.outcomes(each for each in states if each["doctor_id"] == row["doctor_id"])
        assert {name: row[name] for name in wanted} == wanted
        came, missed, late = wanted.values()
        assert (row["no_show_rate"]["numerator"], row["no_show_rate"]["denominator"]) == (missed, came + missed)
        assert row["late_cancel_rate"]["denominator"] == came + missed + late
        if came + missed:
            assert abs(float(row["no_show_rate"]["percent"]) - 100 * missed / (came + missed)) <= 0.05 + 1e-9
    assert sum(row["attended"] for row in found["rows"]) == of_all["attended"]


def test_an_event_that_nobody_can_handle_does_not_stop_the_others(reports):
    facility, doctor = reports.facility(), reports.doctor()
    first = reports.appointment(facility, doctor, "2026-03-02T09:00")
    poison = {**first, "id": str(new_id()), "zone": "Nowhere/At_All"}
    reports.publish(event_of(poison))
    for n in range(50):
        reports.appointment(facility, doctor, f"2026-03-03T{9 + n // 6:02}:{n % 6 * 10:02}")
    reports.follow(consumers=2)

    assert reports.report(facility_id=facility)["total"] == {"appointments": 51}
    (letter,) = reports.bus.xrange("dead.reports")
    assert letter[1]["event_id"] == str(next(each.id for each in reports.told if poison["id"] in each.event))
    reports.run("reports_look")
    assert reports.report(facility_id=facility)["as_of"]["is_behind"], "an appointment is missing in the figures"


def test_an_event_that_does_not_say_where_it_is_makes_the_reader_ask(reports):
    facility, doctor = reports.facility(), reports.doctor()
    state = reports.appointment(facility, doctor, "2026-03-02T23:30", zone="America/New_York")
    names = ("facility_id", "doctor_id", "appointment_type_id", "status", "starts_at")
    data = {name: state[name] for name in names} | {"patient_id": str(new_id())}
    reports.bus.flushdb()
    reports.publish(envelope("appointments", "appointments.booked.v1", state["id"], version=1, at=now(), data=data))
    reports.follow()

    (row,) = reports.report(facility_id=facility, group_by=["day"])["rows"]
    assert row == {"day": "2026-03-02", "appointments": 1}
    asked = [each for each in reports.owners.peer.requests if state["id"] in each.target]
    assert {each.headers["authorization"] for each in asked} == {"Bearer service@reports"}


def test_a_specialization_that_was_deleted_does_not_come_back_with_late_news(reports):
    made = reports.specialization("Cardiology")
    reports.follow()
    del reports.owners.specializations[made]
    reports.tell("doctors", "doctors.specialization_changed.v1", made, version=2, active=False)
    reports.follow()
    reports.owners.specializations[made] = {"id": made, "version": 1, "name": "Cardiology", "active": True}
    reports.tell("doctors", "doctors.specialization_changed.v1", made, version=1, active=True)
    reports.follow()

    (row,) = reports.rows("specializations_0")
    assert (row["is_deleted"], row["version"]) == (True, 2)


def test_figures_follow_the_doctor_also_for_what_is_past(reports):
    facility, cardiology, surgery = reports.facility(), reports.specialization("Heart"), reports.specialization("Knife")
    doctor = reports.doctor(cardiology)
    reports.appointment(facility, doctor, "2026-01-05T09:00", status="completed")
    reports.follow()
    assert names(reports, facility) == {"Heart": 1}

    reports.change_doctor(doctor, specialization_ids=[cardiology, surgery])
    reports.follow()
    assert names(reports, facility) == {"Heart": 1, "Knife": 1}
    assert reports.report(facility_id=facility, group_by=["specialization"])["total"] == {"appointments": 1}


def names(reports: Reports, facility: str) -> dict[str, int]:
    rows = reports.report(facility_id=facility, group_by=["specialization"])["rows"]
    return {row["specialization_name"]: row["appointments"] for row in rows}


def test_what_cannot_be_asked_waits_and_is_done_when_its_owner_is_back(reports):
    facility = reports.facility()
    reports.owners.away.add("doctors")
    doctor = reports.doctor(name="Late")
    reports.appointment(facility, doctor, "2026-01-05T09:00")
    with reports.reading():
        asked = lambda: any("/doctors/" in each.target for each in reports.owners.peer.requests)  # noqa: E731
        wait_for(asked, what="the doctor is asked for")
        wait_for(lambda: not reports.waits("events.appointments"), what="appointments are read meanwhile")
        (row,) = reports.report(facility_id=facility, group_by=["doctor"])["rows"]
        assert row["doctor_name"] is None
        reports.owners.away.clear()
        reports.wait_until_read()
    (row,) = reports.report(facility_id=facility, group_by=["doctor"])["rows"]
    assert row["doctor_name"] == "Dr. Ada Late"

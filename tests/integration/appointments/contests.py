"""Bodies of tests in which many want the same at once; a store that checks first and writes later loses them all."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from services.chassis.testing import Got
from tests.integration.appointments.making import BERLIN, Booking, at, fresh, monday, plain, session, together


def clean(desk: Booking) -> None:
    """Everything that must be true is true, in the records and once they are carried into the journal."""
    assert desk.violations() == []
    desk.carry()
    assert desk.violations() == []


def statuses(got: list[Got]) -> Counter[int]:
    """How many answered how."""
    return Counter(each.status for each in got)


def at_once(count: int, run: Any) -> tuple[list[Got], list[float]]:
    """Run so many at the same moment; the answers, and how long each took in seconds."""
    barrier, took = threading.Barrier(count), [0.0] * count

    def one(index: int) -> Got:
        barrier.wait()
        started = time.monotonic()
        got = run(index)
        took[index] = time.monotonic() - started
        return got

    return together(count, one), took


def one_place(desk: Booking, *, clients: int) -> list[float]:
    """One place, many clients, each with a patient of its own."""
    doctor, start = desk.doctor(), at(monday(), "10:00")
    got, took = at_once(clients, lambda _: desk.book(doctor, start))
    assert statuses(got) == {201: 1, 409: clients - 1}
    assert [each["starts_at"] for each in desk.listed(at(monday(), "00:00"), at(monday(), "23:59"))].count(start) >= 1
    clean(desk)
    return took


def overlapping(desk: Booking, *, clients: int, each_does: int, seed: int) -> None:
    """Fifty intervals of one doctor that overlap partly: what was answered 201 stands, and nothing else."""
    doctor, chance = desk.doctor(), random.Random(seed)
    midnight = datetime.combine(monday(), datetime.min.time(), BERLIN)
    wanted = [
        (midnight + timedelta(minutes=chance.randrange(9 * 60, 16 * 60)), chance.choice((5, 10, 15, 25, 40)))
        for _ in range(50)
    ]
    picks = [[chance.choice(wanted) for _ in range(each_does)] for _ in range(clients)]

    def one(index: int) -> list[Got]:
        return [desk.book(doctor, start.isoformat(), minutes=minutes) for start, minutes in picks[index]]

    got = [each for some in together(clients, one) for each in some]
    assert set(statuses(got)) <= {201, 409}
    told = {each.body["id"] for each in got if each.status == 201}
    there = desk.listed(at(monday(), "00:00"), at(monday(), "23:59"))
    assert {each["id"] for each in there if each["doctor_id"] == doctor} == told
    clean(desk)


def one_place_for_many_requests(desk: Booking, *, requests: int, staff: int) -> None:
    """Many requests wait for one place, and some of the staff approve at the same time."""
    doctor, start = desk.doctor(), at(monday(), "10:00")
    with ThreadPoolExecutor(staff) as pool:
        asked = list(pool.map(lambda _: desk.request(doctor, start), range(requests)))
    assert statuses(asked) == {201: requests}
    bodies = [each.body for each in asked]

    def one(index: int) -> list[Got]:
        return [desk.act("approve_appointment", body) for body in bodies[index::staff]]

    with ThreadPoolExecutor(staff) as pool:
        got = [each for some in pool.map(one, range(staff)) for each in some]
    assert statuses(got) == {200: 1, 409: requests - 1}
    now = [desk.read(body).body["status"] for body in bodies]
    assert Counter(now) == {"booked": 1, "pending": requests - 1}
    clean(desk)


def same_keys(desk: Booking, *, requests: int, copies: int = 5, places: int = 50) -> None:
    """Each request is sent several times at once with the same key: booked once, and all answers are the same."""
    doctor = desk.doctor(*(session(weekday=day, starts="00:00", ends="23:59", capacity=places) for day in range(1, 8)))
    midnight = datetime.combine(monday(), datetime.min.time(), BERLIN)
    sent = [
        (f"key-{fresh()}", fresh(), (midnight + timedelta(minutes=30 * (index // places))).isoformat())
        for index in range(requests)
    ]

    def one(index: int) -> Got:
        key, patient, start = sent[index // copies]
        return desk.book(doctor, start, patient=patient, key=key, minutes=20)

    with ThreadPoolExecutor(20) as pool:
        got = list(pool.map(one, range(requests * copies)))
    assert statuses(got) == {201: requests * copies}
    for index in range(requests):
        assert len({plain(each.body) for each in got[index * copies : (index + 1) * copies]}) == 1
    ids = {each.body["id"] for each in got}
    last = monday() + timedelta(days=2 + requests // (places * 40))
    assert len(ids) == requests
    assert {each["id"] for each in desk.listed(at(monday(), "00:00"), at(last, "00:00"))} == ids
    clean(desk)

"""While many book, whatever carries the consequences is killed again and again: each booking has each effect once."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from standalone import state
from tests.system import clinic as clinics
from tests.system.clinic import Clinic, at_once, until
from tests.system.effects import counted, mailed, messages, noted
from tests.system.house import Person, RunningHouse, hire
from tests.waiting import wait_for

DESKS, DAYS = 8, 5
# In turn: what carries events out of the store of bookings, what acts on them, and now and then the streams themselves.
VICTIMS = (
    "appointments-worker", "notifications-worker", "appointments-worker", "reports-worker", "appointments-worker",
    "audit-worker", "redis-bus",
)  # fmt: skip
ALL_FOLLOWS_S = 900


@pytest.mark.target("A-26")
@pytest.mark.timeout(3600)
def test_relay_consumers_and_bus_are_killed_while_many_book_and_each_booking_has_each_effect_once(
    house: RunningHouse, admin: Person, rounds, figure
):
    count = rounds(full=2000, short=200)
    clinic, desks = clinics.opened(admin), [hire(admin, "receptionist") for _ in range(DESKS)]
    people = at_once(lambda number: clinics.registered(desks[number], count // DAYS // DESKS, emails=True), DESKS)
    doctor, stop = clinic.doctor(capacity=50), threading.Event()
    with ThreadPoolExecutor(1) as other:
        killing = other.submit(killed_in_turn, house, stop)
        booked = at_once(lambda number: book(clinic, desks[number], doctor, people[number]), DESKS)
        stop.set()
        kills = killing.result()
    requests = {each for some in booked for each in some}
    once = dict.fromkeys(requests, 1)
    assert len(requests) == count
    wait_for(
        lambda: counted(admin, clinic, doctor) == {"booked": count}, within_s=ALL_FOLLOWS_S, what="all are counted"
    )
    wait_for(lambda: mailed(house, requests) == once, within_s=ALL_FOLLOWS_S, what="one mail for each", step_s=1)
    wait_for(lambda: noted(house, requests) == once, within_s=ALL_FOLLOWS_S, what="one entry for each", step_s=1)
    came = [each["message_id"] for each in messages(house, "email") if each["request_id"] in requests]
    figure("kills", kills, "")
    figure("mails that came twice", len(came) - len(set(came)), "")
    assert len(came) - len(set(came)) <= kills
    whole = until(admin, "POST", "/api/v1/audit-trail/verifications", {}).expect(200).json
    assert whole["whole"]


def book(clinic: Clinic, desk: Person, doctor: str, people: list[str]) -> list[str]:
    """An appointment for each on each of some days; the request ids of what was answered 201."""
    made = []
    for (number, patient), day in itertools.product(enumerate(people), range(DAYS)):
        start = clinic.at(f"{6 + number % 30 // 2:02d}:{30 * (number % 2):02d}", ahead=10 + day)
        path = f"{clinic.path}/appointments"
        made.append(until(desk, "POST", path, clinic.wanted(doctor, start, patient)).expect(201).request_id)
    return made


def killed_in_turn(house: RunningHouse, stop: threading.Event) -> int:
    """One after the other, each once the one before is back; how many it were."""
    file, chance = house.home / "run" / "state.json", random.Random(26)
    for kills in itertools.count():
        wait_for(lambda: state.read(file).is_healthy, within_s=90, what="the house is well")
        if kills >= len(VICTIMS) and stop.is_set():
            return kills
        victim = VICTIMS[kills % len(VICTIMS)]
        process = next(each for each in state.read(file).processes if each.name == victim)
        os.kill(process.pid, signal.SIGKILL)
        wait_for(lambda p=process: not p.lives, what=f"{victim} is dead")
        stop.wait(chance.uniform(0.0, 1.0))
    raise AssertionError

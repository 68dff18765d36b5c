"""What goes wrong in a house on purpose, by the words in which a board names it (`zero` in observability/boards)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from standalone import state
from tests.observability.load import Load
from tests.system import clinic as clinics
from tests.system.clinic import at_once
from tests.system.house import RunningHouse, hire

AWAY_S = 7.0  # longer than a worker waits between two looks at a store


@contextmanager
def halted(house: RunningHouse, *names: str) -> Iterator[None]:
    """Processes that take connections and answer nothing."""
    known = {each.name: each for each in state.read(house.home / "run" / "state.json").processes}
    pids = [pid for name in names for pid in family(known[name].pid)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def family(pid: int) -> list[int]:
    """A process and those that it has made."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(each for child in children for each in family(int(child)))]


def store_away(name: str) -> Callable[[Load], None]:
    """One store answers nothing for a while; people go on."""

    def happen(load: Load) -> None:
        with halted(load.house, name):
            time.sleep(AWAY_S)  # how long it lasts is the fault itself

    return happen


def unreadable_event(load: Load) -> None:
    """Things on the bus that are no events, one after the other."""
    url = (load.house.home / "environ" / "notifications" / "BUS_URL").read_text(encoding="utf-8").strip()
    with redis.Redis.from_url(url) as bus:
        for _ in range(5):
            bus.xadd("events.appointments", {"event": json.dumps({"type": "appointments.booked.v1"})})
            time.sleep(1.5)  # a rate wants two scrapes between them


def refresh_token_used_twice(load: Load) -> None:
    """Somebody else has it."""
    person = hire(load.admin, "nurse")
    for _ in range(2):
        person.client.send("POST", "/api/v1/sessions/refresh", {"refresh_token": person.tokens["refresh_token"]})


def patients_away(load: Load) -> None:
    """Whoever asks `patients` gets no answer, often enough for a breaker."""
    people, wanted = clinics.registered(load.desk, 24), [next(load.slots) for _ in range(24)]
    time.sleep(1)

    def book(number: int) -> None:
        doctor, start = wanted[number]
        body = load.clinic.wanted(doctor, start, people[number])
        load.kept_booking(load.admin.post(f"{load.clinic.path}/appointments", body))

    with halted(load.house, "patients"):
        at_once(book, len(people))
        at_once(book, len(people))


def deadlock(load: Load) -> None:
    """Two transactions that wait for each other, in the database of patients."""
    url = (load.house.home / "environ" / "patients" / "DATABASE_URL").read_text(encoding="utf-8").strip()
    address = url.replace("+psycopg", "")
    with psycopg.connect(address) as one, psycopg.connect(address) as other:
        one.execute("SELECT pg_advisory_xact_lock(1)")
        other.execute("SELECT pg_advisory_xact_lock(2)")
        waiting = threading.Thread(target=_lock, args=(one, 2))
        waiting.start()
        _lock(other, 1)
        other.rollback()
        waiting.join()
        one.rollback()
        time.sleep(AWAY_S)  # until a worker has looked


def _lock(connection: psycopg.Connection[Any], number: int) -> None:
    with contextlib.suppress(psycopg.errors.DeadlockDetected):
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def transaction_stays_open(load: Load) -> None:
    """Somebody looks into the database of patients, and does not leave."""
    url = (load.house.home / "environ" / "patients" / "DATABASE_URL").read_text(encoding="utf-8").strip()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SELECT 1")
        time.sleep(2 * AWAY_S)  # how long it stays is the fault itself
        connection.rollback()


# In their order; each lasts some seconds.
FAULTS: dict[str, Callable[[Load], None]] = {
    "an event that nobody can read": unreadable_event,
    "a refresh token is used twice": refresh_token_used_twice,
    "a service that calls another which is away": patients_away,
    "the records are away": store_away("redis-records"),
    "the bus is away": store_away("redis-bus"),
    "MongoDB is away": store_away("mongodb"),
}
# Those that take longer, for the night.
LONG_FAULTS: dict[str, Callable[[Load], None]] = {
    "a transaction that stays open": transaction_stays_open,
    "two transactions that wait for each other": deadlock,
    "PostgreSQL is away": store_away("postgresql"),
}

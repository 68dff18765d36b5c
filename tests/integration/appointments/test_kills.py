"""`kill -9` at named places of web process, relay and consumer, while clients book: nothing lost, nothing doubled."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg
import pytest
import urllib3

from services.chassis import failpoints
from standalone.servers import ports
from tests.integration.appointments.making import Booking, at, fresh, monday, opened, session
from tests.integration.appointments.replicas import ROOT, Process
from tests.integration.chassis.making import jwk_of, signing_key, token_of
from tests.integration.chassis.peer import Peer
from tests.waiting import wait_for

CLIENTS, DOCTORS, WEEKS = 4, 3, 30
PLACES = [each for each in failpoints.PLACES if not each.startswith("send.")]  # nothing is sent here
OF_WEB = {"script.before", "script.after", "answer.before"}
OF_CONSUMER = {"effect.before", "effect.after"}


@dataclass
class Stage:
    """Appointments and audit as processes of their own, and what clients have been answered."""

    desk: Booking
    key: object
    url: str
    processes: dict[str, Process]
    audit_url: str
    booked: dict[str, str] = field(default_factory=dict)
    refused: int = 0

    def book(self, doctor: str, start: str, pool: urllib3.PoolManager) -> None:
        """One booking with one key until it is decided."""
        body = {
            "patient_id": fresh(),
            "doctor_id": doctor,
            "appointment_type_id": self.desk.world.type,
            "starts_at": start,
        }
        key, ends = fresh(), time.monotonic() + 60
        headers = {
            "authorization": f"Bearer {token_of(self.key, roles=['super_admin'])}",
            "idempotency-key": key,
            "content-type": "application/json",
        }
        address = f"{self.url}/api/v1/facilities/{self.desk.world.facility}/appointments"
        while time.monotonic() < ends:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                got = pool.request("POST", address, body=json.dumps(body).encode(), headers=headers)
                if got.status in {201, 409}:
                    if got.status == 201:
                        self.booked[key] = got.json()["id"]
                    else:
                        self.refused += 1
                    return
            time.sleep(random.uniform(0.02, 0.1))
        raise AssertionError("not decided within a minute")

    def entries(self) -> int:
        """How many bookings the trail has written down."""
        with psycopg.connect(self.audit_url) as look:
            query = "SELECT count(*), count(DISTINCT event_id) FROM inbox"
            (every, once) = look.execute(query.encode()).fetchone() or (0, 0)
        assert every == once
        with psycopg.connect(self.audit_url) as look:
            query = (
                "SELECT count(*) FROM entries"
                " WHERE operation = 'book_appointment' AND action = 'create' AND outcome = 'success'"
            )
            return int((look.execute(query.encode()).fetchone() or (0,))[0])


@pytest.fixture
def stage(new_postgres: Callable[[], str], redis_url: str) -> Iterator[Stage]:
    key = signing_key()
    keys = Peer(lambda connection: connection.answer(200, {"keys": [jwk_of(key)]}))
    web, worker, audit = (ports.free() for _ in range(3))
    audit_url = new_postgres()
    with opened(new_postgres(), redis_url) as desk:
        told = {**desk.environ, "IDENTITY_URL": keys.url}
        of_audit = {
            **told,
            "DATABASE_URL": audit_url,
            "CHECKPOINT_KEY": "a key of tests only, and long enough",
            "WORKER_PORT": str(audit),
        }
        migration = [sys.executable, "-m", "services.chassis", "migrate", "audit"]
        subprocess.run(migration, cwd=ROOT, env={**os.environ, **of_audit}, check=True, capture_output=True)
        processes = {
            "web": Process("serve", "appointments", {**told, "PORT": str(web)}),
            "worker": Process("work", "appointments", {**told, "WORKER_PORT": str(worker)}),
            "consumer": Process("work", "audit", of_audit),
        }
        for each in processes.values():
            each.start()
        try:
            yield Stage(desk, key, f"http://127.0.0.1:{web}", processes, audit_url)
        finally:
            for each in processes.values():
                each.stop()
            keys.stop()


def whose(place: str) -> str:
    return "web" if place in OF_WEB else "consumer" if place in OF_CONSUMER else "worker"


@pytest.mark.target("A-13")
@pytest.mark.timeout(1800)
def test_nothing_is_lost_or_done_twice_when_a_process_dies_anywhere(stage: Stage, rounds, figure):
    """Each round has doctors of its own: where everything is taken nothing is booked, and the deaths show little."""
    doctors: list[str] = []
    stop = threading.Event()
    failed: list[BaseException] = []

    def client(number: int) -> None:
        own, pool = random.Random(number), urllib3.PoolManager(retries=False, timeout=5)
        try:
            while not stop.is_set():
                clock = f"{own.randrange(9, 16):02d}:{own.choice(('00', '30'))}"
                start = at(monday(own.randrange(1, WEEKS)), clock)
                stage.book(own.choice(doctors[-DOCTORS:]), start, pool)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    deaths, began = 0, time.monotonic()
    for number in range(rounds(full=20, short=1)):
        sessions = [[session(weekday=day, capacity=2) for day in range(1, 8)] for _ in range(DOCTORS)]
        doctors += [stage.desk.doctor(*each) for each in sessions]
        for thread in threads if number == 0 else []:
            thread.start()
        for place in PLACES:
            process = stage.processes[whose(place)]
            process.stop()
            process.start(f"{place}:{random.randrange(1, 6)}")
            before = process.deaths
            wait_for(lambda p=process, b=before: p.look() or p.deaths > b, within_s=60, what=f"death at {place}")
            deaths += 1
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed, failed
    figure("deaths", deaths, "")
    figure("time of a death", (time.monotonic() - began) / deaths, "s")
    figure("bookings", len(stage.booked), "")
    figure("refusals", stage.refused, "")
    require_whole(stage)


def require_whole(stage: Stage) -> None:
    """What was answered 201 is there and nothing else, the invariants hold, and the trail knows each booking once."""
    for each in stage.processes.values():
        each.look()
    assert stage.booked
    assert len(set(stage.booked.values())) == len(stage.booked)
    there: dict[str, str] = {}
    for week in range(1, WEEKS):
        listed = stage.desk.listed(at(monday(week), "00:00"), at(monday(week), "23:59"))
        there |= {each["id"]: each["status"] for each in listed}
    assert there == dict.fromkeys(stage.booked.values(), "booked")
    wait_for(lambda: stage.entries() >= len(stage.booked), within_s=90, what="the trail has every booking")
    assert stage.entries() == len(stage.booked)
    stage.desk.carry()
    assert stage.desk.violations() == []
    assert uuid.UUID(next(iter(stage.booked.values())))

"""Replicas that sleep or have another clock: a hold ends by the clock of the store, whatever a service believes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from services.chassis.service import new_id
from standalone.servers import ports
from tests import needs
from tests.integration.appointments.contests import clean
from tests.integration.appointments.making import OTHER, Booking, at, fresh, monday, opened
from tests.integration.appointments.replicas import Process
from tests.integration.chassis.making import jwk_of, signing_key, token_of
from tests.integration.chassis.peer import Peer
from tests.waiting import wait_for

HOLD_S = 4.0


@dataclass
class Replica:
    """A web process of appointments beside the desk, asked by one account."""

    desk: Booking
    process: Process
    url: str
    token: str

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of one request."""
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        headers["idempotency-key"] = str(new_id())
        address = f"{self.url}/api/v1/facilities/{self.desk.world.facility}/{path}"
        with urllib3.PoolManager(retries=False, timeout=30) as pool:
            got = pool.request("POST", address, body=json.dumps(body).encode(), headers=headers)
            return got.status, got.json()

    def book(self, doctor: str, start: str, **more: Any) -> tuple[int, dict[str, Any]]:
        """Book for a new patient."""
        return self.post("appointments", self.desk.wish(doctor, start, **more))

    def hold(self, doctor: str, start: str) -> str:
        """Keep a place; its id."""
        body = {"doctor_id": doctor, "appointment_type_id": self.desk.world.type, "starts_at": start}
        status, held = self.post("holds", body)
        assert status == 201, held
        return str(held["id"])

    def is_ready(self) -> bool:
        """Whether it answers requests that need everything."""
        try:
            return self.book(fresh(), at(monday(), "10:00"))[0] == 404
        except urllib3.exceptions.HTTPError:
            return False


@pytest.fixture
def brief(postgres_url: str, redis_url: str) -> Iterator[Booking]:
    """A booking desk where a hold lasts for a few seconds."""
    with opened(postgres_url, redis_url, HOLD_MINUTES=str(HOLD_S / 60)) as found:
        yield found


@contextmanager
def replica(desk: Booking, *, ahead_s: int = 0, **environ: str) -> Iterator[Replica]:
    """One more process, which answers; `ahead_s`: by how much its clock is ahead, so that its tokens fit."""
    key, port = signing_key(), ports.free()
    keys = Peer(lambda connection: connection.answer(200, {"keys": [jwk_of(key)]}))
    told = {**desk.environ, "IDENTITY_URL": keys.url, "PORT": str(port), **environ}
    process = Process("serve", "appointments", told)
    process.start()
    try:
        token = token_of(key, roles=["super_admin"], ahead_s=ahead_s)
        found = Replica(desk, process, f"http://127.0.0.1:{port}", token)
        wait_for(found.is_ready, within_s=60, what="the replica answers")
        yield found
    finally:
        process.signal(signal.SIGCONT)
        process.stop()
        keys.stop()


@pytest.mark.target("A-20")
@pytest.mark.timeout(900)
def test_a_process_that_sleeps_longer_than_its_hold_writes_nothing_late(brief: Booking, rounds):
    with replica(brief) as other:
        for number in range(rounds(full=40, short=2)):
            doctor, start = brief.doctor(), at(monday(), "10:00")
            held, answers = other.hold(doctor, start), []

            def late(doctor=doctor, start=start, held=held, answers=answers):
                answers.append(other.book(doctor, start, hold_id=held))

            sleepy = threading.Thread(target=late)
            if number % 2 == 0:  # asleep before it is asked; else in the middle of it, or just after
                other.process.signal(signal.SIGSTOP)
                sleepy.start()
            else:
                sleepy.start()
                time.sleep(random.uniform(0.0, 0.02))
                other.process.signal(signal.SIGSTOP)
            wait_for(lambda held=held: brief.is_over(held), within_s=4 * HOLD_S, what="the hold is over")
            time.sleep(HOLD_S)
            quick = brief.book(doctor, start, subject=OTHER)
            other.process.signal(signal.SIGCONT)
            sleepy.join()
            [(status, body)] = answers
            # Stopped in the middle, it may find when it wakes that its time for an answer is over: 503, which a client
            # sends again with its key. Either way there is one appointment.
            assert {quick.status, status} <= {201, 409, 503}, (quick.body, body)
            booked = [each for each in brief.listed(start, at(monday(), "10:01")) if each["doctor_id"] == doctor]
            assert len(booked) == 1, (quick.body, body)
            assert [quick.status, status].count(201) == 1 or status == 503
            if number % 2 == 0:
                assert (quick.status, status, body["code"]) == (201, 409, "hold_over")
            clean(brief)


def faked(ahead_s: int) -> dict[str, str]:
    """The environment in which a process has another clock; what only measures time goes on as it is.

    The library of faketime by itself: its program names a semaphore after its own number, and fails where a process
    with that number left one behind when it was killed.
    """
    prefix = Path(needs.find("faketime")).resolve().parent.parent
    found = sorted(prefix.glob("lib*/**/faketime/libfaketimeMT.so.1"))
    assert found, f"faketime without its library below {prefix}"
    environ = {"LD_PRELOAD": str(found[0]), "FAKETIME": f"{ahead_s:+d}s"}
    environ |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    told = subprocess.run(["date", "+%s"], check=True, capture_output=True, env={"PATH": os.environ["PATH"], **environ})
    assert abs(int(told.stdout) - time.time() - ahead_s) < 30, "the clock of a process is not another one"
    return environ


@pytest.mark.target("A-21")
@pytest.mark.parametrize("ahead_s", [300, -300])
def test_a_replica_with_another_clock_neither_keeps_a_hold_for_ever_nor_takes_one(brief: Booking, ahead_s: int):
    with replica(brief, ahead_s=ahead_s, **faked(ahead_s)) as other:
        doctor = brief.doctor()
        mine, theirs = at(monday(), "10:00"), at(monday(), "11:00")
        held, own = other.hold(doctor, theirs), brief.hold(doctor, mine, subject=OTHER)
        assert own.status == 201
        stolen, _ = other.book(doctor, mine)
        kept = brief.book(doctor, theirs, subject=OTHER)
        assert (stolen, kept.status) == (409, 409)
        for each in (held, own.body["id"]):
            wait_for(lambda each=each: brief.is_over(each), within_s=4 * HOLD_S, what="the hold is over")
        late, body = other.book(doctor, theirs, hold_id=held)
        assert (late, body["code"]) == (409, "hold_over")
        status, body = other.book(doctor, mine)
        assert status == 201, body
        assert brief.book(doctor, theirs, subject=OTHER).status == 201
        clean(brief)

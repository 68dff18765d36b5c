"""What was confirmed is there after any loss of a process; what cannot be kept safe is not confirmed."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis import redis
from services.chassis.stores import NotDurable
from tests import stores
from tests.integration.appointments.contests import clean
from tests.integration.appointments.making import Booking, at, fresh, monday, opened, plain, session
from tests.integration.appointments.servers import is_replica_there
from tests.waiting import wait_for


@pytest.fixture
def own(tmp_path: Path) -> Iterator[stores.Own]:
    """A Redis that the test may kill."""
    home = tmp_path / "primary"
    home.mkdir()
    server = stores.Own("redis", home)
    server.start()
    yield server
    server.kill()


def weekly(**more) -> list[dict]:
    return [session(weekday=day, starts="00:00", ends="00:00", **more) for day in range(1, 8)]


def test_a_booking_that_no_replica_has_is_not_confirmed_and_the_retry_books_once(own, tmp_path, postgres_url):
    home = tmp_path / "replica"
    home.mkdir()
    replica = stores.Own("redis", home, replicaof=f"127.0.0.1 {own.port}")
    replica.start()
    try:
        with opened(postgres_url, own.url, RECORDS_REPLICAS="1") as desk:
            wait_for(lambda: is_replica_there(own.url))
            doctor, patient = desk.doctor(), fresh()
            desk.booked(doctor, at(monday(), "09:00"))
            replica.signal(signal.SIGSTOP)
            first = desk.book(doctor, at(monday(), "10:00"), patient=patient, key="one-that-is-retried")
            assert (first.status, "retry-after" in first.headers) == (503, True)
            again = desk.book(doctor, at(monday(), "10:00"), patient=patient, key="one-that-is-retried")
            assert again.status == 503  # its answer is not safe either
            replica.signal(signal.SIGCONT)
            wait_for(lambda: is_replica_there(own.url))
            kept = desk.book(doctor, at(monday(), "10:00"), patient=patient, key="one-that-is-retried")
            assert (kept.status, kept.headers["idempotency-replayed"]) == (201, "true")
            listed = desk.listed(at(monday(), "00:00"), at(monday(), "23:00"))
            assert [each["id"] for each in listed if each["patient_id"] == patient] == [kept.body["id"]]
            clean(desk)
    finally:
        replica.signal(signal.SIGCONT)
        replica.kill()


@pytest.mark.parametrize(
    ("name", "value"),
    [("appendfsync", "everysec"), ("maxmemory-policy", "allkeys-lru"), ("appendonly", "no"),
     ("no-appendfsync-on-rewrite", "yes")],
)  # fmt: skip
def test_the_service_does_not_start_on_records_that_may_forget(own, postgres_url: str, name: str, value: str):
    with opened(postgres_url, own.url) as desk:
        [check] = desk.house.service.start_checks
        check()
        with redis.client(own.url) as client:
            client.config_set(name, value)
        with pytest.raises(NotDurable) as refused:
            check()
    assert refused.value.settings == (f"{name}={value}",)


def test_a_script_that_is_slower_than_the_wait_runs_once(own, postgres_url: str):
    """The client gives up; the server goes on; the retry with the same key finds what was done."""
    with opened(postgres_url, own.url) as desk:
        doctor, patient = desk.doctor(), fresh()
        desk.booked(doctor, at(monday(), "09:00"))
        own.signal(signal.SIGSTOP)
        slow = desk.book(doctor, at(monday(), "10:00"), patient=patient, key="too-slow-for-the-client")
        own.signal(signal.SIGCONT)
        assert slow.status == 503
        got = desk.book(doctor, at(monday(), "10:00"), patient=patient, key="too-slow-for-the-client")
        assert got.status == 201
        [one] = [
            each for each in desk.listed(at(monday(), "00:00"), at(monday(), "23:00")) if each["patient_id"] == patient
        ]
        assert one["id"] == got.body["id"]
        clean(desk)


@pytest.mark.target("A-15")
@pytest.mark.timeout(1800)
def test_nothing_that_was_confirmed_is_lost_when_the_store_is_killed(own, postgres_url: str, rounds, figure):
    with opened(postgres_url, own.url) as desk:
        doctor, lost, told = desk.doctor(*weekly(capacity=50)), 0, {}
        for _ in range(rounds(full=20, short=3)):
            told |= killed_while_booking(desk, own, doctor)
            there = {each["id"]: each for each in desk.listed(at(monday(), "00:00"), at(monday(2), "00:00"))}
            lost += sum(there.get(id_) != body for id_, body in told.items())
        assert lost == 0
        figure("confirmed before a kill and lost", lost, f"of {len(told)}")
        assert len(told) > 20
        clean(desk)


def killed_while_booking(desk: Booking, own: stores.Own, doctor: str) -> dict[str, dict]:
    """Book from some threads until the store is killed, start it again, and send what was not answered once more."""
    told, stopping, unsure = {}, threading.Event(), []

    def clerk(index: int) -> None:
        turn = 0
        while not stopping.is_set():
            turn += 1
            start = at(monday(), f"{(index * 3 + turn) % 23:02}:{turn % 2 * 30:02}")
            sent = {"patient": fresh(), "key": f"key-{fresh()}", "minutes": 5}
            got = desk.book(doctor, start, **sent)
            assert got.status in {201, 409, 503}, got.body
            if got.status == 201:
                told[got.body["id"]] = got.body
            elif got.status == 503:
                unsure.append((start, sent))

    threads = [threading.Thread(target=clerk, args=(index,)) for index in range(6)]
    for each in threads:
        each.start()
    time.sleep(0.5)
    own.kill()
    time.sleep(0.1)
    stopping.set()
    for each in threads:
        each.join()
    own.start()
    for start, sent in unsure[:10]:
        answers = [desk.book(doctor, start, **sent) for _ in range(2)]
        assert {each.status for each in answers} <= {201, 409}
        assert answers[0].status != 201 or plain(answers[0].body) == plain(answers[1].body)
        told |= {each.body["id"]: each.body for each in answers if each.status == 201}
    return told

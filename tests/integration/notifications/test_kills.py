"""`kill -9` of the worker while it sends: nothing is lost, and only what nobody can know is sent twice, by one name."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from standalone.servers import ports
from tests.integration.appointments.replicas import Process
from tests.integration.chassis.peer import Connection, Peer
from tests.integration.notifications import making
from tests.waiting import wait_for

SMS = {"emails": [], "contact_preference": "sms"}


@pytest.fixture
def gateway() -> Iterator[Peer]:
    """An SMS gateway that takes everything at once."""
    made = Peer(lambda connection: connection.answer(200, {"id": "theirs"}))
    yield made
    made.stop()


@pytest.fixture
def by_sms(house, hospital):
    """A facility that sends text messages only, at any hour: no other channel comes to the places where one dies."""
    body = {**making.ALL_DAY, "channels": ["sms"]}
    making.done(house.call("set_notification_settings", facility_id=hospital.facility, version=1, body=body))
    return house


@pytest.fixture
def worker(by_sms, postgres_url, redis_url, hospital, gateway) -> Iterator[Callable[..., Process]]:
    """Worker processes of notifications that send by the gateway; none of them outlives the test."""
    started: list[Process] = []

    def start(failpoint: str = "") -> Process:
        way_out = {"SMS_PROVIDER": "gateway", "SMS_URL": f"{gateway.url}/sms", "SMS_TOKEN": "t0ken", "LEASE_S": "2"}
        given = making.environ(postgres_url, redis_url, hospital, WORKER_PORT=str(ports.free()), **way_out)
        started.append(Process("work", "notifications", given))
        started[-1].start(failpoint)
        return started[-1]

    yield start
    for each in started:
        each.stop()


def arrived(gateway: Peer) -> Counter[str]:
    """How often each message has come to the gateway."""
    return Counter(json.loads(each.body)["reference"] for each in list(gateway.requests))


def all_sent(house, count):
    found = making.rows(house, "SELECT count(*) AS sent FROM deliveries WHERE way = 'sms' AND status = 'sent'")
    return bool(found[0]["sent"] == count)


def watched(process: Process, is_so: Callable[[], bool]) -> Callable[[], bool]:
    """Whether it is so, with the process started again whenever it has died."""

    def look() -> bool:
        process.look()
        return is_so()

    return look


@pytest.mark.row("NOT-06")
@pytest.mark.timeout(300)
def test_a_thousand_are_due_one_has_no_telephone_and_the_worker_is_killed(by_sms, hospital, gateway, worker, figure):
    """999 are sent, each once, and the one that cannot be sent is in the log; the batch goes on after a death."""
    for number in range(1, 4):
        phones = [] if number == 3 else [{"e164": f"+4930555{number:04d}", "use": "mobile"}]
        making.happened(by_sms, hospital, hospital.patient(**SMS, phones=phones))
    making.copies(by_sms, 997)
    process = worker("send.before:500")
    wait_for(watched(process, lambda: all_sent(by_sms, 999)), within_s=120, what="all are sent")
    assert process.deaths == 1
    assert (len(arrived(gateway)), set(arrived(gateway).values())) == (999, {1})
    log = making.done(by_sms.call("list_deliveries", query={"status": "suppressed", "channel": "sms"}))["items"]
    assert [each["reason"] for each in log] == ["no_address"]
    figure("sent while killed once", 999, "")


@pytest.mark.parametrize("place", ["send.before", "send.after"])
def test_a_death_between_the_mark_and_the_outcome_leaves_one_message_unknown(by_sms, hospital, gateway, worker, place):
    for _ in range(10):
        making.happened(by_sms, hospital, hospital.patient(**SMS))
    process = worker(f"{place}:4")
    wait_for(watched(process, lambda: all_sent(by_sms, 10)), within_s=60, what="all are sent")
    assert process.deaths == 1
    times = arrived(gateway)
    assert len(times) == 10
    assert sorted(times.values()) == [1] * 9 + [2 if place == "send.after" else 1]
    (repeated,) = making.rows(by_sms, "SELECT id, tries, failures FROM deliveries WHERE way = 'sms' AND tries > 1")
    assert (repeated["tries"], repeated["failures"]) == (2, 1)
    shown = making.done(by_sms.call("get_delivery", delivery_id=str(repeated["id"])))
    assert [each["outcome"] for each in shown["attempts"]] == ["unknown", "accepted"]
    if place == "send.after":
        assert times[str(repeated["id"])] == 2, "what came twice has one name"


def test_a_message_that_ends_its_process_each_time_is_given_up(by_sms, hospital, gateway, worker):
    making.happened(by_sms, hospital, hospital.patient(**SMS))
    for _ in range(3):
        process = worker("send.before:1")
        wait_for(lambda p=process: not p.is_running, within_s=30, what="it has died")
    worker()
    dead = "SELECT reason FROM deliveries WHERE status = 'dead'"
    wait_for(lambda: making.rows(by_sms, dead), within_s=30, what="it was given up")
    assert making.rows(by_sms, dead)[0]["reason"] == "outcome_unknown"
    assert gateway.requests == []


def test_a_worker_that_is_told_to_stop_leaves_nothing_under_way(by_sms, hospital, gateway, worker):
    slow = Peer(_slowly)
    gateway.behaviour = slow.behaviour
    for _ in range(20):
        making.happened(by_sms, hospital, hospital.patient(**SMS))
    process = worker()
    wait_for(lambda: len(gateway.requests) > 3, what="it sends")
    process.signal(15)
    wait_for(lambda: not process.is_running, what="it has stopped")
    slow.stop()
    assert making.rows(by_sms, "SELECT 1 FROM deliveries WHERE status = 'sending'") == []
    assert set(arrived(gateway).values()) == {1}


def _slowly(connection: Connection) -> None:
    time.sleep(0.05)
    connection.answer(200, {})


def test_a_channel_sends_hundreds_a_second(by_sms, hospital, gateway, worker, figure, rounds):
    """To a gateway that answers at once; asserted far below what is measured, because the machine is shared."""
    count = rounds(full=2000, short=400)
    patient = hospital.patient(**SMS)
    making.happened(by_sms, hospital, patient)
    making.copies(by_sms, count - 1)
    process = worker()
    wait_for(lambda: len(gateway.requests) > 0, what="it has begun")
    began, had = time.monotonic(), len(gateway.requests)
    wait_for(lambda: len(gateway.requests) >= count, within_s=60, what="all have come", step_s=0.01)
    figure("messages a second by one channel", (count - had) / (time.monotonic() - began), "1/s")
    process.stop()

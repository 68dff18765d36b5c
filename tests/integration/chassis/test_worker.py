"""A worker runs relay, consumers and jobs; it may be killed at any time, and it stops as a whole or not at all."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from services.chassis import bus as bus_module
from services.chassis import jobs, operating, redis, sql, worker
from services.chassis.jobs import Job, Timer
from services.chassis.service import Service
from tests import stores
from tests.integration.chassis import small_service
from tests.integration.chassis.events import write_contract
from tests.integration.chassis.listening import GROUP, QUICK, inbox, pending, tell, wait
from tests.integration.chassis.making import HERE, make_call, new_id, now, outbox_rows, thing_added, things
from tests.integration.chassis.small_service import KILLER
from tests.waiting import wait_for


@contextmanager
def working(service: Service) -> Iterator[threading.Thread]:
    """A worker of the service that runs meanwhile."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(service, stop), kwargs={"timing": QUICK})
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
        for close in service.close:
            close()


class Workers:
    """Worker processes that are started again when they die, as a supervisor does."""

    def __init__(self, *arguments: str) -> None:
        self._command = [sys.executable, "-m", "tests.integration.chassis.small_service", *arguments]
        self._running: list[subprocess.Popen[bytes]] = []
        self.started = 0

    def start(self) -> None:
        made = subprocess.Popen(
            self._command, cwd=HERE.parents[2], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._running.append(made)
        self.started += 1

    def start_again_what_died(self) -> None:
        for process in list(self._running):
            if process.poll() is not None:
                self._running.remove(process)
                self.start()

    def kill_one(self) -> None:
        self._running[0].kill()
        self._running[0].wait()

    def stop(self) -> list[int]:
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(60) for process in self._running]
        self._running.clear()
        return codes

    def kill_all(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()


@pytest.fixture
def address(database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def workers(address, redis_url, contract) -> Iterator[Callable[..., Workers]]:
    """Make worker processes; none of them outlives the test."""
    made: list[Workers] = []

    def make(*arguments: str) -> Workers:
        made.append(Workers(address, redis_url, str(contract), *arguments))
        return made[-1]

    yield make
    for each in made:
        each.kill_all()


def test_a_worker_relays_listens_and_stops(database, address, bus: redis.Client, redis_url, contract) -> None:
    """The event that the handler's unit records goes out through the worker's own relay."""

    own = sql.Database(database.engine, service=GROUP, clock=now, new_id=new_id)

    def handle(event, call) -> None:
        with own.begin(call) as unit:
            unit.record(thing_added(f"seen {event.subject}"))

    with working(small_service.build(address, redis_url, contract, handler=handle)):
        tell(bus, "chair", "table")
        wait_for(lambda: bus.xlen(f"events.{GROUP}") == 2)
        wait_for(lambda: pending(bus) == 0)
    assert inbox(database) == 2


def test_a_part_of_the_service_runs_beside_the_others_until_it_is_told_to_stop(address, redis_url, contract) -> None:
    begun, ended = threading.Event(), threading.Event()

    def part(stop: threading.Event) -> None:
        begun.set()
        stop.wait()
        ended.set()

    with working(small_service.build(address, redis_url, contract, parts={"own": part})):
        assert begun.wait(10)
        assert not ended.is_set()
    assert ended.is_set()


def test_a_part_of_the_service_that_dies_ends_the_worker(address, redis_url, contract) -> None:
    def part(_stop: threading.Event) -> None:
        raise ValueError("a mistake in the program")

    with working(small_service.build(address, redis_url, contract, parts={"own": part})) as worker_thread:
        worker_thread.join(10)
        assert not worker_thread.is_alive()


def test_when_a_part_dies_the_whole_worker_ends(address, redis_url, contract) -> None:
    """A mistake in the program is not hidden: the process goes, and another is started."""

    class Broken:
        def send(self, _publish, *, limit):  # noqa: ARG002 - the name is the caller's
            raise LookupError

    service = small_service.build(address, redis_url, contract)
    object.__setattr__(service, "outbox", Broken())
    with working(service) as thread:
        thread.join(15)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("events", "kills", "bus_kills"),
    [
        pytest.param(240, 6, 1, marks=pytest.mark.timeout(180)),
        pytest.param(
            10_000, 100, 5, marks=[pytest.mark.nightly, pytest.mark.timeout(1800), pytest.mark.target("A-26")]
        ),
    ],
)
def test_workers_and_the_bus_are_killed_and_every_event_takes_effect_once(
    database, address, tmp_path: Path, events: int, kills: int, bus_kills: int, figure
) -> None:
    """Each worker relays and listens, so a kill of one is a kill of both; at most 5 % are delivered again."""
    names = [f"thing {number}" for number in range(events)]
    batch, every, chance = events // kills, max(1, kills // bus_kills), random.Random(events)
    own = stores.Own("redis", tmp_path)
    own.start()
    made = Workers(address, own.url, str(write_contract(tmp_path)))
    made.start()
    made.start()
    try:
        for number, start in enumerate(range(0, events, batch), start=1):
            add(database, names[start : start + batch])
            enough = inbox(database) + chance.randint(1, batch // 2)  # somewhere in the middle of the work
            wait_for(lambda least=enough: inbox(database) >= least, within_s=60)
            made.kill_one()
            made.start_again_what_died()
            if number % every == 0:
                own.kill()
                own.start()
        wait_for(lambda: inbox(database) == events, within_s=300)
        with redis.client(own.url, timeout_s=5) as client:
            wait_for(lambda: pending(client) == 0, within_s=60)
            assert list(bus_module.dead_letters(client, GROUP)) == []
            begun = int(client.get(small_service.BEGUN) or 0)
        assert made.stop() == [0, 0]
    finally:
        made.kill_all()
        own.kill()
    assert things(database) == set(names)
    figure("handlers called again", begun - events, f"of {events} events")
    # With few events a single kill weighs more than five in a hundred.
    assert begun - events <= max(10 * kills, events * 0.05)


def add(database: sql.Database, names: list[str]) -> None:
    """Commit one event for each name."""
    with database.begin(make_call()) as unit:
        unit.record(*(thing_added(name) for name in names))


@pytest.mark.timeout(180)
def test_an_event_that_kills_its_process_ends_among_the_dead_letters(database, workers, bus: redis.Client) -> None:
    """The events that were read with it are not counted as tried, and all take effect."""
    names = [f"thing {number}" for number in range(20)]
    tell(bus, *names[:10], KILLER, *names[10:])
    running = workers("2")
    running.start()

    def is_over() -> bool:
        running.start_again_what_died()
        return bool(list(bus_module.dead_letters(bus, GROUP))) and pending(bus) == 0

    wait_for(is_over, within_s=120)
    running.stop()
    (letter,) = bus_module.dead_letters(bus, GROUP)
    assert (letter.error, letter.attempts) == ("ConsumerDied", 3)
    assert things(database) == set(names)


def test_a_worker_outlives_the_loss_of_its_stores_and_goes_on(database, address, tmp_path, contract) -> None:
    """The bus is killed and comes back; nothing is lost, and the worker is the same process."""
    own = stores.Own("redis", tmp_path / "redis")
    own.start()
    with (
        redis.client(own.url, timeout_s=2) as client,
        working(small_service.build(address, own.url, contract)) as thread,
    ):
        tell(client, "chair")
        wait_for(lambda: things(database) == {"chair"})
        own.kill()
        with database.begin(make_call()) as unit:
            unit.record(thing_added("table"))
        wait(1.0)
        own.start()
        tell(client, "lamp")
        wait_for(lambda: things(database) == {"chair", "table", "lamp"}, within_s=30)
        wait_for(lambda: database.outbox.backlog().unsent == 0, within_s=30)
        assert thread.is_alive()
    own.kill()
    assert len(outbox_rows(database)) == 1


def run_timers(jobs: list[Timer], *, for_s: float) -> None:
    """Let these timers run for a while."""
    stop = threading.Event()
    threads = [threading.Thread(target=job.run, args=(stop,)) for job in jobs]
    for thread in threads:
        thread.start()
    wait(for_s)
    stop.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def timer(job: Job, bus: redis.Client) -> Timer:
    return Timer(job, service="things", bus=bus, clock=now, new_id=new_id)


def test_a_job_runs_at_once_and_in_its_rhythm_with_a_call_of_its_own(bus: redis.Client) -> None:
    calls = []
    run_timers([timer(Job(name="count", every_s=0.2, run=calls.append), bus)], for_s=1.1)
    assert 2 <= len(calls) <= 6
    assert len({call.id for call in calls}) == len(calls)
    assert calls[0].operation == "job:count"
    assert calls[0].actor.subject == "service:things"


def test_a_job_that_fails_runs_again_in_its_time(bus: redis.Client) -> None:
    runs: list[float] = []

    def fail(_call) -> None:
        runs.append(time.monotonic())
        raise ValueError

    run_timers([timer(Job(name="fail", every_s=0.1, run=fail), bus)], for_s=1.0)
    assert len(runs) >= 2


def test_a_job_that_is_alone_runs_once_per_period_in_the_house(bus: redis.Client) -> None:
    runs: list[float] = []
    job = Job(name="alone", every_s=0.5, run=lambda _call: runs.append(time.monotonic()), alone=True)
    run_timers([timer(job, bus) for _ in range(4)], for_s=1.8)
    assert 2 <= len(runs) <= 4
    assert all(later - earlier > 0.4 for earlier, later in pairwise(runs))


def test_a_job_that_is_alone_goes_on_elsewhere_when_its_process_died(bus: redis.Client) -> None:
    """The dead process holds the lease until it ends by itself."""
    runs: list[float] = []
    bus.set("lease.things.alone", "a process that is gone", px=600)
    job = Job(name="alone", every_s=0.2, run=lambda _call: runs.append(time.monotonic()), alone=True)
    started = time.monotonic()
    run_timers([timer(job, bus)], for_s=1.2)
    assert runs
    assert runs[0] - started > 0.5


def test_a_job_that_is_alone_does_not_run_while_the_bus_is_away_and_harms_nobody() -> None:
    runs: list[float] = []
    with redis.client("redis://127.0.0.1:9") as nowhere:
        job = Job(name="alone", every_s=0.1, run=lambda _call: runs.append(1.0), alone=True)
        run_timers([timer(job, nowhere)], for_s=0.4)
    assert runs == []


def test_a_job_that_finds_the_bus_away_pauses_and_has_not_failed(bus: redis.Client) -> None:
    """It may speak to the bus by a client of its own, as the one that tells the policy does."""
    with redis.client("redis://127.0.0.1:9") as nowhere:
        run_timers([timer(Job(name="telling", every_s=0.1, run=lambda _call: nowhere.ping()), bus)], for_s=0.4)
    counted = {each.labels["outcome"]: each.value for each in runs_of("telling")}
    assert counted["store_away"] >= 1
    assert counted["failed"] == 0


def runs_of(job: str) -> list[Any]:
    (family,) = jobs.RUNS.collect()
    return [each for each in family.samples if each.name.endswith("_total") and each.labels["name"] == job]


def test_an_operator_sees_dead_letters_sends_them_round_and_publishes_again(
    database, address, bus: redis.Client, redis_url, contract
) -> None:
    """Each change that an operator makes leaves an audit entry; nothing that he sees holds content."""
    facts = {"event_id": "e1", "type": "things.added.v1", "error": "Boom", "attempts": "5", "trace": "t1"}
    tell(bus, "chair")
    group = bus_module.Group(bus, stream="events.things", name=GROUP)
    group.ensure()
    (entry,) = group.read(bus, consumer="one", count=1, block_s=0.1)
    group.bury(entry, facts=facts)
    service = small_service.build(address, redis_url, contract)
    said: list[str] = []

    def run(command: str, *words: str) -> int:
        said.clear()
        return operating.run(service, command, words, say=said.append)

    assert run("dead") == 0
    assert said == [
        f"events.things {entry.id} things.added.v1 e1: Boom after 5 (trace t1)",
        f"1 dead letters of {GROUP}",
    ]
    assert run("redrive") == 0
    assert said == ["1 sent round again, 0 left"]
    assert bus.xlen("events.things") == 2
    service.outbox.send(lambda _: None)
    assert run("republish", "--since", "2000-01-01T00:00:00+00:00") == 0
    assert said == [f"1 events of {GROUP} published again"]
    assert outbox_rows(database) == [("audit.entries", "audit.recorded.v1")] * 2
    for wrong in (
        ("republish",),
        ("republish", "--since", "yesterday"),
        ("republish", "--since", "2000-01-01"),
        ("dead", "x"),
    ):
        assert run(*wrong) == 2
    for close in service.close:
        close()

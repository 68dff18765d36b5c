"""Events that are handled together: each takes effect once, in order, and a bad one costs the others nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import orjson
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from services.chassis import bus as bus_module
from services.chassis import redis
from services.chassis.failpoints import VARIABLE
from services.chassis.stores import StoreAway, StoreBusy
from tests.integration.chassis.listening import (
    GROUP,
    QUICK,
    STREAM,
    inbox,
    listening,
    make_consumer,
    pending,
    recording_all,
    tell,
    wait,
)
from tests.integration.chassis.making import HERE, things
from tests.integration.chassis.small_service import KILLER
from tests.waiting import wait_for

V1, V2 = "things.added.v1", "things.added.v2"
NAMES = [f"thing {number:02d}" for number in range(50)]
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Watched:
    """A handler of batches that keeps what it was given: names in the order of the batch, batch by batch."""

    def __init__(self, handler: bus_module.BatchHandler) -> None:
        self.handler = handler
        self.given: list[list[str]] = []

    def __call__(self, events, call) -> None:
        self.given.append([event.subject for event in events])
        self.handler(events, call)


def test_what_is_read_together_is_handled_together_and_in_order(store, bus: redis.Client, redis_url, contract) -> None:
    watched = Watched(recording_all(store))
    tell(bus, *NAMES)
    with listening(make_consumer(redis_url, contract, watched)):
        wait_for(lambda: things(store) == set(NAMES) and pending(bus) == 0)
    assert watched.given == [NAMES]


def test_an_event_that_stands_in_a_batch_twice_takes_effect_once(store, bus: redis.Client, redis_url, contract) -> None:
    for event in tell(bus, *NAMES[:10]):
        again(bus, event)
    watched = Watched(recording_all(store))
    with listening(make_consumer(redis_url, contract, watched)):
        wait_for(lambda: things(store) == set(NAMES[:10]) and pending(bus) == 0)
    assert watched.given == [NAMES[:10]]
    assert dead(bus) == []


def test_events_of_earlier_batches_are_passed_over_and_the_new_ones_between_them_are_not(
    store, bus: redis.Client, redis_url, contract
) -> None:
    """As a lost bus that is fed again sends them; the new ones are handled together all the same."""
    watched = Watched(recording_all(store))
    with listening(make_consumer(redis_url, contract, watched)):
        old = tell(bus, *NAMES[:20])
        wait_for(lambda: things(store) == set(NAMES[:20]) and pending(bus) == 0)
    for event, name in zip(old, NAMES[20:40], strict=True):
        again(bus, event)
        tell(bus, name)
    handled, repeated = counted("handled"), counted("repeated")
    with listening(make_consumer(redis_url, contract, watched)):
        wait_for(lambda: things(store) == set(NAMES[:40]) and pending(bus) == 0)
    assert watched.given[-1] == NAMES[20:40]
    assert (counted("handled") - handled, counted("repeated") - repeated) == (20, 20)
    assert dead(bus) == []


def test_one_poison_in_a_batch_of_fifty(database, bus: redis.Client, redis_url, contract) -> None:
    """49 take effect in their order, 1 is a dead letter after five attempts of its own."""
    names = [*NAMES[:20], "poison", *NAMES[20:49]]
    watched = Watched(recording_all(database))
    tell(bus, *names)
    with listening(make_consumer(redis_url, contract, watched)):
        wait_for(lambda: inbox(database) == 49)
        wait_for(lambda: len(dead(bus)) == 1 and pending(bus) == 0)
    assert watched.given[0] == names
    alone = [name for (name,) in watched.given[1:]]
    assert alone.count("poison") == 5
    assert [name for name in alone if name != "poison"] == NAMES[:49]
    assert things(database) == set(NAMES[:49])
    assert [(letter.error, letter.attempts) for letter in dead(bus)] == [("Boom", 5)]


def test_what_is_no_event_or_not_listened_to_does_not_part_a_batch(database, bus: redis.Client, redis_url, contract):
    tell(bus, *NAMES[:5])
    bus.xadd(STREAM, {"event": "not json"})
    tell(bus, "red", kind=V2, colour="red")
    tell(bus, "wrong", id=7)
    tell(bus, *NAMES[5:10])
    watched = Watched(recording_all(database))
    with listening(make_consumer(redis_url, contract, watched)):
        wait_for(lambda: things(database) == set(NAMES[:10]) and pending(bus) == 0)
    assert watched.given == [NAMES[:10]]
    assert [(letter.error, letter.attempts) for letter in dead(bus)] == [("not_json", 1), ("invalid_event", 1)]


def test_two_consumers_at_once_share_the_stream_and_each_event_takes_effect_once(
    store, bus: redis.Client, redis_url, contract
) -> None:
    """Every event is on the stream twice, so both often have the same in hand at once."""
    names = [f"thing {number}" for number in range(400)]
    one, two = Watched(recording_all(store)), Watched(recording_all(store))
    for event in tell(bus, *names):
        again(bus, event)
    with listening(make_consumer(redis_url, contract, one), make_consumer(redis_url, contract, two, name="two")):
        wait_for(lambda: things(store) == set(names) and pending(bus) == 0, within_s=60)
    assert one.given
    assert two.given
    assert dead(bus) == []


def test_while_the_store_is_away_the_batch_waits_in_hand_and_keeps_its_order(
    database, bus: redis.Client, redis_url, contract
) -> None:
    away = iter(range(2))

    def handle(events, call) -> None:
        if next(away, None) is not None:
            raise StoreAway("postgresql", "test")
        recording_all(database)(events, call)

    watched = Watched(handle)
    tell(bus, *NAMES)
    with listening(make_consumer(redis_url, contract, watched)):
        wait_for(lambda: things(database) == set(NAMES) and pending(bus) == 0)
    assert watched.given == [NAMES] * 3


def test_a_long_absence_of_the_store_costs_no_event_an_attempt(database, bus: redis.Client, redis_url, contract):
    away = iter(range(100))

    def handle(events, call) -> None:
        if next(away, None) is not None:
            raise StoreAway("postgresql", "test")
        recording_all(database)(events, call)

    tell(bus, *NAMES)
    with listening(make_consumer(redis_url, contract, handle)):
        wait_for(lambda: things(database) == set(NAMES) and pending(bus) == 0)
    assert dead(bus) == []


def test_a_batch_that_meets_another_unit_of_work_is_tried_again_whole(database, bus: redis.Client, redis_url, contract):
    busy = iter(range(2))

    def handle(events, call) -> None:
        if next(busy, None) is not None:
            raise StoreBusy("postgresql", "40001")
        recording_all(database)(events, call)

    watched = Watched(handle)
    tell(bus, *NAMES)
    with listening(make_consumer(redis_url, contract, watched)):
        wait_for(lambda: things(database) == set(NAMES) and pending(bus) == 0)
    assert watched.given == [NAMES] * 3


def test_a_living_consumer_that_takes_a_failed_batch_one_by_one_keeps_what_it_has(
    database, bus: redis.Client, redis_url, contract
) -> None:
    """It takes longer than the time after which one is taken for dead; nobody else handles any of it."""

    def slowly(events, call) -> None:
        wait(0.12)
        recording_all(database)(events, call)

    names = [*NAMES[:10], "poison", *NAMES[10:20]]
    one, two = Watched(slowly), Watched(slowly)
    tell(bus, *names)
    with listening(make_consumer(redis_url, contract, one), make_consumer(redis_url, contract, two, name="two")):
        wait_for(lambda: inbox(database) == 20)
        wait_for(lambda: len(dead(bus)) == 1 and pending(bus) == 0)
    alone = [name for given in (*one.given, *two.given) if len(given) == 1 for name in given if name != "poison"]
    assert sorted(alone) == NAMES[:20]


@pytest.mark.timeout(180)
def test_a_batch_whose_process_dies_in_the_middle_of_it_leaves_nothing_and_is_taken_over(
    database, bus: redis.Client, redis_url, contract
) -> None:
    """The one that kills ends among the dead letters; what was in the open transaction with it takes effect once."""
    tell(bus, *NAMES[:10], KILLER, *NAMES[10:20])
    with worker(database, redis_url, contract) as start:
        first = start()
        assert first.wait(60) == -signal.SIGKILL
        assert things(database) == set()
        assert inbox(database) == 0
        running = [start()]

        def is_over() -> bool:
            if running[-1].poll() is not None:
                running.append(start())
            return len(dead(bus)) == 1 and pending(bus) == 0

        wait_for(is_over, within_s=120)
    assert things(database) == set(NAMES[:20])
    assert [(letter.error, letter.attempts) for letter in dead(bus)] == [("ConsumerDied", 3)]


@pytest.mark.parametrize("place", ["effect.before", "effect.after"])
def test_a_process_that_dies_before_or_after_the_effect_of_a_batch_doubles_nothing(
    place, database, bus: redis.Client, redis_url, contract
) -> None:
    tell(bus, *NAMES)
    with worker(database, redis_url, contract) as start:
        assert start(place).wait(60) == -signal.SIGKILL
        assert things(database) == (set(NAMES) if place == "effect.after" else set())
        start()
        wait_for(lambda: things(database) == set(NAMES) and pending(bus) == 0, within_s=60)
    assert inbox(database) == 50
    assert dead(bus) == []


def test_each_event_of_a_batch_has_a_span_in_the_trace_of_its_cause_that_points_to_the_whole(
    database, bus: redis.Client, redis_url, contract
) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    caused = [f"{number:016x}" for number in range(1, 6)]
    events = tell(bus, *NAMES[:5])
    bus.delete(STREAM)
    for event, span_id in zip(events, caused, strict=True):
        again(bus, event, traceparent=f"00-{TRACE}-{span_id}-01")
    before = observed()
    with listening(make_consumer(redis_url, contract, recording_all(database), tracer=provider.get_tracer("test"))):
        wait_for(lambda: things(database) == set(NAMES[:5]) and pending(bus) == 0)
    *each, whole = exporter.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in each} == {TRACE}
    assert [f"{span.parent.span_id:016x}" for span in each] == caused
    assert all(link.context == whole.context for span in each for link in span.links)
    assert {span.name for span in each} == {f"process {V1}"}
    assert (whole.name, whole.parent) == (f"process {STREAM}", None)
    assert whole.attributes["messaging.batch.message_count"] == 5
    assert observed() == before + 5


def test_a_consumer_that_has_been_told_to_stop_finishes_its_batch_and_leaves_the_rest(
    database, bus: redis.Client, redis_url, contract
) -> None:
    """Nothing of what is left counts as tried, and another consumer has it at once."""
    names = [f"thing {number}" for number in range(200)]

    def slowly(events, call) -> None:
        wait(0.2)
        recording_all(database)(events, call)

    tell(bus, *names)
    never_dead = replace(QUICK, dead_after_s=3600.0)
    with listening(make_consumer(redis_url, contract, slowly, timing=never_dead)):
        wait_for(lambda: inbox(database) >= 50)
    assert inbox(database) % 50 == 0
    assert pending(bus) == 0
    with listening(make_consumer(redis_url, contract, slowly, name="two", timing=never_dead)):
        wait_for(lambda: things(database) == set(names) and pending(bus) == 0)
    assert dead(bus) == []


@contextmanager
def worker(database, redis_url: str, contract) -> Iterator:
    """Start workers in processes of their own that take events together, with a place to die at when one is given."""
    address = database.engine.url.render_as_string(hide_password=False)
    program = "tests.integration.chassis.small_service"
    command = [sys.executable, "-m", program, address, redis_url, str(contract), "2", "together"]
    started: list[subprocess.Popen[bytes]] = []

    def start(place: str = "") -> subprocess.Popen[bytes]:
        quiet, environ = subprocess.DEVNULL, {**os.environ, VARIABLE: place}
        started.append(subprocess.Popen(command, cwd=HERE.parents[2], stdout=quiet, stderr=quiet, env=environ))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def again(client: redis.Client, event, **change: object) -> None:
    """Put an event on the stream once more, as a relay does that died before it could mark it."""
    text = orjson.dumps({**orjson.loads(event.event), **change})
    client.xadd(STREAM, {"event": text, "id": str(event.id), "type": event.type})


def dead(client: redis.Client) -> list[bus_module.DeadLetter]:
    """The group's dead letters."""
    return list(bus_module.dead_letters(client, GROUP))


def counted(outcome: str) -> float:
    """How many entries have come to this end."""
    labels = {"stream": STREAM, "group": GROUP, "outcome": outcome}
    return REGISTRY.get_sample_value("infirmary_bus_handled_total", labels) or 0.0


def observed() -> float:
    """How many times the delay of an event was measured."""
    return REGISTRY.get_sample_value("infirmary_bus_delivery_seconds_count", {"stream": STREAM, "group": GROUP}) or 0.0

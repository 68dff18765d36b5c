"""Streams get shorter only by what every group has finished, and a lost bus is fed again from the outbox."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta

import pytest

from services.chassis import bus as bus_module
from services.chassis import redis
from services.chassis.bus import gauges
from services.chassis.relay import publish
from tests.integration.chassis.listening import (
    GROUP,
    STREAM,
    inbox,
    listening,
    make_consumer,
    pending,
    recording,
    tell,
)
from tests.integration.chassis.making import make_call, now, thing_added, things
from tests.waiting import wait_for

V1 = "things.added.v1"


def group(client: redis.Client, name: str) -> bus_module.Group:
    made = bus_module.Group(client, stream=STREAM, name=name)
    made.ensure()
    return made


def read(client: redis.Client, name: str, count: int):
    return group(client, name).read(client, consumer="one", count=count, block_s=0.1)


def test_a_stream_that_nobody_listens_to_is_kept(bus: redis.Client) -> None:
    tell(bus, "chair", "table")
    assert bus_module.trim(bus, STREAM) == 0
    assert bus.xlen(STREAM) == 2


def test_a_stream_that_is_not_there_is_no_error(bus: redis.Client) -> None:
    assert bus_module.trim(bus, STREAM) == 0


def test_what_every_group_has_finished_goes(bus: redis.Client) -> None:
    tell(bus, *"abcdef")
    for name in ("one", "two"):
        group(bus, name).done(*(entry.id for entry in read(bus, name, 4)))
    assert bus_module.trim(bus, STREAM) == 3
    assert len(read(bus, "one", 10)) == 2


def test_what_one_group_has_not_read_stays_for_all(bus: redis.Client) -> None:
    tell(bus, *"abcdef")
    group(bus, "stalled")
    group(bus, "quick").done(*(entry.id for entry in read(bus, "quick", 6)))
    assert bus_module.trim(bus, STREAM) == 0
    assert len(read(bus, "stalled", 10)) == 6


def test_what_is_pending_stays(bus: redis.Client) -> None:
    tell(bus, *"abcdef")
    entries = read(bus, "one", 6)
    group(bus, "one").done(*(entry.id for entry in (*entries[:2], *entries[3:])))
    assert bus_module.trim(bus, STREAM) == 2
    assert [found for found, _ in bus.xrange(STREAM)] == [entry.id for entry in entries[2:]]


def test_what_a_dead_letter_points_at_stays_for_a_redrive(bus: redis.Client) -> None:
    tell(bus, *"abcdef")
    entries = read(bus, "one", 6)
    facts = dict.fromkeys(("event_id", "type", "error", "trace"), "x") | {"attempts": "5"}
    group(bus, "one").bury(entries[3], facts=facts)
    group(bus, "one").done(*(entry.id for entry in entries))
    assert bus_module.trim(bus, STREAM) == 3
    assert len(bus_module.redrive(bus, "one")[0]) == 1
    group(bus, "one").done(*(entry.id for entry in read(bus, "one", 6)))
    assert bus_module.trim(bus, STREAM) == 3


@pytest.mark.target("A-31")
def test_trimming_under_load_with_a_stalled_group_removes_nothing_unread(bus: redis.Client, redis_url) -> None:
    """Three trimmers run while events come and one group reads; another finishes 300 and stalls with one in hand.

    It then finds every one of the others, and of the 300 there is nothing left.
    """
    group(bus, "stalled")
    stop = threading.Event()
    removed: list[int] = []

    def trim_on() -> None:
        with redis.client(redis_url, timeout_s=5) as client:
            while not stop.is_set():
                removed.append(bus_module.trim(client, STREAM))

    def read_on() -> None:
        with redis.client(redis_url, timeout_s=5) as client:
            quick = group(client, "quick")
            while not stop.is_set():
                ids = [entry.id for entry in quick.read(client, consumer="one", count=50, block_s=0.05)]
                if ids:
                    quick.done(*ids)

    threads = [threading.Thread(target=work) for work in (trim_on, trim_on, trim_on, read_on)]
    for thread in threads:
        thread.start()
    finished, in_hand = 0, []
    for start in range(0, 2000, 100):
        tell(bus, *(f"thing {number}" for number in range(start, start + 100)))
        if finished < 300:
            finished += group(bus, "stalled").done(*(entry.id for entry in read(bus, "stalled", 50)))
        else:
            in_hand = in_hand or read(bus, "stalled", 1)
    wait_for(lambda: sum(removed) == 300)
    stop.set()
    for thread in threads:
        thread.join(30)
    found = {entry.fields["id"] for entry in (*in_hand, *read(bus, "stalled", 3000))}
    assert len(found) == 1700
    assert sum(removed) == 300
    assert len(removed) > 10


@pytest.mark.target("A-19")
def test_a_bus_that_lost_everything_is_fed_again_and_every_effect_is_there_once(
    database, store, bus: redis.Client, redis_url, contract
) -> None:
    """Some events were handled and some not when the bus lost all; the state becomes what it would have been."""
    source = store
    before = now() - timedelta(minutes=1)
    names = [f"thing {number}" for number in range(60)]
    for name in names:
        with source.begin(make_call()) as unit:
            unit.record(thing_added(name))
    source.outbox.send(lambda events: publish(bus, events), limit=1000)
    kept = [fields for _, fields in bus.xrange(STREAM)]
    bus.delete(STREAM)
    for fields in kept[:40]:
        bus.xadd(STREAM, fields)
    with listening(make_consumer(redis_url, contract, {V1: recording(database)})):
        wait_for(lambda: inbox(database) == 40)
        digest_of_forty = digest(things(database))
        bus.flushdb()
        assert bus_module.republish(source.outbox, bus, since=before) == 60
        wait_for(lambda: inbox(database) == 60)
        wait_for(lambda: pending(bus) == 0)
    assert digest_of_forty != digest(set(names))
    assert digest(things(database)) == digest(set(names))
    assert list(bus_module.dead_letters(bus, GROUP)) == []


def test_the_age_of_the_oldest_unprocessed_entry_is_that_of_the_oldest_pending_or_unread(bus: redis.Client) -> None:
    assert gauges.look(bus, stream=STREAM, group=GROUP) == 0
    seconds, _ = bus.time()
    group(bus, GROUP)
    bus.xadd(STREAM, {"event": "{}"}, id=f"{(seconds - 100) * 1000}-0")
    bus.xadd(STREAM, {"event": "{}"}, id=f"{(seconds - 50) * 1000}-0")
    assert 99 < gauges.look(bus, stream=STREAM, group=GROUP) < 110
    (entry,) = read(bus, GROUP, 1)
    assert 99 < gauges.look(bus, stream=STREAM, group=GROUP) < 110
    group(bus, GROUP).done(entry.id)
    assert 49 < gauges.look(bus, stream=STREAM, group=GROUP) < 60
    group(bus, GROUP).done(*(each.id for each in read(bus, GROUP, 5)))
    assert gauges.look(bus, stream=STREAM, group=GROUP) == 0


def digest(names: set[str]) -> str:
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()

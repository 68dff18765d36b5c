"""A consumer has each event's effect exactly once, and no event, however bad, holds up the others."""

from __future__ import annotations

import time
from itertools import pairwise

import orjson
import pytest

from services.chassis import bus as bus_module
from services.chassis import redis
from services.chassis.stores import StoreAway, StoreBusy
from services.kernel.errors import Unavailable
from tests.integration.chassis.listening import (
    GROUP,
    QUICK,
    STREAM,
    inbox,
    listening,
    make_consumer,
    pending,
    recording,
    tell,
    wait,
)
from tests.integration.chassis.making import things
from tests.waiting import wait_for

V1, V2 = "things.added.v1", "things.added.v2"


def test_an_event_takes_effect_once_and_is_acknowledged(store, bus: redis.Client, redis_url, contract) -> None:
    with listening(make_consumer(redis_url, contract, {V1: recording(store)})):
        tell(bus, "chair", "table")
        wait_for(lambda: things(store) == {"chair", "table"} and pending(bus) == 0)


def test_the_same_event_twice_takes_effect_once(store, bus: redis.Client, redis_url, contract) -> None:
    (event,) = tell(bus, "chair")
    bus.xadd(STREAM, {"event": event.event, "id": str(event.id), "type": event.type})
    with listening(make_consumer(redis_url, contract, {V1: recording(store)})):
        wait_for(lambda: bool(bus.exists(STREAM)) and _is_idle(bus))
    assert things(store) == {"chair"}
    assert list(dead(bus)) == []


def test_what_was_published_before_the_group_existed_is_not_lost(database, bus, redis_url, contract) -> None:
    tell(bus, "chair")
    with listening(make_consumer(redis_url, contract, {V1: recording(database)})):
        wait_for(lambda: things(database) == {"chair"})


def test_types_without_a_handler_are_passed_over(database, bus, redis_url, contract) -> None:
    with listening(make_consumer(redis_url, contract, {V1: recording(database)})):
        tell(bus, "chair", kind=V2, colour="red")
        tell(bus, "table")
        wait_for(lambda: things(database) == {"table"} and pending(bus) == 0)


@pytest.mark.target("A-29")
def test_one_poison_among_a_thousand(database, bus, redis_url, contract) -> None:
    """999 take effect in their order, 1 is a dead letter after five attempts, without its content."""
    seen: list[str] = []
    record = recording(database)

    def handle(event, call) -> None:
        seen.append(event.subject)
        record(event, call)

    names = [f"thing {number}" for number in range(999)]
    tell(bus, *names[:500], "poison", *names[500:])
    with listening(make_consumer(redis_url, contract, {V1: handle})):
        wait_for(lambda: inbox(database) == 999, within_s=60)
        wait_for(lambda: len(list(dead(bus))) == 1)
        wait_for(lambda: pending(bus) == 0)
    assert seen.count("poison") == 5
    assert [name for name in seen if name != "poison"] == names
    (letter,) = dead(bus)
    assert (letter.error, letter.attempts, letter.stream, letter.type) == ("Boom", 5, STREAM, V1)
    assert letter.event_id
    assert letter.entry
    ((_, fields),) = bus.xrange(f"dead.{GROUP}")
    assert set(fields) == {"stream", "entry", "event_id", "type", "error", "attempts", "trace"}
    assert "poison" not in fields.values()


def test_attempts_keep_their_pauses(database, bus, redis_url, contract) -> None:
    moments: list[float] = []

    def fail(_event, _call) -> None:
        moments.append(time.monotonic())
        raise ValueError

    tell(bus, "chair")
    with listening(make_consumer(redis_url, contract, {V1: fail})):
        wait_for(lambda: len(list(dead(bus))) == 1)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert len(pauses) == 4
    for pause, least in zip(pauses, QUICK.backoff_s, strict=True):
        assert least <= pause < least + 5  # never sooner; how much later depends on the machine


def test_the_pauses_of_the_house_are_one_to_125_seconds_and_spread() -> None:
    timing = bus_timing()
    assert timing.attempts == 5
    pauses = [{timing.pause_s(f"{entry}-0", attempts=count) for entry in range(50)} for count in (1, 2, 3, 4)]
    for found, pause in zip(pauses, (1, 5, 25, 125), strict=True):
        assert pause <= min(found) < max(found) <= pause * 1.2
        assert len(found) > 40


def test_attempts_are_remembered_when_the_process_ends(database, bus, redis_url, contract) -> None:
    """Each attempt is made by another consumer, and there are still five of them."""
    seen: list[str] = []

    def fail(_event, _call) -> None:
        seen.append("try")
        raise ValueError

    tell(bus, "chair")
    for number in range(5):
        with listening(make_consumer(redis_url, contract, {V1: fail}, name=f"process {number}")):
            wait_for(lambda expected=number + 1: len(seen) >= expected)
    with listening(make_consumer(redis_url, contract, {V1: fail}, name="last")):
        wait_for(lambda: len(list(dead(bus))) == 1)
    assert len(seen) == 5


@pytest.mark.parametrize("text", ["", "not json", "[]", "{}", '{"type": "things.added.v1"}'])
def test_what_is_no_event_is_a_dead_letter_or_passed_over_at_once(text, database, bus, redis_url, contract) -> None:
    bus.xadd(STREAM, {"event": text})
    with listening(make_consumer(redis_url, contract, {V1: recording(database)})):
        tell(bus, "chair")
        wait_for(lambda: things(database) == {"chair"} and pending(bus) == 0)
    assert [letter.attempts for letter in dead(bus)] == ([] if text == "{}" else [1])


def test_bytes_that_are_no_text_are_a_dead_letter_and_end_nobody(database, bus, redis_url, contract) -> None:
    bus.xadd(STREAM, {b"event": b"\xff\xfe{"})
    with listening(make_consumer(redis_url, contract, {V1: recording(database)})):
        tell(bus, "chair")
        wait_for(lambda: things(database) == {"chair"} and pending(bus) == 0)
    assert [letter.error for letter in dead(bus)] == ["not_json"]


@pytest.mark.parametrize(
    ("change", "fate"),
    [
        ({"time": "2016-12-31T23:59:60Z"}, "dead"),
        ({"time": "yesterday"}, "dead"),
        ({"id": "7"}, "dead"),
        ({"subjectversion": -1}, "dead"),
        ({"data": None}, "dead"),
        ({"subjectversion": 1.0}, "handled"),
        ({"traceparent": "nonsense"}, "handled"),
        ({"newfield": 1}, "handled"),
    ],
)
def test_an_odd_envelope_is_handled_or_a_dead_letter_and_ends_nobody(
    change, fate, database, bus, redis_url, contract
) -> None:
    (event,) = tell(bus, "chair")
    bus.delete(STREAM)
    bus.xadd(STREAM, {"event": orjson.dumps({**orjson.loads(event.event), **change})})
    with listening(make_consumer(redis_url, contract, {V1: recording(database)})):
        tell(bus, "last")
        wait_for(lambda: "last" in things(database) and pending(bus) == 0)
    assert len(list(dead(bus))) == (fate == "dead")
    assert ("chair" in things(database)) == (fate == "handled")


def test_an_event_that_breaks_its_schema_is_a_dead_letter_at_once(database, bus, redis_url, contract) -> None:
    (event,) = tell(bus, "chair", id=7)
    with listening(make_consumer(redis_url, contract, {V1: recording(database)})):
        wait_for(lambda: len(list(dead(bus))) == 1)
    (letter,) = dead(bus)
    assert (letter.error, letter.attempts, letter.event_id) == ("invalid_event", 1, str(event.id))
    assert things(database) == set()


def test_a_store_that_is_away_costs_no_attempt(database, bus, redis_url, contract) -> None:
    """Ten times the store is away, then it is back; no dead letter, and what comes after waits its turn."""
    away = iter(range(10))
    record, order = recording(database), []

    def handle(event, call) -> None:
        if event.subject == "chair" and next(away, None) is not None:
            raise StoreAway("postgresql", "test")
        record(event, call)
        order.append(event.subject)

    tell(bus, "chair", "table")
    with listening(make_consumer(redis_url, contract, {V1: handle})):
        wait_for(lambda: things(database) == {"chair", "table"} and pending(bus) == 0)
    assert list(dead(bus)) == []


def test_a_short_absence_of_the_store_keeps_the_order(database, bus, redis_url, contract) -> None:
    away = iter(range(2))
    record, order = recording(database), []

    def handle(event, call) -> None:
        if next(away, None) is not None:
            raise StoreAway("postgresql", "test")
        record(event, call)
        order.append(event.subject)

    tell(bus, "chair", "table")
    with listening(make_consumer(redis_url, contract, {V1: handle})):
        wait_for(lambda: len(order) == 2)
    assert order == ["chair", "table"]


def test_another_service_that_is_away_costs_no_attempt(database, bus, redis_url, contract) -> None:
    away = iter(range(10))
    record = recording(database)

    def handle(event, call) -> None:
        if next(away, None) is not None:
            raise Unavailable("patients")
        record(event, call)

    tell(bus, "chair")
    with listening(make_consumer(redis_url, contract, {V1: handle})):
        wait_for(lambda: things(database) == {"chair"} and pending(bus) == 0)
    assert list(dead(bus)) == []


def test_two_units_of_work_that_meet_are_tried_again_at_once(database, bus, redis_url, contract) -> None:
    busy, record = iter(range(2)), recording(database)

    def handle(event, call) -> None:
        if next(busy, None) is not None:
            raise StoreBusy("postgresql", "40001")
        record(event, call)

    tell(bus, "chair")
    started = time.monotonic()
    slow = bus_timing(backoff_s=(30.0,))
    with listening(make_consumer(redis_url, contract, {V1: handle}, timing=slow)):
        wait_for(lambda: things(database) == {"chair"})
    assert time.monotonic() - started < 10


@pytest.mark.target("A-28")
@pytest.mark.parametrize("timing", [QUICK, pytest.param(bus_module.Timing(), marks=pytest.mark.nightly)])
def test_what_a_dead_consumer_has_left_is_taken_over(timing, database, bus, redis_url, contract, figure) -> None:
    """A consumer was given 500 events and died with them; none is lost, none counts as tried.

    In the short form one is taken for dead after 1 s; with the times of the house all is done within 90 s.
    """
    group = bus_group(bus)
    group.ensure()
    tell(bus, *(f"thing {number}" for number in range(500)))
    assert len(group.read(bus, consumer="dead", count=500, block_s=0.1)) == 500
    died = time.monotonic()
    with listening(make_consumer(redis_url, contract, {V1: recording(database)}, timing=timing)):
        wait_for(lambda: inbox(database) == 500 and pending(bus) == 0, within_s=90)
    figure(f"500 done, of one that counts as dead after {timing.dead_after_s:g} s", time.monotonic() - died, "s")
    assert list(dead(bus)) == []


def test_a_living_consumer_that_is_slow_keeps_what_it_has(database, bus, redis_url, contract) -> None:
    """Handling the batch takes longer than the time after which one is taken for dead; nobody handles it twice."""
    seen: list[str] = []

    def slowly(event, _call) -> None:
        wait(0.12)
        seen.append(event.subject)

    names = [f"thing {number}" for number in range(20)]
    tell(bus, *names)
    handlers = {V1: slowly}
    with listening(
        make_consumer(redis_url, contract, handlers), make_consumer(redis_url, contract, handlers, name="two")
    ):
        wait_for(lambda: len(seen) >= 20)
        wait_for(lambda: pending(bus) == 0)
    assert sorted(seen) == sorted(names)


def test_a_consumer_that_stops_hands_the_rest_to_others_at_once(database, bus, redis_url, contract) -> None:
    seen: list[str] = []

    def slowly(event, _call) -> None:
        wait(0.1)
        seen.append(event.subject)

    names = [f"thing {number}" for number in range(10)]
    tell(bus, *names)
    never_dead = bus_timing(backoff_s=QUICK.backoff_s, dead_after_s=3600.0, look_s=0.02, block_s=0.1)
    with listening(make_consumer(redis_url, contract, {V1: slowly}, timing=never_dead)):
        wait_for(lambda: len(seen) >= 2)
    left = len(names) - len(seen)
    assert left > 0
    with listening(make_consumer(redis_url, contract, {V1: slowly}, name="two", timing=never_dead)):
        wait_for(lambda: len(seen) == 10)
    assert sorted(seen) == sorted(names)
    assert list(dead(bus)) == []


def test_a_pending_entry_whose_content_is_gone_is_counted_and_let_go(database, bus, redis_url, contract) -> None:
    group = bus_group(bus)
    group.ensure()
    tell(bus, "chair")
    (entry,) = group.read(bus, consumer="dead", count=1, block_s=0.1)
    bus.xdel(STREAM, entry.id)
    before = lost_so_far()
    with listening(make_consumer(redis_url, contract, {V1: recording(database)})):
        wait_for(lambda: pending(bus) == 0)
        wait_for(lambda: lost_so_far() == before + 1)
    assert list(dead(bus)) == []


@pytest.mark.target("A-32")
def test_two_versions_of_an_event_live_together(database, bus, redis_url, contract) -> None:
    """An old listener passes over fields it does not know, and a new one reads the old version too."""
    seen: list[tuple[str, object]] = []

    def handle(event, _call) -> None:
        seen.append((event.type, event.data.get("colour")))

    tell(bus, "chair")
    tell(bus, "table", colour="a field that version 1 does not have")
    tell(bus, "lamp", kind=V2, colour="red")
    with listening(make_consumer(redis_url, contract, {V1: handle, V2: handle})):
        wait_for(lambda: len(seen) == 3)
    assert seen == [(V1, None), (V1, "a field that version 1 does not have"), (V2, "red")]
    assert list(dead(bus)) == []


def test_redriven_dead_letters_are_handled_when_the_cause_is_mended(database, bus, redis_url, contract) -> None:
    tell(bus, "poison")
    with listening(make_consumer(redis_url, contract, {V1: recording(database)})):
        wait_for(lambda: len(list(dead(bus))) == 1)
    sent, gone = redrive(bus)
    assert (len(sent), len(gone)) == (1, 0)
    with listening(make_consumer(redis_url, contract, {V1: recording(database, poison="nothing")})):
        wait_for(lambda: things(database) == {"poison"} and pending(bus) == 0)
    assert list(dead(bus)) == []


def test_a_dead_letter_whose_event_is_gone_stays_and_is_named(database, bus, redis_url, contract) -> None:
    tell(bus, "poison")
    with listening(make_consumer(redis_url, contract, {V1: recording(database)})):
        wait_for(lambda: len(list(dead(bus))) == 1)
    (letter,) = dead(bus)
    bus.xdel(STREAM, letter.entry)
    sent, gone = redrive(bus)
    assert (sent, gone) == ([], [letter])
    assert list(dead(bus)) == [letter]


def test_the_trace_of_the_sender_goes_on_in_the_handler(database, bus, redis_url, contract) -> None:
    parents: list[str | None] = []
    (event,) = tell(bus, "chair")
    envelope = orjson.loads(event.event)
    envelope["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    bus.delete(STREAM)
    bus.xadd(STREAM, {"event": orjson.dumps(envelope), "id": str(event.id), "type": event.type})
    with listening(make_consumer(redis_url, contract, {V1: lambda found, _call: parents.append(found.trace_parent)})):
        wait_for(lambda: len(parents) == 1)
    assert parents == [envelope["traceparent"]]


def dead(client: redis.Client):
    """The group's dead letters."""
    return bus_module.dead_letters(client, GROUP)


def redrive(client: redis.Client):
    """Send them round again."""
    return bus_module.redrive(client, GROUP)


def bus_timing(**times: object):
    """The times of the house, but for these."""
    return bus_module.Timing(**times)


def bus_group(client: redis.Client):
    """The group."""
    return bus_module.Group(client, stream=STREAM, name=GROUP)


def lost_so_far() -> float:
    """How many lost entries were counted."""
    from services.chassis.bus import counts

    return counts.LOST.labels(STREAM, GROUP)._value.get()


def _is_idle(client: redis.Client) -> bool:
    """Whether the group, which a consumer makes when it starts, has finished all that there is."""
    groups = client.xinfo_groups(STREAM)
    (last,) = client.xrevrange(STREAM, count=1)
    return bool(groups) and bool(groups[0]["last-delivered-id"] == last[0] and groups[0]["pending"] == 0)

"""The relay brings every committed event to its stream, whatever happens to it or to the bus."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa

from services.chassis import mongo, redis, sql
from services.chassis.outbox import Outbox, outgoing
from services.chassis.relay import Relay, publish
from services.chassis.stores import StoreAway
from tests import stores
from tests.integration.chassis.listening import listening, make_consumer, recording
from tests.integration.chassis.making import killed, make_call, new_id, now, thing_added, things
from tests.waiting import wait_for

Store = sql.Database | mongo.Documents
STREAM = "events.things"


def test_what_was_committed_arrives_in_its_order_with_its_whole_envelope(store: Store, bus: redis.Client) -> None:
    add(store, "chair", "table", "lamp")
    with relaying(store.outbox, bus):
        wait_for(lambda: bus.xlen(STREAM) == 3)
    assert subjects(bus) == ["chair", "table", "lamp"]
    ((_, fields),) = bus.xrange(STREAM, count=1)
    envelope = orjson.loads(fields["event"])
    assert (fields["id"], fields["type"]) == (envelope["id"], envelope["type"])
    assert store.outbox.backlog().unsent == 0


@pytest.mark.target("A-27")
def test_a_slow_transaction_with_a_low_position_is_not_passed_over(
    database: sql.Database, bus: redis.Client, redis_url, contract, rounds
) -> None:
    """One transaction takes its position first and commits some seconds later, after a thousand others were handled."""
    seconds, slow = (
        rounds(full=10, short=2),
        outgoing(make_call(), [thing_added("slow")], service="things", new_id=new_id),
    )
    names = [f"thing {number}" for number in range(1000)]
    consumer = make_consumer(redis_url, contract, {"things.added.v1": recording(database)})
    with relaying(database.outbox, bus), listening(consumer), database.engine.connect() as connection:
        connection.exec_driver_sql("SET idle_in_transaction_session_timeout = 0")
        connection.commit()
        with connection.begin():
            insert = sa.text("INSERT INTO outbox (id, stream, type, event) VALUES (:id, :stream, :type, :event)")
            connection.execute(insert, [asdict(each) for each in slow])
            since = time.monotonic()
            for name in names:
                add(database, name)
            wait_for(lambda: things(database) == set(names), within_s=60)
            lowest = connection.execute(sa.text("SELECT min(position) FROM outbox")).scalar_one()
            mine = connection.execute(sa.text("SELECT position FROM outbox WHERE id = :id"), {"id": slow[0].id})
            assert mine.scalar_one() == lowest
            wait_for(lambda: time.monotonic() - since > seconds, what="the slow transaction was slow enough")
        wait_for(lambda: things(database) == {*names, "slow"})
    assert subjects(bus) == [*names, "slow"]


def test_several_relays_share_the_work_and_send_each_event_once(store: Store, bus: redis.Client) -> None:
    add(store, *(f"thing {number}" for number in range(600)))
    with relaying(store.outbox, bus), relaying(store.outbox, bus), relaying(store.outbox, bus):
        wait_for(lambda: store.outbox.backlog().unsent == 0)
    assert sorted(subjects(bus)) == sorted(f"thing {number}" for number in range(600))


def test_a_relay_that_sends_does_not_keep_another_from_the_rest(store: Store, bus: redis.Client) -> None:
    add(store, "chair", "table")
    inside, goes_on = threading.Event(), threading.Event()

    def slowly(events):
        inside.set()
        assert goes_on.wait(10)
        publish(bus, events)

    slow = threading.Thread(target=lambda: store.outbox.send(slowly, limit=1))
    slow.start()
    assert inside.wait(10)
    assert store.outbox.send(lambda events: publish(bus, events)) == 1
    goes_on.set()
    slow.join(10)
    assert subjects(bus) == ["table", "chair"]


def test_a_relay_killed_between_stream_and_mark_sends_again_and_loses_nothing(
    store: Store, mongo_server: str, redis_url: str, bus: redis.Client
) -> None:
    """The process is killed with the batch on the stream and no mark; another relay repeats it after the claim."""
    add(store, "chair", "table")
    killed("dying_relay", redis_url, store=store, server=mongo_server)
    assert subjects(bus) == ["chair", "table"]
    with relaying(store.outbox, bus):
        wait_for(lambda: store.outbox.backlog().unsent == 0)
    assert subjects(bus) == ["chair", "table"] * 2
    ids = [fields["id"] for _, fields in bus.xrange(STREAM)]
    assert len(set(ids)) == 2


def test_while_the_bus_is_away_events_wait_and_then_all_arrive(store: Store, tmp_path: Path) -> None:
    own = stores.Own("redis", tmp_path)
    own.start()
    with redis.client(own.url, timeout_s=1) as client, relaying(store.outbox, client):
        add(store, "chair")
        wait_for(lambda: client.xlen(STREAM) == 1)
        own.kill()
        add(store, "table", "lamp")
        assert store.outbox.backlog().unsent == 2
        own.start()
        wait_for(lambda: store.outbox.backlog().unsent == 0)
        assert set(subjects(client)) == {"chair", "table", "lamp"}
    own.kill()


def test_a_failed_send_leaves_everything_unsent_and_free_at_once(store: Store, bus: redis.Client) -> None:
    add(store, "chair", "table")

    def fail(_events):
        raise StoreAway("redis", "test")

    with pytest.raises(StoreAway):
        store.outbox.send(fail)
    assert store.outbox.send(lambda events: publish(bus, events)) == 2


def test_the_backlog_says_how_many_wait_and_for_how_long(store: Store) -> None:
    assert store.outbox.backlog().unsent == 0
    assert store.outbox.backlog().oldest_s == 0
    add(store, "chair", "table")
    backlog = store.outbox.backlog()
    assert backlog.unsent == 2
    assert 0 <= backlog.oldest_s < 10


def test_what_was_sent_since_a_moment_can_be_read_again_in_order(store: Store, bus: redis.Client) -> None:
    add(store, "before")
    store.outbox.send(lambda events: publish(bus, events))
    sent = server_time(store)
    wait_for(lambda: server_time(store) > sent, what="the next millisecond, which is as fine as a store may count")
    since = server_time(store)
    add(store, *(f"thing {number}" for number in range(7)))
    store.outbox.send(lambda events: publish(bus, events))
    add(store, "unsent")
    batches = list(store.outbox.sent_since(since, batch=3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    found = [orjson.loads(each.event)["subject"] for batch in batches for each in batch]
    assert found == [f"thing {number}" for number in range(7)]


def test_purging_forgets_what_was_sent_before_and_nothing_else(store: Store, bus: redis.Client) -> None:
    add(store, "old")
    store.outbox.send(lambda events: publish(bus, events))
    add(store, "unsent")
    assert store.outbox.purge(now() - timedelta(days=35)) == 0
    assert store.outbox.purge(now() + timedelta(minutes=1)) == 1
    assert store.outbox.backlog().unsent == 1


def test_tidying_keeps_what_is_young(store: Store, bus: redis.Client) -> None:
    keyed = make_call(key="k", body="chair")
    with store.begin(keyed) as unit:
        unit.record(thing_added("chair"))
        keyed.answer({"id": "chair"})
    store.outbox.send(lambda events: publish(bus, events))
    day = make_call()
    store.tidy(day)
    assert technical_rows(store) == {"outbox": 1, "idempotency": 1}
    day.at = now() + timedelta(days=8)
    store.tidy(day)
    assert technical_rows(store) == {"outbox": 1, "idempotency": 0}
    day.at = now() + timedelta(days=36)
    store.tidy(day)
    assert technical_rows(store) == {"outbox": 0, "idempotency": 0}


def add(store: Store, *names: str) -> None:
    """Commit one event for each name, in this order."""
    with store.begin(make_call()) as unit:
        unit.record(*(thing_added(name) for name in names))


@contextmanager
def relaying(outbox: Outbox, bus: redis.Client) -> Iterator[None]:
    """A relay that runs meanwhile."""
    if isinstance(outbox, mongo.MongoOutbox):
        outbox = mongo.MongoOutbox(outbox._outbox.database, new_id=new_id, lease_s=1.0)
    stop = threading.Event()
    thread = threading.Thread(target=Relay(outbox, bus, service="things").run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def subjects(bus: redis.Client) -> list[str]:
    """The subjects on the stream, in its order."""
    return [orjson.loads(fields["event"])["subject"] for _, fields in bus.xrange(STREAM)]


def server_time(store: Store):
    """The time by the clock that marks what was sent."""
    if isinstance(store, sql.Database):
        with store.read() as connection:
            return connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    return store.client.admin.command("hello")["localTime"]


def technical_rows(store: Store) -> dict[str, int]:
    """How much is in the outbox and among the stored answers."""
    names = ("outbox", "idempotency")
    if isinstance(store, sql.Database):
        with store.read() as connection:
            return {name: connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}
    return {name: store.database[name].count_documents({}) for name in names}

"""A listener for the tests: it writes down each thing that was added, with the chassis's own parts and quick times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
import sqlalchemy as sa
from opentelemetry import trace

from services.chassis import bus, mongo, redis, sql
from services.chassis.call import Call
from services.chassis.outbox import Outgoing, outgoing
from services.chassis.relay import publish
from tests.integration.chassis.making import insert_thing, make_call, new_id, now, thing_added

STREAM, GROUP = "events.things", "listener"
QUICK = bus.Timing(
    backoff_s=(0.05, 0.1, 0.15, 0.2),
    dead_after_s=1.0,
    takeover_every_s=0.1,
    look_s=0.02,
    block_s=0.1,
    away_s=(0.05, 0.1),
)


class Boom(Exception):
    """What a handler raises when it meets a poison."""


def recording(store: sql.Database | mongo.Documents, *, poison: str = "poison") -> bus.Handler:
    """A handler that adds the thing to the store, with the inbox mark; a thing with this name it cannot bear."""

    def handle(event: bus.Received, call: Call) -> None:
        with store.begin(call) as unit:
            insert_thing(unit, str(event.data["id"]))
            if event.subject == poison:
                raise Boom("a secret that no log and no dead letter may hold")

    return handle


def recording_all(store: sql.Database | mongo.Documents, *, poison: str = "poison") -> bus.BatchHandler:
    """The same for several things in one unit of work."""

    def handle(events: Sequence[bus.Received], call: Call) -> None:
        with store.begin(call) as unit:
            for event in events:
                insert_thing(unit, str(event.data["id"]))
                if event.subject == poison:
                    raise Boom("a secret that no log and no dead letter may hold")

    return handle


def make_consumer(
    redis_url: str,
    contract: Path,
    handlers: dict[str, bus.Handler] | bus.BatchHandler,
    *,
    name: str = "one",
    timing: bus.Timing = QUICK,
    tracer: trace.Tracer | None = None,
) -> bus.Consumer:
    """A consumer of the group: with a handler for each type, or with one that takes things of version 1 in batches."""
    client = redis.client(redis_url, timeout_s=2)
    subscription: bus.Subscription | bus.BatchSubscription
    if isinstance(handlers, dict):
        subscription = bus.Subscription(stream=STREAM, handlers=handlers)
    else:
        subscription = bus.BatchSubscription(stream=STREAM, types=["things.added.v1"], handler=handlers)
    schemas = bus.EventSchemas(contract)
    handling = bus.Handling(subscription, group=GROUP, schemas=schemas, clock=now, new_id=new_id, tracer=tracer)
    group = bus.Group(client, stream=STREAM, name=GROUP)
    reader = redis.client(redis_url, timeout_s=timing.block_s + 2)
    return bus.Consumer(group, handling, reader=reader, name=name, timing=timing)


@contextmanager
def listening(*consumers: bus.Consumer) -> Iterator[None]:
    """These consumers run meanwhile, each in its two threads."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def guarded(part: Callable[[threading.Event], None]) -> None:
        try:
            part(stop)
        except BaseException as error:
            failures.append(error)

    parts = [part for consumer in consumers for part in (consumer.read, consumer.retry)]
    threads = [threading.Thread(target=guarded, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads)
        assert not failures, failures


def tell(client: redis.Client, *names: str, kind: str = "things.added.v1", **data: object) -> list[Outgoing]:
    """Put one event for each name on the stream, as a relay does; what was put."""
    call = make_call()
    events = [thing_added(name) for name in names]
    out = outgoing(call, events, service="things", new_id=new_id)
    if kind != "things.added.v1" or data:
        out = [_changed(each, kind, data) for each in out]
    publish(client, out)
    return out


def _changed(each: Outgoing, kind: str, data: dict[str, object]) -> Outgoing:
    envelope = orjson.loads(each.event)
    envelope |= {"type": kind, "schemaversion": int(kind[-1]), "data": {**envelope["data"], **data}}
    return Outgoing(id=each.id, stream=each.stream, type=kind, event=orjson.dumps(envelope).decode())


def pending(client: redis.Client) -> int:
    """How many entries the group was given and has not acknowledged."""
    groups = client.xinfo_groups(STREAM) if client.exists(STREAM) else []
    return sum(group["pending"] for group in groups if group["name"] == GROUP)


def inbox(store: sql.Database) -> int:
    """How many events the group has handled."""
    with store.read() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM inbox")).scalar_one())


def wait(seconds: float) -> None:
    """Let time pass in which nothing may happen."""
    time.sleep(seconds)

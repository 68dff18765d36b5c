"""How fast the audit writes a backlog into its trail: events of one unit of work together, beside each in its own.

    python -m benchmarks.bench_audit [entries]

Both are the consumer of the audit with its own handler, on a PostgreSQL and a Redis that lose nothing. What counts is
the ratio, and the CPU of this process for an entry; absolute rates only show the order.
"""

from __future__ import annotations

import secrets
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from services.audit import app, consumers
from services.audit.repository import AuditStore
from services.chassis import bus, redis, sql
from services.chassis.call import Call
from services.chassis.outbox import AUDIT_STREAM, AUDIT_TYPE, Outgoing, outgoing
from services.chassis.relay import publish
from services.chassis.service import new_id, now
from services.kernel.access import Actor
from tests import stores

OPENAPI = Path(__file__).resolve().parents[1] / "openapi"
ROUNDS, GROUP = 3, "audit"


def told(count: int) -> list[Outgoing]:
    """So many entries of the trail in their envelopes, as a service tells them."""
    made: list[Outgoing] = []
    actor = Actor(subject=str(new_id()), session=str(new_id()), roles=frozenset({"receptionist"}))
    for _ in range(count):
        call = Call(id=new_id(), operation="book_appointment", action="create", actor=actor, at=now(), request_id="r")
        call.audit(patient=new_id(), record=new_id(), version=1)
        made += outgoing(call, [], service="appointments", new_id=new_id)
    return made


def record_alone(event: bus.Received, call: Call, *, store: AuditStore) -> None:
    """The handler of the audit for one event."""
    consumers.record_entries([event], call, store=store)


def drained(url: str, redis_url: str, events: Sequence[Outgoing], *, together: bool) -> tuple[float, float]:
    """Seconds and CPU seconds that a consumer takes for a backlog in an empty trail."""
    sql.migrate(url, app.MIGRATIONS)
    engine = sql.engine(url, name=GROUP)
    store = AuditStore(sql.Database(engine, service=GROUP, clock=now, new_id=new_id), second_place=None)
    subscription: bus.Subscription | bus.BatchSubscription = bus.Subscription(
        stream=AUDIT_STREAM, handlers={AUDIT_TYPE: partial(record_alone, store=store)}
    )
    if together:
        handler = partial(consumers.record_entries, store=store)
        subscription = bus.BatchSubscription(stream=AUDIT_STREAM, types=[AUDIT_TYPE], handler=handler)
    with redis.client(redis_url, timeout_s=10) as client, redis.client(redis_url, timeout_s=10) as reader:
        client.flushdb()
        for start in range(0, len(events), 500):
            publish(client, events[start : start + 500])
        handling = bus.Handling(subscription, group=GROUP, schemas=bus.EventSchemas(OPENAPI), clock=now, new_id=new_id)
        group = bus.Group(client, stream=AUDIT_STREAM, name=GROUP)
        consumer = bus.Consumer(group, handling, reader=reader, name="one", timing=bus.Timing(block_s=0.1))
        stop = threading.Event()
        thread = threading.Thread(target=consumer.read, args=(stop,))
        started, cpu = time.perf_counter(), time.process_time()
        thread.start()
        _wait_for(engine, len(events))
        took = time.perf_counter() - started, time.process_time() - cpu
        stop.set()
        thread.join()
    engine.dispose()
    return took


def _wait_for(engine: sa.Engine, entries: int) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.execute(sa.text("SELECT position FROM chain_head")).scalar_one() < entries:
            time.sleep(0.02)


def main() -> int:
    """Print the figures."""
    events = told(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
    with stores.databases(stores.address("postgres"), f"bench_{secrets.token_hex(4)}") as new_database:
        redis_url = f"{stores.address('redis').rstrip('/').removesuffix('/0')}/1"
        rounds = [
            [drained(new_database(), redis_url, events, together=together) for together in (False, True)]
            for _ in range(ROUNDS)
        ]
    for number, name in enumerate(("each alone", "together")):
        took, cpu = (statistics.median(each[number][kind] for each in rounds) for kind in (0, 1))
        per_s, each_ms = len(events) / took, cpu / len(events) * 1000
        sys.stdout.write(f"{name:<12} {per_s:7.0f} entries/s   {each_ms:.2f} ms CPU for an entry\n")
    ratio = statistics.median(alone[0] / together[0] for alone, together in rounds)
    sys.stdout.write(f"{len(events)} entries, together to alone: {ratio:.1f}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

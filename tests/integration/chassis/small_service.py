"""A whole small service for the tests: it relays its own events and listens to those of others, in a real worker.

As a program it is such a worker in a process of its own, which a test may kill:
`python -m tests.integration.chassis.small_service POSTGRES_URL REDIS_URL OPENAPI_DIR [PAUSES [together]]`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from services.chassis import bus, config, redis, sql, worker
from services.chassis.call import Call
from services.chassis.jobs import Job
from services.chassis.service import Part, Service
from tests.integration.chassis.listening import GROUP, QUICK, STREAM, recording
from tests.integration.chassis.making import MIGRATIONS, insert_thing, new_id, now

KILLER = "killer"
BEGUN = "test.begun"  # on the bus: how often a handler was called


def build(
    postgres_url: str,
    redis_url: str,
    contract: Path,
    *,
    handler: bus.Handler | None = None,
    batch_handler: bus.BatchHandler | None = None,
    jobs: Sequence[Job] = (),
    parts: Mapping[str, Part] | None = None,
) -> Service:
    """The service `listener`: a thing told is a thing recorded, in its own database."""
    environ = {
        "BUS_URL": redis_url,
        "IDENTITY_URL": "http://127.0.0.1:9",
        "SERVICE_SECRET": "made for this test only",
        "OPENAPI_DIR": str(contract),
        "WORKER_PORT": "0",
    }
    engine = sql.engine(postgres_url, name=GROUP)
    database = sql.Database(engine, service=GROUP, clock=now, new_id=new_id)
    return Service(
        name=GROUP,
        settings=config.load(config.ServiceSettings, environ),
        controller=object(),
        audit=database.audit,
        readiness={"database": database.ping},
        migrate=lambda: sql.migrate(postgres_url, MIGRATIONS),
        close=[engine.dispose],
        outbox=database.outbox,
        subscriptions=[
            bus.Subscription(stream=STREAM, handlers={"things.added.v1": handler or recording(database)})
            if batch_handler is None
            else bus.BatchSubscription(stream=STREAM, types=["things.added.v1"], handler=batch_handler),
        ],
        jobs=jobs,
        parts=parts or {},
    )


def _dying(database_handler: bus.Handler, client: redis.Client) -> bus.Handler:
    def handle(event: bus.Received, call: Call) -> None:
        client.incr(BEGUN)
        if event.subject == KILLER:
            os.kill(os.getpid(), signal.SIGKILL)
        database_handler(event, call)

    return handle


def _dying_midway(database: sql.Database) -> bus.BatchHandler:
    """Take events together, and die at the killer, with what came before it in the open transaction."""

    def handle(events: Sequence[bus.Received], call: Call) -> None:
        with database.begin(call) as unit:
            for event in events:
                if event.subject == KILLER:
                    os.kill(os.getpid(), signal.SIGKILL)
                insert_thing(unit, event.subject)

    return handle


def main(postgres_url: str, redis_url: str, contract: str, pauses: str = "4", together: str = "") -> int:
    """Work until told to stop; an event is tried once more than there are pauses."""
    timing = replace(QUICK, dead_after_s=3.0, backoff_s=QUICK.backoff_s[: int(pauses)])
    engine = sql.engine(postgres_url, name=GROUP)
    database = sql.Database(engine, service=GROUP, clock=now, new_id=new_id)
    service = build(
        postgres_url,
        redis_url,
        Path(contract),
        handler=_dying(recording(database), redis.client(redis_url)),
        batch_handler=_dying_midway(database) if together else None,
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    worker.run(service, stop, timing=timing)
    return 0 if stop.is_set() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

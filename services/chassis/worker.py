"""Everything of a service that is not a request: relay, consumers, jobs and parts, each in a thread of its own."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from typing import Final

from services.chassis import bus, logs, redis, redis_gauges, watching
from services.chassis.bus import counts, gauges
from services.chassis.jobs import Timer
from services.chassis.outbox import stream_of
from services.chassis.relay import BUS_TIMEOUT_S, Relay
from services.chassis.service import Part, Service, new_id, now
from services.chassis.stores import StoreAway

STOP_S: Final = 20.0
_LOOK_EVERY_S, _TRIM_EVERY_S = 5.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bus:
    client: redis.Client
    reader: redis.Client

    def close(self) -> None:
        """Give back the connections."""
        self.client.close()
        self.reader.close()


def run(service: Service, stop: threading.Event, *, timing: bus.Timing | None = None) -> None:
    """Run all parts until `stop` is set, or until one of them dies; then stop the others and return.

    A part survives stores and the bus being away. What it does not survive is a mistake in the program: then the whole
    process goes, and whoever watches over it starts another.
    """
    times = timing or bus.Timing()
    url = service.settings.bus_url.get_secret_value()
    opened = _Bus(
        client=redis.client(url, timeout_s=BUS_TIMEOUT_S), reader=redis.client(url, timeout_s=times.block_s + 1.0)
    )
    halt, died = threading.Event(), threading.Event()
    threads = [
        threading.Thread(target=_guarded, args=(name, part, halt, died), name=name, daemon=True)
        for name, part in _parts(service, opened, times).items()
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(0.1) and not died.is_set():
        pass
    halt.set()
    until = time.monotonic() + STOP_S
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    opened.close()


def _guarded(name: str, part: Part, halt: threading.Event, died: threading.Event) -> None:
    try:
        part(halt)
    except BaseException as error:  # noqa: BLE001 - whatever ends a part is told, and ends the process
        logs.logger().error("worker.part_died", part=name, exc_info=error)
    finally:
        if not halt.is_set():
            died.set()


def _parts(service: Service, opened: _Bus, times: bus.Timing) -> dict[str, Part]:
    stores = [*service.stores, redis_gauges.look(opened.client, name="bus")]
    parts: dict[str, Part] = {"upkeep": _upkeep(service, opened.client), "stores": watching.watch(stores)}
    if service.outbox is not None:
        parts["relay"] = Relay(service.outbox, opened.client, service=service.name).run
    if service.subscriptions:
        schemas = bus.EventSchemas(service.settings.openapi_dir)
        consumer_name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        for each in service.subscriptions:
            handling = bus.Handling(each, group=service.name, schemas=schemas, clock=now, new_id=new_id)
            group = bus.Group(opened.client, stream=each.stream, name=service.name)
            consumer = bus.Consumer(group, handling, reader=opened.reader, name=consumer_name, timing=times)
            parts[f"read {each.stream}"] = consumer.read
            parts[f"retry {each.stream}"] = consumer.retry
    for job in service.jobs:
        timer = Timer(job, service=service.name, bus=opened.client, clock=now, new_id=new_id)
        parts[f"job {job.name}"] = timer.run
    return {**parts, **service.parts}


def _upkeep(service: Service, client: redis.Client) -> Part:
    """Measure how far behind the groups are, and shorten the streams that this service reads or writes."""
    listened = [each.stream for each in service.subscriptions]
    streams = sorted({stream_of(service.name), *listened})

    def keep(stop: threading.Event) -> None:
        for stream in streams:
            counts.TRIMMED.labels(stream)  # from zero on, so that the first one is seen
        round_ = 0
        while not stop.wait(_LOOK_EVERY_S):
            round_ += 1
            try:
                for stream in listened:
                    gauges.look(client, stream=stream, group=service.name)
                if round_ * _LOOK_EVERY_S % _TRIM_EVERY_S == 0:
                    for stream in streams:
                        bus.trim(client, stream)
            except StoreAway as error:
                logs.logger().warning("upkeep.paused", store=error.store, reason=error.reason)

    return keep

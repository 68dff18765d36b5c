"""The relay: carries what a store has committed to the streams of the bus, at least once, by any number of relays."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Final

from prometheus_client import Counter, Gauge

from services.chassis import failpoints, logs, redis
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.stores import StoreAway, StoreBusy

BATCH: Final = 100
# A pipeline of a whole batch waits for the disk of the bus; nobody waits for the relay.
BUS_TIMEOUT_S: Final = 5.0
_AFTER_WORK_S, _LONGEST_IDLE_S = 0.1, 0.2
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_LOOK_EVERY_S = 2.0

UNSENT = Gauge("infirmary_outbox_unsent", "Committed events that no stream has yet.", ["service"])
OLDEST = Gauge("infirmary_outbox_oldest_unsent_seconds", "Age of the oldest of them.", ["service"])
PUBLISHED = Counter("infirmary_bus_published_total", "Events added to a stream, repeats included.", ["stream"])
PAUSED = Counter("infirmary_outbox_relay_pauses_total", "Times the relay waited for a store or the bus.", ["service"])


class Relay:
    """One relay of one service."""

    def __init__(self, outbox: Outbox, bus: redis.Client, *, service: str) -> None:
        self._outbox = outbox
        self._bus = bus
        self._service = service
        self._looked = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Carry until told to stop: at once while there is work, five times a second when there is none."""
        idle_s, pause_s = _AFTER_WORK_S, _FIRST_PAUSE_S
        while not stop.is_set():
            try:
                sent = self._outbox.send(self._publish, limit=BATCH)
                self._look()
            except (StoreAway, StoreBusy) as error:
                PAUSED.labels(self._service).inc()
                logs.logger().warning("relay.paused", store=error.store, reason=error.reason)
                stop.wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            pause_s = _FIRST_PAUSE_S
            idle_s = _AFTER_WORK_S if sent else min(idle_s * 2, _LONGEST_IDLE_S)
            if sent < BATCH:
                stop.wait(idle_s)

    def _publish(self, events: Sequence[Outgoing]) -> None:
        publish(self._bus, events)

    def _look(self) -> None:
        if time.monotonic() - self._looked < _LOOK_EVERY_S:
            return
        backlog = self._outbox.backlog()
        UNSENT.labels(self._service).set(backlog.unsent)
        OLDEST.labels(self._service).set(backlog.oldest_s)
        self._looked = time.monotonic()


def publish(bus: redis.Client, events: Sequence[Outgoing]) -> None:
    """Add events to their streams in one round trip.

    Raises:  StoreAway: some, all or none of them are on the bus; add them again.
    """
    failpoints.reach("publish.before")
    with redis.translated():
        pipeline = bus.pipeline(transaction=False)
        for each in events:
            pipeline.xadd(each.stream, {"event": each.event, "id": str(each.id), "type": each.type})
        pipeline.execute()
    failpoints.reach("publish.after")
    for each in events:
        PUBLISHED.labels(each.stream).inc()

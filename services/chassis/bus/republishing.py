"""Publishing again what was sent before: to feed a bus that was lost, or a reading model that is built anew."""

from __future__ import annotations

from datetime import datetime

from services.chassis import redis, relay
from services.chassis.outbox import Outbox


def republish(outbox: Outbox, bus: redis.Client, *, since: datetime) -> int:
    """Add to the streams once more what was sent at or after `since`; how many events.

    Consumers know every event by its id for longer than sent events are kept, so what they have handled stays handled.
    """
    total = 0
    for batch in outbox.sent_since(since):
        relay.publish(bus, batch)
        total += len(batch)
    return total

"""What the audit listens to: load, decide, save."""

from __future__ import annotations

from services.audit import model
from services.chassis import bus
from services.chassis.call import Call


def record_entry(event: bus.Received, call: Call, *, store: model.Store) -> None:
    """Append what a service has done or shown to the trail; writing it down is not itself an entry."""
    entry = model.entry_from(event.data, event_id=event.id, source=event.source)
    with store.begin(call) as tx:
        tx.append(model.follow(tx.head(), entry))

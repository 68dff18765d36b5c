"""What the audit listens to: load, decide, save."""

from __future__ import annotations

from collections.abc import Sequence

from services.audit import model
from services.chassis import bus
from services.chassis.call import Call


def record_entries(events: Sequence[bus.Received], call: Call, *, store: model.Store) -> None:
    """Append what services have done or shown to the trail; writing it down is not itself an entry."""
    entries = [model.entry_from(each.data, event_id=each.id, source=each.source) for each in events]
    with store.begin(call) as tx:
        tx.append(model.follow_all(tx.head(), entries))

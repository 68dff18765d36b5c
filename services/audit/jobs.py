"""Timed work and commands of the audit: load, decide, save."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from prometheus_client import Gauge

from services.audit import model, view
from services.chassis.call import Call

BROKEN = Gauge("infirmary_audit_trail_broken", "Whether the last check of the newest part of the trail failed: 1 or 0.")
CHECKED = Gauge("infirmary_audit_trail_checked_timestamp_seconds", "When that was.")


class CheckpointStore(model.Store, Protocol):
    """A store that keeps checkpoints in a second place as well."""

    def copy_checkpoints(self, call: Call) -> int:
        """Bring the second place up to date, and say how many were copied."""
        ...


def make_checkpoint(call: Call, *, store: CheckpointStore, key: bytes) -> None:
    """Note how far the trail is and what its hash is, when it is time, and copy it to the second place.

    What a crash has left uncopied is copied with the next one.
    """
    with store.begin(call) as tx:
        head = tx.head()
        if model.is_due(head, tx.last_checkpoint(), at=call.at):
            tx.add_checkpoint(model.signed(head, at=call.at, key=key))
    while store.copy_checkpoints(call):
        pass


def check_newest(call: Call, *, store: model.Store, key: bytes) -> None:
    """Check the newest part of the trail, as much as one check takes, and its end; whoever watches hears of it."""
    with store.trail() as trail:
        found = model.verify(trail, at_most=model.AT_ONCE, key=key)
    BROKEN.set(found.found is not None)
    CHECKED.set(call.at.timestamp())


def verify_trail(*, store: model.Store, key: bytes, monotonic: Callable[[], float], say: Callable[[str], None]) -> bool:
    """Check the whole trail, say how far it is every few seconds and what was found; whether it is whole."""
    started = said = monotonic()

    def progress(entries: int) -> None:
        nonlocal said
        if monotonic() - said >= 5:
            said = monotonic()
            say(f"{entries:,} entries, {entries / (said - started):,.0f} entries/s")

    with store.trail() as trail:
        found = model.verify(trail, key=key, progress=progress)
    say(view.report(found, seconds=monotonic() - started))
    return found.found is None

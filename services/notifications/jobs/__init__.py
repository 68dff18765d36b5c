"""Timed work of notifications: sending what is due, forgetting what was sent long ago, saying what waits."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import Gauge

from services.chassis.call import Call
from services.notifications.jobs.sending import Sending
from services.notifications.model.store import Turns

__all__ = ["Sending", "measure", "wipe"]

_AT_ONCE = 500

DUE = Gauge("infirmary_notifications_due", "Messages that should be on their way.", ["channel"])
OLDEST = Gauge("infirmary_notifications_oldest_due_seconds", "How long the oldest of them has been due.", ["channel"])


def measure(call: Call, *, turns: Turns) -> None:
    """Say what is due, by channel."""
    for each in turns.backlog(at=call.at):
        DUE.labels(each.way.value).set(each.due)
        OLDEST.labels(each.way.value).set(each.oldest_s)


def wipe(call: Call, *, turns: Turns, kept: timedelta) -> None:
    """Forget addresses and words of what was over long ago; that it was sent stays."""
    while turns.wipe(before=call.at - kept, at=call.at, limit=_AT_ONCE):
        pass

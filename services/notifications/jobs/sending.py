"""The sending of one channel: one message at a time, each marked as under way before it leaves.

Between two messages the store is asked once: it keeps what became of the one before and takes the next. Whatever
happens to the process, at most one message of the channel has an unknown outcome, and it is sent again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from prometheus_client import Counter

from services.chassis import failpoints, logs
from services.chassis.call import Call
from services.chassis.stores import StoreError
from services.kernel.access import Actor
from services.kernel.errors import Unavailable
from services.notifications.jobs import noting
from services.notifications.model.channels import Channel
from services.notifications.model.deliveries import (
    Claimed,
    Outcome,
    Result,
    Retrying,
    attempted,
    hindrance,
    settled,
)
from services.notifications.model.people import ACTIVE
from services.notifications.model.store import Peers, Places, Settled, Turns
from services.notifications.model.words import Way

IDLE_S: Final = 0.25
STORE_PAUSE_S: Final = 1.0
PATIENTS_AWAY: Final = "patients_away"
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_LAST_TRIES: Final = 5

REPEATS = Counter(
    "infirmary_notifications_repeats_total",
    "Messages sent again because nobody knew what became of them.",
    ["channel"],
)


@dataclass(frozen=True, kw_only=True)
class Means:
    """What sending needs beside its channel. service: in whose name others are asked."""

    turns: Turns
    places: Places
    peers: Peers
    retrying: Retrying
    lease: timedelta
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    service: str

    def call(self, channel: str, *, request_id: str | None = None) -> Call:
        """A call in the name of the service, for one message or for several."""
        id_ = self.new_id()
        actor = Actor(subject=f"service:{self.service}", roles=frozenset({"service"}))
        operation = f"part:send_{channel}"
        return Call(id=id_, operation=operation, actor=actor, at=self.clock(), request_id=request_id or str(id_))


def longer(pause_s: float) -> float:
    """The pause after a pause of so long that did not help."""
    return min(max(_FIRST_PAUSE_S, 2 * pause_s), _LONGEST_PAUSE_S)


class Sending:
    """The sending of one channel in one process: a part of the worker."""

    def __init__(self, channel: Channel, means: Means) -> None:
        self._channel, self._means = channel, means
        self._way = Way(channel.name)
        self._pause_s = self._last_pause_s = 0.0
        REPEATS.labels(channel.name)  # a panel must see the first one grow from zero

    def run(self, stop: threading.Event) -> None:
        """Send what is due until told to stop; what is in hand is brought to its end first."""
        done: Settled | None = None
        while not stop.is_set():
            try:
                claimed = self._turn(done, is_last=self._pause_s > 0)
            except StoreError as error:
                logs.logger().warning("sending.paused", channel=self._channel.name, reason=error.reason)
                stop.wait(STORE_PAUSE_S)
                continue  # with what is known of the last one in hand: it is kept before anything else is taken
            done = None
            if claimed is not None:
                done = self._send(claimed)
            else:
                self._wait(stop)
        self._finish(done)

    def _wait(self, stop: threading.Event) -> None:
        """Wait for something to do, or for the channel to be there again: longer each time that it is not."""
        stop.wait(self._pause_s or IDLE_S)
        if self._pause_s:
            self._pause_s, self._last_pause_s = 0.0, self._pause_s

    def _finish(self, done: Settled | None) -> None:
        """Keep what is known of the last one; if the store is away all the time, it is sent again after its lease."""
        for _ in range(_LAST_TRIES if done is not None else 0):
            try:
                self._turn(done, is_last=True)
            except StoreError:
                threading.Event().wait(STORE_PAUSE_S)
            else:
                break
        self._channel.close()

    def _turn(self, done: Settled | None, *, is_last: bool) -> Claimed | None:
        means = self._means
        return means.turns.turn(self._way, settled=done, at=means.clock(), lease=means.lease, is_last=is_last)

    def _send(self, claimed: Claimed) -> Settled:
        """One message, in the trace and under the request of whoever has caused it."""
        channel = self._channel.name
        with noting.in_its_trace(claimed.delivery, channel=channel) as span:
            outcome = self._outcome(claimed)
            at = self._means.clock()
            noting.note(claimed, outcome, channel=channel, at=at, span=span)
            self._pause_after(outcome)
        after = settled(claimed, outcome, at=at, retrying=self._means.retrying)
        return Settled(claimed=claimed, after=after, outcome=outcome, at=at)

    def _pause_after(self, outcome: Outcome) -> None:
        """Pause where nobody was reached."""
        if outcome.result is Result.AWAY or outcome.code == PATIENTS_AWAY:
            self._pause_s = longer(self._last_pause_s)
            logs.logger().warning("channel.away", channel=self._channel.name, reason=outcome.code)
        else:
            self._last_pause_s = 0.0

    def _outcome(self, claimed: Claimed) -> Outcome:
        """What becomes of a message whose turn it is; one that cannot be handled does not end the others."""
        try:
            return self._hindrance(claimed) or self._attempt(claimed)
        except Exception as error:  # noqa: BLE001 - as said
            facts = {"channel": self._channel.name, "delivery": str(claimed.delivery.id)}
            logs.logger().error("message.failed", **facts, exc_info=error)
            return Outcome(result=Result.DEFERRED, code="error")

    def _attempt(self, claimed: Claimed) -> Outcome:
        if claimed.is_repeat:
            REPEATS.labels(self._channel.name).inc()
        failpoints.reach("send.before")
        outcome = attempted(self._channel, claimed.delivery)
        failpoints.reach("send.after")
        return outcome

    def _hindrance(self, claimed: Claimed) -> Outcome | None:
        delivery, means = claimed.delivery, self._means
        standing, patient_id = ACTIVE, delivery.patient_reader
        if patient_id is not None:
            call = means.call(self._channel.name, request_id=delivery.request_id)
            try:
                standing = means.peers.standings([patient_id], call=call)[patient_id]
            except Unavailable:
                soon = means.clock() + timedelta(seconds=_FIRST_PAUSE_S)
                return Outcome(result=Result.WITHHELD, code=PATIENTS_AWAY, held_until=soon)
        return hindrance(claimed, standing=standing, at=means.clock(), retrying=means.retrying)

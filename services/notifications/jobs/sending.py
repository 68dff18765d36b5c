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

from prometheus_client import Counter, Histogram

from services.chassis import failpoints, logs, tracing
from services.chassis.call import Call
from services.chassis.stores import StoreError
from services.kernel.access import Actor
from services.kernel.errors import Unavailable
from services.notifications.model.channels import Channel
from services.notifications.model.deliveries import (
    Claimed,
    Delivery,
    Outcome,
    Result,
    Retrying,
    attempted,
    hindrance,
    settled,
)
from services.notifications.model.people import ACTIVE
from services.notifications.model.store import Peers, Settled, Turns
from services.notifications.model.words import Kind, Way

IDLE_S: Final = 0.25
STORE_PAUSE_S: Final = 1.0
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_LAST_TRIES: Final = 5
_PATIENTS_AWAY: Final = "patients_away"
_WELL: Final = frozenset({Result.ACCEPTED, Result.OPTED_OUT, Result.WITHHELD})

MESSAGES = Counter(
    "infirmary_notifications_total", "Messages whose turn came, by what became of them.", ["channel", "outcome"]
)
DELAY = Histogram(
    "infirmary_notification_delay_seconds",
    "Time from when a message was due to its having been handed over.",
    ["channel"],
    buckets=(0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800),
)
REPEATS = Counter(
    "infirmary_notifications_repeats_total",
    "Messages sent again because nobody knew what became of them.",
    ["channel"],
)


@dataclass(frozen=True, kw_only=True)
class Means:
    """What sending needs beside its channel. service: in whose name others are asked."""

    turns: Turns
    peers: Peers
    retrying: Retrying
    lease: timedelta
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    service: str


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
        delivery, name = claimed.delivery, f"send {self._channel.name}"
        facts = {"messaging.operation.type": "send", "messaging.message.id": str(delivery.id)}
        span_of = tracing.later(name, trace_parent=delivery.trace_parent, attributes=facts)
        with logs.bound(request_id=delivery.request_id), span_of as span:
            outcome = self._outcome(claimed)
            if outcome.result not in _WELL:
                span.set_attribute("error.type", outcome.code or outcome.result.value)
            self._tell(delivery, outcome)
        at = self._means.clock()
        if outcome.result is Result.ACCEPTED and claimed.due_since is not None:
            DELAY.labels(self._channel.name).observe(max(0.0, (at - claimed.due_since).total_seconds()))
        after = settled(claimed, outcome, at=at, retrying=self._means.retrying)
        return Settled(claimed=claimed, after=after, outcome=outcome, at=at)

    def _tell(self, delivery: Delivery, outcome: Outcome) -> None:
        """Say what became of a message, and pause where nobody was reached."""
        facts = {"channel": self._channel.name, "delivery": str(delivery.id), "outcome": outcome.result.value}
        logs.logger().info("message.handled", **facts, reason=outcome.code)
        if outcome.result is Result.AWAY or outcome.code == _PATIENTS_AWAY:
            self._pause_s = min(max(_FIRST_PAUSE_S, 2 * self._last_pause_s), _LONGEST_PAUSE_S)
            logs.logger().warning("channel.away", channel=self._channel.name, reason=outcome.code)
        else:
            self._last_pause_s = 0.0
        MESSAGES.labels(self._channel.name, outcome.result.value).inc()

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
        standing = ACTIVE
        if delivery.kind is Kind.PATIENT and delivery.reader_id is not None:
            try:
                standing = means.peers.standing(delivery.reader_id, call=self._call(delivery))
            except Unavailable:
                soon = means.clock() + timedelta(seconds=_FIRST_PAUSE_S)
                return Outcome(result=Result.WITHHELD, code=_PATIENTS_AWAY, held_until=soon)
        return hindrance(claimed, standing=standing, at=means.clock(), retrying=means.retrying)

    def _call(self, delivery: Delivery) -> Call:
        actor = Actor(subject=f"service:{self._means.service}", roles=frozenset({"service"}))
        operation = f"part:send_{self._channel.name}"
        return Call(
            id=self._means.new_id(),
            operation=operation,
            actor=actor,
            at=self._means.clock(),
            request_id=delivery.request_id,
        )

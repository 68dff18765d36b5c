"""What is said of each message whose turn has come: a line of the log and a span in the trace of its cause; counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from opentelemetry.trace import Span
from prometheus_client import Counter, Histogram

from services.chassis import logs, tracing
from services.notifications.model.deliveries import Claimed, Delivery, Outcome, Result

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


@contextmanager
def in_its_trace(delivery: Delivery, *, channel: str) -> Iterator[Span]:
    """Whatever is done inside belongs to the trace and to the request of whoever has caused the message."""
    facts = {"messaging.operation.type": "send", "messaging.message.id": str(delivery.id)}
    span_of = tracing.later(f"send {channel}", trace_parent=delivery.trace_parent, attributes=facts)
    with logs.bound(request_id=delivery.request_id), span_of as span:
        yield span


def note(claimed: Claimed, outcome: Outcome, *, channel: str, at: datetime, span: Span) -> None:
    """Say what became of a message."""
    if outcome.result not in _WELL:
        span.set_attribute("error.type", outcome.code or outcome.result.value)
    facts = {"channel": channel, "delivery": str(claimed.delivery.id), "outcome": outcome.result.value}
    logs.logger().info("message.handled", **facts, reason=outcome.code)
    MESSAGES.labels(channel, outcome.result.value).inc()
    if outcome.result is Result.ACCEPTED and claimed.due_since is not None:
        DELAY.labels(channel).observe(max(0.0, (at - claimed.due_since).total_seconds()))

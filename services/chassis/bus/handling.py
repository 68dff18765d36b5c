"""One event from its stream entry to its handler, and what became of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final
from uuid import UUID

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from services.chassis import failpoints, logs, tracing
from services.chassis.bus import counts
from services.chassis.bus.event_schemas import EventSchemas
from services.chassis.bus.group import Entry
from services.chassis.bus.received import Handler, Received, Subscription, parsed, received
from services.chassis.call import Call, Delivery
from services.chassis.stores import AlreadyHandled, StoreAway, StoreBusy
from services.kernel.access import Actor
from services.kernel.errors import Unavailable

_BUSY_TRIES: Final = 3


class Outcome(Enum):
    """What became of an entry; the first three are done with."""

    HANDLED = "handled"
    REPEATED = "repeated"
    IGNORED = "ignored"
    INVALID = "invalid"
    FAILED = "failed"
    AWAY = "away"


DONE = frozenset({Outcome.HANDLED, Outcome.REPEATED, Outcome.IGNORED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of an entry; for a failure the class of the error, and the trace to look at."""

    outcome: Outcome
    error: str = ""
    trace_id: str = ""


class Handling:
    """How a service handles the events of one subscription."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        group: str,
        schemas: EventSchemas,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self._subscription = subscription
        self._group = group
        self._schemas = schemas
        self._clock = clock
        self._new_id = new_id
        self._actor = Actor(subject=f"service:{group}", roles=frozenset({"service"}))

    def handle(self, entry: Entry) -> Result:
        """Check, handle, and say what became of it; never raises for what an event or a handler does."""
        envelope = parsed(entry.fields.get("event", ""))
        if envelope is None:
            return Result(outcome=Outcome.INVALID, error="not_json")
        handler = self._subscription.handlers.get(str(envelope.get("type")))
        if handler is None:
            return Result(outcome=Outcome.IGNORED)
        fault = self._schemas.fault(envelope)
        if fault is not None:
            logs.logger().error("event.invalid", stream=self._subscription.stream, entry=entry.id, fault=fault)
            return Result(outcome=Outcome.INVALID, error="invalid_event", trace_id=_trace_id(envelope))
        try:
            event = received(envelope)
        except ValueError:  # what JSON Schema lets pass and Python cannot hold, such as a 61st second
            return Result(outcome=Outcome.INVALID, error="invalid_event", trace_id=_trace_id(envelope))
        return self._traced(handler, event, entry)

    def _traced(self, handler: Handler, event: Received, entry: Entry) -> Result:
        parent = tracing.incoming({"traceparent": event.trace_parent} if event.trace_parent else {})
        attributes = {
            "messaging.system": "redis",
            "messaging.operation.type": "process",
            "messaging.destination.name": self._subscription.stream,
            "messaging.consumer.group.name": self._group,
            "messaging.message.id": str(event.id),
            "infirmary.event.type": event.type,
        }
        name = f"process {event.type}"
        with tracing.tracer().start_as_current_span(
            name, context=parent, kind=SpanKind.CONSUMER, attributes=attributes
        ) as span:
            result = self._attempt(handler, event, entry)
            if result.error:
                span.set_attribute("error.type", result.error)
                span.set_status(StatusCode.ERROR)
        if result.outcome is Outcome.HANDLED:
            age_s = (self._clock() - event.time).total_seconds()
            counts.DELAY.labels(self._subscription.stream, self._group).observe(max(0.0, age_s))
        return result

    def _attempt(self, handler: Handler, event: Received, entry: Entry) -> Result:
        trace_id = f"{trace.get_current_span().get_span_context().trace_id:032x}"
        call = self._call(event)
        try:
            failpoints.reach("effect.before")
            _patiently(handler, event, call)
            failpoints.reach("effect.after")
        except AlreadyHandled:
            return Result(outcome=Outcome.REPEATED)
        except (StoreAway, Unavailable) as error:
            return Result(outcome=Outcome.AWAY, error=type(error).__name__, trace_id=trace_id)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the other events go on
            facts = {"stream": self._subscription.stream, "entry": entry.id, "event_id": str(event.id)}
            logs.logger().warning("event.failed", **facts, type=event.type, attempt=entry.attempt, exc_info=error)
            return Result(outcome=Outcome.FAILED, error=type(error).__name__, trace_id=trace_id)
        return Result(outcome=Outcome.HANDLED)

    def _call(self, event: Received) -> Call:
        return Call(
            id=self._new_id(),
            operation=event.type,
            actor=self._actor,
            at=self._clock(),
            request_id=event.request_id,
            delivery=Delivery(consumer=self._group, event_id=event.id),
        )


def _patiently(handler: Handler, event: Received, call: Call) -> None:
    """Call the handler; again, a few times, when its unit of work met another and nothing was kept."""
    for left in reversed(range(_BUSY_TRIES)):
        try:
            handler(event, call)
        except StoreBusy:
            if left == 0:
                raise
            call.begin_again()
            time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - to come apart, not to be secret
        else:
            return


def _trace_id(envelope: Mapping[str, object]) -> str:
    parts = str(envelope.get("traceparent", "")).split("-")
    return parts[1] if len(parts) == 4 else ""

"""Events from their stream entries to their handler, alone or several at once, and what became of each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final
from uuid import UUID

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

from services.chassis import failpoints, logs, tracing
from services.chassis.bus import counts
from services.chassis.bus.event_schemas import EventSchemas
from services.chassis.bus.group import Entry
from services.chassis.bus.received import BatchSubscription, Received, Subscription, parsed, received
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
        subscription: Subscription | BatchSubscription,
        *,
        group: str,
        schemas: EventSchemas,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        tracer: trace.Tracer | None = None,
    ) -> None:
        self.in_batches = isinstance(subscription, BatchSubscription)
        self._subscription = subscription
        self._group = group
        self._schemas = schemas
        self._clock = clock
        self._new_id = new_id
        self._tracer = tracer or tracing.tracer()
        self._actor = Actor(subject=f"service:{group}", roles=frozenset({"service"}))

    def handle(self, entry: Entry) -> Result:
        """Check, handle, and say what became of it; never raises for what an event or a handler does."""
        event = self._event(entry)
        if isinstance(event, Result):
            return event
        span = self._span(event)
        with trace.use_span(span, end_on_exit=True), logs.bound(request_id=event.request_id):
            try:
                result = self._attempt([event], entry=entry.id, event_id=str(event.id), attempt=entry.attempt)
            except AlreadyHandled:
                result = Result(outcome=Outcome.REPEATED)
            self._conclude(event, span, result)
        return result

    def handle_together(self, entries: Sequence[Entry]) -> list[Result]:
        """The same for several in one unit of work, in their order; when one of them fails, all that were new have."""
        events = [self._event(entry) for entry in entries]
        new = {each.id: each for each in events if isinstance(each, Received)}
        result = self._attempt_together(new) if new else Result(outcome=Outcome.REPEATED)
        results = []
        for event in events:
            if isinstance(event, Result):
                results.append(event)
            elif new.pop(event.id, None) is None:  # handled before, or it stands in this batch twice
                results.append(Result(outcome=Outcome.REPEATED))
            else:
                results.append(result)
        return results

    def _attempt_together(self, new: dict[UUID, Received]) -> Result:
        """Handle what is new in one unit of work; takes out of `new` what proves to have been handled before."""
        name = f"process {self._subscription.stream}"
        attributes: dict[str, AttributeValue] = {**self._attributes(), "messaging.batch.message_count": len(new)}
        with tracing.spanning(self._tracer, name, kind=SpanKind.CONSUMER, attributes=attributes) as whole:
            spans = {each.id: self._span(each, within=whole) for each in new.values()}
            result = Result(outcome=Outcome.REPEATED)
            while new:
                try:
                    result = self._attempt(list(new.values()), together=len(new))
                    break
                except AlreadyHandled as known:
                    for event_id in known.event_ids:
                        del new[event_id]
            for event_id, span in spans.items():
                if event_id in new:
                    self._conclude(new[event_id], span, result)
                span.end()
        return result

    def _event(self, entry: Entry) -> Received | Result:
        """The event in an entry, or what is to become of one that is not for the handler."""
        envelope = parsed(entry.fields.get("event", ""))
        if envelope is None:
            return Result(outcome=Outcome.INVALID, error="not_json")
        if not self._subscription.takes(str(envelope.get("type"))):
            return Result(outcome=Outcome.IGNORED)
        fault = self._schemas.fault(envelope)
        if fault is not None:
            logs.logger().error("event.invalid", stream=self._subscription.stream, entry=entry.id, fault=fault)
            return Result(outcome=Outcome.INVALID, error="invalid_event", trace_id=_trace_id(envelope))
        try:
            return received(envelope)
        except ValueError:  # what JSON Schema lets pass and Python cannot hold, such as a 61st second
            return Result(outcome=Outcome.INVALID, error="invalid_event", trace_id=_trace_id(envelope))

    def _attempt(self, events: Sequence[Received], **facts: object) -> Result:
        """Call the handler, for events of which it has had none.

        Raises:  AlreadyHandled: it has had some of them, and nothing was kept.
        """
        trace_id = f"{trace.get_current_span().get_span_context().trace_id:032x}"
        try:
            failpoints.reach("effect.before")
            self._patiently(events, self._call(events))
            failpoints.reach("effect.after")
        except AlreadyHandled:
            raise
        except (StoreAway, Unavailable) as error:
            return Result(outcome=Outcome.AWAY, error=type(error).__name__, trace_id=trace_id)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the other events go on
            facts = {"stream": self._subscription.stream, "type": events[0].type, **facts}
            logs.logger().warning("event.failed", **facts, exc_info=error)
            return Result(outcome=Outcome.FAILED, error=type(error).__name__, trace_id=trace_id)
        return Result(outcome=Outcome.HANDLED)

    def _conclude(self, event: Received, span: Span, result: Result) -> None:
        if result.error:
            span.set_attribute("error.type", result.error)
            span.set_status(StatusCode.ERROR)
        if result.outcome is Outcome.HANDLED:
            age_s = (self._clock() - event.time).total_seconds()
            counts.DELAY.labels(self._subscription.stream, self._group).observe(max(0.0, age_s))

    def _span(self, event: Received, *, within: Span | None = None) -> Span:
        """The span of an event in the trace of whoever caused it; if handled with others, with a link to the whole."""
        return self._tracer.start_span(
            f"process {event.type}",
            context=tracing.incoming({"traceparent": event.trace_parent} if event.trace_parent else {}),
            kind=SpanKind.CONSUMER,
            attributes={
                **self._attributes(),
                "messaging.message.id": str(event.id),
                "infirmary.event.type": event.type,
            },
            links=[] if within is None else [Link(within.get_span_context())],
        )

    def _attributes(self) -> dict[str, str]:
        return {
            "messaging.system": "redis",
            "messaging.operation.type": "process",
            "messaging.destination.name": self._subscription.stream,
            "messaging.consumer.group.name": self._group,
        }

    def _call(self, events: Sequence[Received]) -> Call:
        call_id = self._new_id()
        return Call(
            id=call_id,
            operation=events[0].type,
            actor=self._actor,
            at=self._clock(),
            request_id=events[0].request_id if len(events) == 1 else str(call_id),
            delivery=Delivery(consumer=self._group, event_ids=tuple(each.id for each in events)),
        )

    def _patiently(self, events: Sequence[Received], call: Call) -> None:
        """Call the handler; again, a few times, when its unit of work met another and nothing was kept."""
        for left in reversed(range(_BUSY_TRIES)):
            try:
                self._subscription.handle(events, call)
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

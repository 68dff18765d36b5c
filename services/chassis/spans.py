"""Spans behind the interface of OpenTelemetry, made and sent with as little work as there is to it.

The SDK's own would cost a short request a quarter of its time, and write the text of an exception into the span, which
can hold what was sent. Here a span is an object that is handed on when it ends; a thread writes many at once as OTLP
in JSON. A trace that its beginner did not sample is passed on and not recorded.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson
import urllib3
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util import types
from prometheus_client import Counter

ENDED = Counter("infirmary_spans_ended_total", "Spans that were made.")
EXPORTED = Counter(
    "infirmary_spans_exported_total",
    "Spans that the collector took, or did not; what is in neither was dropped before it was tried.",
    ["outcome"],
)
_MOST_WAITING: Final = 4096
_BATCH: Final = 512
_PAUSE_S: Final = 1.0
_ANSWER_S: Final = 2.0
_KNOWN: Final = 1024
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_PASSING: Final = frozenset({429, 502, 503, 504})  # as OTLP has it; a span that is sent twice is one span


class Span(trace.Span):
    """One piece of work. Of an exception it keeps the type, never the text."""

    __slots__ = (
        "_hand_on", "attributes", "began_ns", "context", "ended_ns", "is_failed", "kind", "links", "name", "parent"
    )  # fmt: skip

    def __init__(
        self, name: str, *, kind: SpanKind, parent: SpanContext | None, hand_on: Callable[[Span], None]
    ) -> None:
        trace_id = random.getrandbits(128) if parent is None else parent.trace_id
        self.context = SpanContext(trace_id, random.getrandbits(64), is_remote=False, trace_flags=_SAMPLED)
        self.name, self.kind, self.parent = name, kind, parent
        self.attributes: dict[str, types.AnyValue] = {}
        self.links: Sequence[Link] = ()
        self.is_failed = False
        self.ended_ns = 0
        self._hand_on = hand_on
        self.began_ns = time.time_ns()

    def end(self, end_time: int | None = None) -> None:
        """The work is done; whatever is said later is not sent."""
        if not self.ended_ns:
            self.ended_ns = end_time or time.time_ns()
            self._hand_on(self)

    def get_span_context(self) -> SpanContext:
        """What others need to know to be part of the trace."""
        return self.context

    def set_attributes(self, attributes: Mapping[str, types.AnyValue]) -> None:
        """Several at once."""
        self.attributes.update(attributes)

    def set_attribute(self, key: str, value: types.AnyValue) -> None:
        """One fact about the work."""
        self.attributes[key] = value

    def add_event(self, name: str, attributes: types.Attributes = None, timestamp: int | None = None) -> None:
        """What happens within the work is said by logs."""

    def update_name(self, name: str) -> None:
        """What it is called, when that is known only later."""
        self.name = name

    def is_recording(self) -> bool:
        """Until it ends."""
        return not self.ended_ns

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:  # noqa: ARG002 - may be the text of an exception
        """Whether it failed."""
        code = status.status_code if isinstance(status, Status) else status
        self.is_failed = code is StatusCode.ERROR

    def record_exception(
        self,
        exception: BaseException,
        attributes: types.Attributes = None,  # noqa: ARG002 - as inherited
        timestamp: int | None = None,  # noqa: ARG002
        escaped: bool = False,  # noqa: ARG002, FBT001, FBT002
    ) -> None:
        """Its type."""
        self.attributes["error.type"] = type(exception).__name__


class _Current:
    """A span that is the current one within a `with`."""

    __slots__ = ("_ends", "_fails", "_span", "_token")

    def __init__(self, span: trace.Span, *, fails: bool, ends: bool) -> None:
        self._span, self._fails, self._ends = span, fails, ends

    def __enter__(self) -> trace.Span:
        self._token = contexts.attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(self, _kind: object, error: BaseException | None, _where: object) -> None:
        contexts.detach(self._token)
        if self._fails and isinstance(error, Exception):
            self._span.record_exception(error)
            self._span.set_status(StatusCode.ERROR)
        if self._ends:
            self._span.end()


class Tracer(trace.Tracer):
    """Makes spans, and hands each on when it ends."""

    def __init__(self, hand_on: Callable[[Span], None]) -> None:
        self._hand_on = hand_on

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: types.Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002, FBT001, FBT002 - as inherited
        set_status_on_exception: bool = True,  # noqa: ARG002, FBT001, FBT002
    ) -> trace.Span:
        """A span under the current one; one that is not recorded, where its parent is not."""
        above = trace.get_current_span(context).get_span_context()
        parent = above if above.is_valid else None
        if parent is not None and not parent.trace_flags & TraceFlags.SAMPLED:
            return NonRecordingSpan(parent)
        span = Span(name, kind=kind, parent=parent, hand_on=self._hand_on)
        if attributes:
            span.attributes.update(attributes)
        if links:
            span.links = links
        if start_time:
            span.began_ns = start_time
        return span

    def start_as_current_span(  # type: ignore[override]  # noqa: PLR0917 - the inherited one makes the same by a generator
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: types.Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002, FBT001, FBT002
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002
        end_on_exit: bool = True,  # noqa: FBT001, FBT002
    ) -> _Current:
        """The same as the current one within a `with`."""
        span = self.start_span(name, context, kind, attributes, links, start_time)
        return _Current(span, fails=set_status_on_exception, ends=end_on_exit)


class Provider(trace.TracerProvider):
    """Has one tracer for everybody."""

    def __init__(self, hand_on: Callable[[Span], None]) -> None:
        self._tracer = Tracer(hand_on)

    def get_tracer(self, *_: Any, **__: Any) -> Tracer:
        """The tracer."""
        return self._tracer


class Exporter:
    """Sends what has ended, each second or when there is much, from a thread of its own.

    What a collector that is away or slow has not taken is lost and counted; nobody waits for it.
    """

    def __init__(self, url: str, *, resource: Mapping[str, str]) -> None:
        self._url, self._resource = url, {"attributes": _attributes(resource)}
        self._waiting: deque[Span] = deque()
        self._dropped = 0
        self._much, self._is_over = threading.Event(), False
        self._http = urllib3.PoolManager(num_pools=1, maxsize=1)
        self._retries = urllib3.Retry(
            1, allowed_methods=None, status_forcelist=_PASSING, respect_retry_after_header=False
        )
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        EXPORTED.labels("lost")  # an alert must see the first one grow from zero
        self._thread.start()

    def take(self, span: Span) -> None:
        """One that has ended."""
        waiting = len(self._waiting)
        if waiting >= _MOST_WAITING:
            self._dropped += 1
            return
        self._waiting.append(span)
        if waiting == _BATCH:
            self._much.set()

    def stop(self) -> None:
        """Send what is left, within three seconds."""
        self._is_over = True
        self._much.set()
        self._thread.join(3.0)

    def _run(self) -> None:
        while not self._is_over:
            self._much.wait(_PAUSE_S)
            self._much.clear()
            self.send()

    def send(self) -> None:
        """Send what waits."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            ENDED.inc(len(batch))
            EXPORTED.labels("taken" if self._is_taken(batch) else "lost").inc(len(batch))
        dropped, self._dropped = self._dropped, 0
        ENDED.inc(dropped)

    def _is_taken(self, batch: Sequence[Span]) -> bool:
        body = encoded(batch, resource=self._resource)
        try:
            answer = self._http.request(
                "POST",
                self._url,
                body=body,
                headers={"content-type": "application/json", "user-agent": "infirmary"},
                timeout=_ANSWER_S,
                retries=self._retries,
            )
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status < 300


def encoded(spans: Iterable[Span], *, resource: Mapping[str, Any]) -> bytes:
    """An export request of OTLP in JSON."""
    of_us = {"scope": {"name": "infirmary"}, "spans": [_encoded(each) for each in spans]}
    return orjson.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [of_us]}]})


def _encoded(span: Span) -> dict[str, Any]:
    context, parent = span.context, span.parent
    made: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "name": span.name,
        "kind": span.kind.value + 1,
        "flags": 1,
        "startTimeUnixNano": str(span.began_ns),
        "endTimeUnixNano": str(span.ended_ns),
        "attributes": _attributes(span.attributes),
    }
    if parent is not None:
        made["parentSpanId"] = f"{parent.span_id:016x}"
    if span.is_failed:
        made["status"] = {"code": 2}
    if span.links:
        made["links"] = [_link(each.context) for each in span.links]
    return made


def _link(context: SpanContext) -> dict[str, Any]:
    return {"traceId": f"{context.trace_id:032x}", "spanId": f"{context.span_id:016x}"}


def _attributes(said: Mapping[str, types.AnyValue]) -> list[orjson.Fragment]:
    return [_attribute(name, value) for name, value in said.items()]


@lru_cache(_KNOWN, typed=True)
def _attribute(name: str, value: types.AnyValue) -> orjson.Fragment:
    """As it is written: most say one of a few things, and many new objects at once wake the collector of garbage."""
    return orjson.Fragment(orjson.dumps({"key": name, "value": _value(value)}))


def _value(value: types.AnyValue) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}

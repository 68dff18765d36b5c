"""OpenTelemetry traces: on when a collector is named, off otherwise; made and closed with the process, not at exit.

Spans carry names of the semantic conventions with low cardinality: the template of a path, never the path. Whoever
begins a trace decides whether it is recorded, which is the gateway; everything that is recorded is exported, and
sampled in the collector. Of what a caller sends only `traceparent` is passed on: no state and no baggage.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from services.chassis.spans import Exporter, Provider

_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def start(service: str, *, endpoint: str | None) -> Callable[[], None]:
    """Send spans to `endpoint` (OTLP over HTTP, its base address) from now on; returns what flushes and ends it.

    Without an endpoint nothing is recorded and the answer does nothing.
    """
    if not endpoint:
        return lambda: None
    resource = {"service.name": service, "service.namespace": "infirmary"}
    exporter = Exporter(f"{endpoint.rstrip('/')}/v1/traces", resource=resource)
    trace.set_tracer_provider(Provider(exporter.take))
    return exporter.stop


def incoming(headers: Mapping[str, str]) -> Context:
    """The context that a caller sent along in `traceparent`."""
    found = _PARENT.fullmatch(headers.get("traceparent", ""))
    if found is None:
        return Context()
    trace_id, span_id, flags = (int(each, 16) for each in found.groups())
    parent = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags & TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(parent), Context()) if parent.is_valid else Context()


def parent() -> str | None:
    """The current span as W3C `traceparent`, or nothing when there is none."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def outgoing(headers: MutableMapping[str, str]) -> None:
    """Send the current context along in `traceparent`."""
    said = parent()
    if said is not None:
        headers["traceparent"] = said


def later(name: str, *, trace_parent: str | None, attributes: Mapping[str, str]) -> AbstractContextManager[trace.Span]:
    """A span of work that was asked for before and is done now: part of the trace that was kept with it."""
    return tracer().start_as_current_span(
        name,
        context=incoming({"traceparent": trace_parent} if trace_parent else {}),
        kind=trace.SpanKind.PRODUCER,
        attributes=attributes,
    )


def tracer() -> trace.Tracer:
    """The tracer of the chassis."""
    return trace.get_tracer("infirmary")

"""OpenTelemetry traces: on when a collector is named, off otherwise; made and closed with the process, not at exit.

Spans carry names of the semantic conventions with low cardinality: the template of a path, never the path. Everything
is exported, and sampled in the collector.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def start(service: str, *, endpoint: str | None) -> Callable[[], None]:
    """Send spans to `endpoint` (OTLP over HTTP, its base address) from now on; returns what flushes and ends it.

    Without an endpoint nothing is recorded and the answer does nothing.
    """
    if not endpoint:
        return lambda: None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - brings protobuf

    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.namespace": "infirmary"}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=2)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=4096, schedule_delay_millis=1000))
    trace.set_tracer_provider(provider)

    def stop() -> None:
        provider.force_flush(timeout_millis=3000)
        provider.shutdown()

    return stop


def incoming(headers: Mapping[str, str]) -> Context:
    """The context that a caller sent along in `traceparent`."""
    return propagate.extract(headers)


def outgoing(headers: MutableMapping[str, str]) -> None:
    """Send the current context along in `traceparent`."""
    propagate.inject(headers)


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

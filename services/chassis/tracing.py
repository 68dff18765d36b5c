"""OpenTelemetry traces: on when a collector is named, off otherwise; made and closed with the process, not at exit.

Spans carry names of the semantic conventions with low cardinality: the template of a path, never the path. Whoever
begins a trace decides whether it is recorded, which is the gateway; everything that is recorded is exported, and
sampled in the collector. Of what a caller sends only `traceparent` is passed on: no state and no baggage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes
from prometheus_client import Counter

_W3C = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("infirmary")  # finds the provider when there is one; made once, not for each request
_NONE: Final = nullcontext(trace.INVALID_SPAN)
ENDED = Counter("infirmary_spans_ended_total", "Spans that were made.")
EXPORTED = Counter(
    "infirmary_spans_exported_total",
    "Spans that the collector took, or did not; what is in neither was dropped before it was tried.",
    ["outcome"],
)


def start(service: str, *, endpoint: str | None) -> Callable[[], None]:
    """Send spans to `endpoint` (OTLP over HTTP, its base address) from now on; returns what flushes and ends it.

    Without an endpoint nothing is recorded and the answer does nothing.
    """
    if not endpoint:
        return lambda: None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - brings protobuf

    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.namespace": "infirmary"}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=2)
    EXPORTED.labels("lost")  # an alert must see the first one grow from zero
    provider.add_span_processor(_Ended())
    provider.add_span_processor(BatchSpanProcessor(_Counted(exporter), max_queue_size=4096, schedule_delay_millis=1000))
    trace.set_tracer_provider(provider)

    def stop() -> None:
        provider.force_flush(timeout_millis=3000)
        provider.shutdown()

    return stop


class _Ended(SpanProcessor):
    """Counts what was made."""

    def on_end(self, span: ReadableSpan) -> None:  # noqa: ARG002 - as inherited
        """A span is over."""
        ENDED.inc()


class _Counted(SpanExporter):
    """Counts what the collector took."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch."""
        result = self._inner.export(spans)
        EXPORTED.labels("taken" if result is SpanExportResult.SUCCESS else "lost").inc(len(spans))
        return result

    def shutdown(self) -> None:
        """No more are sent."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return self._inner.force_flush(timeout_millis)


def incoming(headers: Mapping[str, str]) -> Context:
    """The context that a caller sent along in `traceparent`."""
    parent = headers.get("traceparent")
    return _W3C.extract({"traceparent": parent}) if parent else Context()


def outgoing(headers: MutableMapping[str, str]) -> None:
    """Send the current context along in `traceparent`."""
    _W3C.inject(headers)


def later(name: str, *, trace_parent: str | None, attributes: Mapping[str, str]) -> AbstractContextManager[trace.Span]:
    """A span of work that was asked for before and is done now: part of the trace that was kept with it."""
    context = incoming({"traceparent": trace_parent} if trace_parent else {})
    return spanning(tracer(), name, context=context, kind=trace.SpanKind.PRODUCER, attributes=attributes)


def current(
    by: trace.Tracer,
    name: str,
    *,
    kind: trace.SpanKind,
    attributes: Attributes = None,
    context: Context | None = None,
) -> AbstractContextManager[trace.Span]:
    """A span that is the current one inside; of an exception it shows nothing by itself.

    While nothing is recorded there is none, which costs nothing, and what a caller sent along is passed on as it came.
    """
    if by is _TRACER and not context and isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return _NONE
    return by.start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )


@contextmanager
def spanning(
    by: trace.Tracer,
    name: str,
    *,
    kind: trace.SpanKind,
    attributes: Attributes,
    context: Context | None = None,
) -> Iterator[trace.Span]:
    """A span that is the current one inside; an exception marks it by its class, and its text, which may name somebody,
    stays out.
    """
    with current(by, name, context=context, kind=kind, attributes=attributes) as span:
        try:
            yield span
        except Exception as error:
            span.set_status(trace.StatusCode.ERROR)
            span.set_attribute("error.type", type(error).__qualname__)
            raise


def tracer() -> trace.Tracer:
    """The tracer of the chassis."""
    return _TRACER

"""Spans cost nothing while nobody records them, and a trace of somebody else is passed on all the same."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.chassis import tracing

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def recorded():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter, provider.get_tracer("infirmary")
    provider.shutdown()


def sent_on():
    headers: dict[str, str] = {}
    tracing.outgoing(headers)
    return headers


def test_while_nothing_is_recorded_there_is_no_span_and_nothing_is_passed_on():
    came = tracing.incoming({})
    with tracing.current(tracing.tracer(), "GET", kind=trace.SpanKind.SERVER, context=came) as span:
        assert not span.is_recording()
        assert not span.get_span_context().is_valid
        assert sent_on() == {}


def test_while_nothing_is_recorded_a_trace_that_came_goes_on_to_whoever_is_called():
    came = tracing.incoming({"traceparent": PARENT})
    with (
        tracing.current(tracing.tracer(), "GET", kind=trace.SpanKind.SERVER, context=came),
        tracing.current(tracing.tracer(), "GET /things", kind=trace.SpanKind.CLIENT) as span,
    ):
        assert not span.is_recording()
        assert sent_on() == {"traceparent": PARENT}
    assert sent_on() == {}


def test_a_span_that_is_recorded_is_the_current_one_and_part_of_the_trace_that_came(recorded):
    exporter, tracer = recorded
    came = tracing.incoming({"traceparent": PARENT})
    with tracing.current(tracer, "GET", kind=trace.SpanKind.SERVER, context=came):
        version, trace_id, span_id, _ = sent_on()["traceparent"].split("-")
    (span,) = exporter.get_finished_spans()
    assert (version, trace_id) == ("00", TRACE)
    assert (f"{span.context.span_id:016x}", f"{span.parent.span_id:016x}") == (span_id, SPAN)


def test_of_an_exception_a_span_shows_its_class_and_never_its_text(recorded):
    exporter, tracer = recorded
    for begin in (tracing.current, tracing.spanning):
        with (
            pytest.raises(ValueError, match="Somebody"),
            begin(tracer, "work", kind=trace.SpanKind.INTERNAL, attributes={}),
        ):
            raise ValueError("Somebody")
    silent, named = exporter.get_finished_spans()
    assert [*silent.events, *named.events] == []
    assert "error.type" not in silent.attributes
    assert named.attributes["error.type"] == "ValueError"
    assert "Somebody" not in silent.to_json() + named.to_json()

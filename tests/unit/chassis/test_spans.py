"""Spans: what arrives at a collector, what does not, and what becomes of those that nobody takes."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.trace import Link, SpanKind, StatusCode

from services.chassis import tracing
from services.chassis.spans import ENDED, EXPORTED, Exporter, Span, Tracer, encoded
from tests.system.collector import collecting

ABOVE = f"00-{7:032x}-{9:016x}-01"
RESOURCE = {"service.name": "doors"}


def counted() -> tuple[float, float, float]:
    """Made, taken, lost."""
    exported = [EXPORTED.labels(outcome)._value.get() for outcome in ("taken", "lost")]
    return ENDED._value.get(), *exported


@pytest.fixture
def ended() -> list[Span]:
    return []


@pytest.fixture
def tracer(ended: list[Span]) -> Tracer:
    return Tracer(ended.append)


def test_a_span_arrives_with_all_that_was_said_of_it(tracer, ended):
    with tracer.start_as_current_span("whole") as whole:
        pass
    facts = {"text": "a", "count": 1, "share": 0.5, "is_late": True}
    caller = tracing.incoming({"traceparent": ABOVE})
    link = [Link(whole.get_span_context())]
    with tracer.start_as_current_span(
        "GET", context=caller, kind=SpanKind.SERVER, attributes=facts, links=link
    ) as span:
        span.update_name("GET /doors")
        span.set_status(StatusCode.ERROR)
    with collecting() as (endpoint, spans):
        exporter = Exporter(f"{endpoint}/v1/traces", resource=RESOURCE)
        for each in ended:
            exporter.take(each)
        exporter.stop()
    _, found = spans
    said = {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in found.attributes}
    assert said == {**facts, "service.name": "doors"}
    assert (found.name, found.kind, found.status.code) == ("GET /doors", found.SPAN_KIND_SERVER, 2)
    assert (found.trace_id.hex(), found.parent_span_id.hex()) == (f"{7:032x}", f"{9:016x}")
    assert found.span_id.hex() == f"{span.get_span_context().span_id:016x}"
    assert [each.span_id.hex() for each in found.links] == [f"{whole.get_span_context().span_id:016x}"]
    assert 0 < found.start_time_unix_nano < found.end_time_unix_nano


def test_a_span_within_another_is_part_of_its_trace_and_the_current_one_until_it_ends(tracer, ended):
    with tracer.start_as_current_span("outer") as outer:
        with tracer.start_as_current_span("inner") as inner:
            assert trace.get_current_span() is inner
        assert trace.get_current_span() is outer
        outer.end()
        outer.end()
    assert [each.name for each in ended] == ["inner", "outer"]
    assert ended[0].parent == outer.get_span_context()
    assert ended[1].parent is None


def test_a_trace_that_its_beginner_did_not_sample_is_passed_on_and_not_recorded(tracer, ended):
    caller = tracing.incoming({"traceparent": ABOVE.removesuffix("1") + "0"})
    headers: dict[str, str] = {}
    with tracer.start_as_current_span("GET", context=caller) as span:
        assert not span.is_recording()
        tracing.outgoing(headers)
    assert headers == {"traceparent": ABOVE.removesuffix("1") + "0"}
    assert ended == []


def test_of_an_exception_the_type_is_kept_and_the_text_is_not(tracer, ended):
    def fail() -> None:
        with tracer.start_as_current_span("work"):
            raise ValueError("a name that nobody may know")

    def fail_elsewhere() -> None:
        with trace.use_span(tracer.start_span("other work"), end_on_exit=True):
            raise ValueError("a name that nobody may know")

    for each in (fail, fail_elsewhere):
        with pytest.raises(ValueError, match="nobody"):
            each()
    assert [(each.is_failed, each.attributes) for each in ended] == [(True, {"error.type": "ValueError"})] * 2
    assert b"nobody" not in encoded(ended, resource={})


@pytest.mark.parametrize(
    "bad",
    ["", "00", ABOVE.upper().replace("0", "G"), ABOVE + "-x", f"ff{ABOVE[2:]}", f"00-{0:032x}-{9:016x}-01",
     f"00-{7:032x}-{0:016x}-01", ABOVE + "\n"],
)  # fmt: skip
def test_what_is_no_traceparent_begins_a_trace_of_our_own(bad, tracer, ended):
    with tracer.start_as_current_span("GET", context=tracing.incoming({"traceparent": bad})):
        pass
    assert ended[0].parent is None
    assert ended[0].context.trace_id != 7


def test_more_than_may_wait_are_counted_and_dropped(tracer, ended):
    made, taken, lost = counted()
    with collecting() as (endpoint, spans):
        exporter = Exporter(f"{endpoint}/v1/traces", resource=RESOURCE)
        exporter.stop()  # nothing is sent any more, so all that comes waits
        for number in range(5000):
            with tracer.start_as_current_span(f"work {number}"):
                pass
            exporter.take(ended[-1])
        exporter.send()
    assert len(spans) == 4096
    assert counted() == (made + 5000, taken + 4096, lost)


def test_what_nobody_takes_is_lost_and_counted(tracer, ended):
    made, taken, lost = counted()
    with tracer.start_as_current_span("work"):
        pass
    exporter = Exporter("http://127.0.0.1:9/v1/traces", resource=RESOURCE)
    exporter.take(ended[0])
    exporter.stop()
    assert counted() == (made + 1, taken, lost + 1)


@pytest.mark.parametrize(("refusals", "arrives"), [((400,), False), ((503,), True), ((503, 503), False)])
def test_a_collector_that_is_busy_for_a_moment_is_asked_once_more(refusals, arrives, tracer, ended):
    made, taken, lost = counted()
    with tracer.start_as_current_span("work"):
        pass
    with collecting(*refusals) as (endpoint, spans):
        exporter = Exporter(f"{endpoint}/v1/traces", resource=RESOURCE)
        exporter.take(ended[0])
        exporter.stop()
    assert (len(spans), counted()) == (arrives, (made + 1, taken + arrives, lost + (not arrives)))

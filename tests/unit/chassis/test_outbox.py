"""What leaves a service fits the contract of events to the letter."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import orjson
import pytest
from opentelemetry.sdk.trace import TracerProvider

from services.chassis import spec
from services.chassis.call import Call
from services.chassis.outbox import outgoing
from services.chassis.schemas import Schema
from services.kernel.access import Actor
from services.kernel.events import Event

OPENAPI = Path(__file__).resolve().parents[3] / "openapi"
AT = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ID = UUID("01906d3e-0000-7000-8000-000000000001")


def make_call(action: str = "read") -> Call:
    actor = Actor(subject="u1", session="s1", roles=frozenset({"nurse"}))
    return Call(id=ID, operation="get_thing", action=action, actor=actor, at=AT, request_id="r1", source="203.0.113.9")


def sent(call: Call, *events: Event) -> list[dict]:
    made = outgoing(call, events, service="history", new_id=lambda: UUID("01906d3e-0000-7000-8000-000000000002"))
    return [orjson.loads(each.event) for each in made]


@pytest.fixture(scope="module")
def schemas() -> dict[str, Schema]:
    nodes = spec.events(OPENAPI)
    return {name: Schema(node, {"schemas": nodes}) for name, node in nodes.items()}


@pytest.mark.parametrize("action", ["create", "read", "update", "delete", "search", "export"])
def test_an_audit_entry_fits_its_schema_whole_and_bare(action: str, schemas: dict[str, Schema]) -> None:
    whole, bare = make_call(action), make_call(action)
    whole.audit(patient="p1", record="a1", version=3, fields=["b", "a"], found=[ID], outcome="denied")
    bare.audit()
    for envelope in (*sent(whole), *sent(bare)):
        assert schemas["Envelope"].errors(envelope) == []
        assert schemas["audit.recorded.v1"].errors(envelope["data"]) == []


def test_an_event_fits_the_envelope_and_keeps_its_data(schemas: dict[str, Schema]) -> None:
    patient = str(ID)
    event = Event(type="history.allergy_recorded.v1", subject="a1", version=1, data={"patient_id": patient})
    (envelope,) = sent(make_call(), event)
    assert schemas["Envelope"].errors(envelope) == []
    assert schemas[event.type].errors(envelope["data"]) == []
    assert envelope["time"] == "2030-01-02T03:04:05.678901Z"
    assert envelope["source"] == "/infirmary/history"
    assert "traceparent" not in envelope


def test_the_current_span_goes_along(schemas: dict[str, Schema]) -> None:
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("request") as span:
        (envelope,) = sent(make_call(), Event(type="things.added.v12", subject="a1", version=0))
    context = span.get_span_context()
    assert envelope["traceparent"] == f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    assert envelope["schemaversion"] == 12
    assert schemas["Envelope"].errors(envelope) == []


def test_a_service_s_events_and_audit_entries_go_to_streams_of_their_own() -> None:
    call = make_call()
    call.audit(patient="p1")
    events = [Event(type="history.allergy_recorded.v1", subject="a1", version=1)] * 2
    made = outgoing(call, events, service="history", new_id=lambda: ID)
    assert [each.stream for each in made] == ["events.history", "events.history", "audit.entries"]

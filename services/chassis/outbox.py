"""What leaves a service: events and audit entries in their envelope, and what every outbox can do.

An envelope is a CloudEvents 1.0 document in JSON, as `openapi/events.yaml` describes it. It is written in the
transaction of the effect and carried to a stream later, by any number of relays: at least once, never zero times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import orjson
from opentelemetry import trace

from services.chassis.call import AuditEntry, Call
from services.kernel.events import Event

AUDIT_STREAM = "audit.entries"
AUDIT_TYPE = "audit.recorded.v1"
_OF_SOME = {"added", "removed", "asked", "rows"}  # of changes of rights and of exports; other entries lack them


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One event on its way out: its id, the stream it belongs to, its type, and the whole envelope as JSON."""

    id: UUID
    stream: str
    type: str
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits in an outbox: how many events, and for how many seconds the oldest (0 when none)."""

    unsent: int
    oldest_s: float


Publish = Callable[[Sequence[Outgoing]], None]


class Outbox(Protocol):
    """The events that a store has committed and a stream may not have yet."""

    def send(self, publish: Publish, *, limit: int = 100) -> int:
        """Hand up to `limit` unsent events to `publish`, mark them as sent when it returns, and say how many."""

    def backlog(self) -> Backlog:
        """What still waits."""

    def sent_since(self, since: datetime, *, batch: int = 100) -> Iterator[Sequence[Outgoing]]:
        """What was recorded at or after `since` and sent before, oldest first, in batches."""

    def purge(self, before: datetime) -> int:
        """Forget what was sent before this moment, and say how many."""


def stream_of(service: str) -> str:
    """The stream on which a service tells what happened in it."""
    return f"events.{service}"


def outgoing(call: Call, events: Iterable[Event], *, service: str, new_id: Callable[[], UUID]) -> list[Outgoing]:
    """All that a unit of work sends when it commits: its events, then the audit entry of the call if there is one."""
    stream = stream_of(service)
    out = [_event(event, call, service=service, stream=stream, id=new_id()) for event in events]
    if call.entry is not None:
        out.append(_audit(call.entry, service=service, id=new_id() if call.audited else call.entry.id))
    return out


def trace_parent() -> str | None:
    """The current span as W3C `traceparent`, or nothing when there is none."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _event(event: Event, call: Call, *, service: str, stream: str, id: UUID) -> Outgoing:  # noqa: A002 - the field's name
    return _enveloped(
        {
            "id": str(id),
            "type": event.type,
            "source": f"/infirmary/{service}",
            "subject": event.subject,
            "time": call.at,
            "subjectversion": event.version,
            "requestid": call.request_id,
            "data": dict(event.data),
        },
        stream=stream,
    )


def _audit(entry: AuditEntry, *, service: str, id: UUID) -> Outgoing:  # noqa: A002 - the field's name
    data = {name: getattr(entry, name) for name in AuditEntry.__dataclass_fields__ if name != "id"}
    data = {name: value for name, value in data.items() if name not in _OF_SOME or value not in (None, ())}
    return _enveloped(
        {
            "id": str(id),
            "type": AUDIT_TYPE,
            "source": f"/infirmary/{service}",
            "subject": entry.patient_id or entry.record_id or entry.actor,
            "time": entry.at,
            "subjectversion": 0,
            "requestid": entry.request_id,
            "data": data,
        },
        stream=AUDIT_STREAM,
    )


def _enveloped(fields: dict[str, object], *, stream: str) -> Outgoing:
    parent = trace_parent()
    kind = str(fields["type"])
    envelope = {
        "specversion": "1.0",
        **fields,
        "datacontenttype": "application/json",
        "schemaversion": int(kind.rpartition(".v")[2]),
        **({"traceparent": parent} if parent else {}),
    }
    text = orjson.dumps(envelope, option=orjson.OPT_UTC_Z).decode()
    return Outgoing(id=UUID(str(fields["id"])), stream=stream, type=kind, event=text)

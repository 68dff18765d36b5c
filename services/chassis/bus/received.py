"""What a service listens to, and an event as its handler gets it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson

from services.chassis.call import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An event that has arrived: its envelope, and `data` as its schema describes it.

    An event arrives at least once, and events of one subject may come out of order: `version` is the subject's version
    after it, so that a handler can drop what comes late. Fields that a handler does not know are there and no matter.
    """

    id: UUID
    type: str
    source: str
    subject: str
    version: int
    time: datetime
    schema_version: int
    data: Mapping[str, object] = field(default_factory=dict)
    request_id: str = ""
    trace_parent: str | None = None


Handler = Callable[[Received, Call], None]
BatchHandler = Callable[[Sequence[Received], Call], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One stream, and what to do for each type of event on it; types without a handler are passed over."""

    stream: str
    handlers: Mapping[str, Handler]

    def takes(self, kind: str) -> bool:
        """Whether events of a type are handled."""
        return kind in self.handlers

    def handle(self, events: Sequence[Received], call: Call) -> None:
        """Handle events, of which there is one."""
        (event,) = events
        self.handlers[event.type](event, call)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSubscription:
    """One stream of which events of some types are handled several at once, in one unit of work, all or none.

    For a handler that costs little beside its transaction. It gets events in the order of the stream, none of which it
    has had before. One that it cannot bear delays nobody: all that were with it are handled again, each alone.
    """

    stream: str
    types: Collection[str]
    handler: BatchHandler

    def takes(self, kind: str) -> bool:
        """Whether events of a type are handled."""
        return kind in self.types

    def handle(self, events: Sequence[Received], call: Call) -> None:
        """Handle events, any number of them."""
        self.handler(events, call)


def received(envelope: Mapping[str, object]) -> Received:
    """An event from its envelope, which has been checked against the schema.

    Raises:  ValueError: the schema let something pass that cannot be held.
    """
    data = envelope["data"]
    return Received(
        id=UUID(str(envelope["id"])),
        type=str(envelope["type"]),
        source=str(envelope["source"]),
        subject=str(envelope["subject"]),
        version=_whole(envelope["subjectversion"]),
        time=datetime.fromisoformat(str(envelope["time"])),
        schema_version=_whole(envelope["schemaversion"]),
        data=data if isinstance(data, dict) else {},
        request_id=str(envelope.get("requestid", "")),
        trace_parent=None if envelope.get("traceparent") is None else str(envelope["traceparent"]),
    )


def _whole(number: object) -> int:
    """A whole number of JSON, which may be written with a point."""
    return int(float(str(number)))


def parsed(text: str) -> dict[str, object] | None:
    """The envelope in a stream entry, or nothing when it is not a JSON object."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None

"""One call of an operation: who asks, with which key, what was done, and what is answered.

The adapter makes one for each request, a worker one for each event or job. A store takes it when a unit of work begins
and commits, with the effect, all that belongs to it: the audit entry, the stored answer, the inbox mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.chassis import metrics
from services.kernel.access import Actor
from services.kernel.purposes import Purpose, purpose_of


@dataclass(frozen=True, slots=True)
class Answer:
    """What a controller answers: a body of the contract, a status and headers."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key for one intent: whose it is, and a fingerprint of what was asked with it."""

    principal: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is being handled: for which consumer, and which event, or which several in one unit of work."""

    consumer: str
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did or saw what: the content of one `audit.recorded.v1` event. Names of fields, never their values."""

    id: UUID
    at: datetime
    operation: str
    action: str
    outcome: str
    actor: str
    roles: tuple[str, ...]
    session: str
    request_id: str
    source: str
    purpose: Purpose
    patient_id: str | None = None
    record_id: str | None = None
    version: int | None = None
    fields: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    asked: Mapping[str, str] | None = None
    rows: int | None = None


@dataclass(slots=True, kw_only=True)
class Call:
    """One call of an operation (or one event handled, or one run of a job) from start to answer.

    purpose: the usual one of the operation; what the house does by itself is for its own operations.
    """

    id: UUID
    operation: str
    actor: Actor
    at: datetime
    request_id: str
    action: str = "none"
    permission: str | None = None
    token: str | None = None
    source: str = ""
    purpose: Purpose = Purpose.OPERATIONS
    expected_version: int | None = None
    key: IdempotencyKey | None = None
    delivery: Delivery | None = None
    entry: AuditEntry | None = None
    answered: Answer | None = None
    audited: bool = False

    def audit(
        self,
        *,
        patient: object | None = None,
        record: object | None = None,
        version: int | None = None,
        fields: Sequence[str] = (),
        found: Sequence[object] = (),
        added: Iterable[str] = (),
        removed: Iterable[str] = (),
        asked: Mapping[str, str] | None = None,
        rows: int | None = None,
        outcome: str = "success",
    ) -> None:
        """Say whose record this touches; the unit of work that is open commits it with the effect.

        patient: the id of the person whose record it is; record: the id of the thing within it; fields: names of what
        changed; found: ids of those that a search showed; added, removed: of a change of rights, names of roles or
        permissions, which are no person's data; asked, rows: of an export, its filter in days, ids and words of the
        contract, and how many rows it has.
        """
        about = None if patient is None else str(patient)
        self.entry = AuditEntry(
            id=self.id,
            at=self.at,
            operation=self.operation,
            action=self.action,
            outcome=outcome,
            actor=self.actor.subject,
            roles=tuple(sorted(self.actor.roles)),
            session=self.actor.session,
            request_id=self.request_id,
            source=self.source,
            purpose=purpose_of(self.actor, about=about, usual=self.purpose),
            patient_id=about,
            record_id=None if record is None else str(record),
            version=version,
            fields=tuple(sorted(fields)),
            found=tuple(str(each) for each in found),
            added=tuple(sorted(added)),
            removed=tuple(sorted(removed)),
            asked=asked,
            rows=rows,
        )

    def answer(self, body: object = None, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer of this call; a unit of work stores it with the effect, under the call's Idempotency-Key."""
        self.answered = Answer(body, status, dict(headers or {}))
        return self.answered

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, the call has neither key nor delivery, so that its audit entry is all that a unit of work commits."""
        key, delivery, self.key, self.delivery = self.key, self.delivery, None, None
        try:
            yield
        finally:
            self.key, self.delivery = key, delivery

    def committed(self) -> None:
        """A unit of work has committed the audit entry, if there was one; the next unit makes its own."""
        if self.entry is not None:
            metrics.ENTRIES.labels(self.entry.action, self.entry.outcome).inc()
            self.entry, self.audited = None, True

    def begin_again(self) -> None:
        """Forget what an attempt that was rolled back has said, before the next attempt."""
        self.entry, self.answered, self.audited = None, None, False


def by_hand(operation: str, *, id: UUID, at: datetime) -> Call:  # noqa: A002 - the field's name
    """The call of an operator at a terminal."""
    operator = Actor(subject="operator")
    return Call(id=id, operation=operation, action="update", actor=operator, at=at, request_id=str(id))

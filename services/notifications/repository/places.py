"""Messages that are read in the house: what is due, and the transaction that puts it into its inbox and settles it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.chassis.sql import Database, translated
from services.notifications import schema
from services.notifications.model.deliveries import Claimed, Result
from services.notifications.model.store import Due, Settled
from services.notifications.model.words import Kind, Way
from services.notifications.repository.in_app import PUT
from services.notifications.repository.turns import IS_DUE, WITH_WISHES, claimed, standing

_DUE = sa.text(
    f"SELECT d.id, d.kind, d.reader_id FROM deliveries AS d WHERE {IS_DUE} ORDER BY d.due_at, d.id LIMIT :limit"  # noqa: S608 - constants of ours are put in, nothing else
)
_TAKE = sa.text(
    f"""
    WITH taken AS (
        SELECT d.*, false AS is_repeat, d.due_at AS due_since FROM deliveries AS d
        WHERE d.id = ANY (CAST(:ids AS uuid[])) AND {IS_DUE} ORDER BY d.due_at, d.id FOR UPDATE OF d SKIP LOCKED
    ) {WITH_WISHES}
    """  # noqa: S608 - as above
)
# Of a test message whose process died before it knew that it was put there.
_LEFT_BEHIND = sa.text(
    "UPDATE attempts SET finished_at = :at, outcome = 'unknown'"
    " WHERE outcome IS NULL AND delivery_id = ANY (CAST(:ids AS uuid[]))"
)
_SETTLE = (
    sa.update(schema.deliveries)
    .where(schema.deliveries.c.id == sa.bindparam("of"))
    .values({name: sa.bindparam(name) for name in ("status", "reason", "due_at", "finished_at", "tries", "failures")})
)


class SqlPlaces:
    """The inboxes of one service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, *, at: datetime, limit: int) -> list[Due]:
        """What is due, the oldest first, of one appointment and reader the first only; nothing is taken by this."""
        with self._database.read() as connection:
            found = connection.execute(_DUE, {"way": Way.IN_APP.value, "at": at, "limit": limit})
            return [Due(id=row.id, patient_id=row.reader_id if row.kind == Kind.PATIENT else None) for row in found]

    @contextmanager
    def taken(self, ids: Sequence[UUID], *, at: datetime) -> Iterator[SqlGroup]:
        """One transaction with those that are due still and that nobody else has in hand."""
        with translated(), self._database.engine.connect() as connection, connection.begin() as transaction:
            found = connection.execute(_TAKE, {"way": Way.IN_APP.value, "at": at, "ids": list(ids)})
            yield SqlGroup(connection, [_begun(claimed(row)) for row in found])
            with translated(committing=True):
                transaction.commit()


class SqlGroup:
    """Some deliveries within one transaction."""

    def __init__(self, connection: sa.Connection, found: Sequence[Claimed]) -> None:
        self.claimed = found
        self._connection = connection

    def settle(self, done: Sequence[Settled]) -> None:
        """Put what is accepted into its inbox, and keep what becomes of each."""
        if not done:
            return
        accepted = [each.after.id for each in done if each.outcome.result is Result.ACCEPTED]
        self._connection.execute(_LEFT_BEHIND, {"ids": [each.after.id for each in done], "at": done[0].at})
        self._connection.execute(PUT, {"ids": accepted})
        self._connection.execute(_SETTLE, [{"of": each.after.id, **standing(each.after)} for each in done])
        attempts = [_attempt(each) for each in done if each.outcome.result is not Result.WITHHELD]
        if attempts:
            self._connection.execute(sa.insert(schema.attempts), attempts)


def _begun(found: Claimed) -> Claimed:
    """With the attempt that this is."""
    return dataclasses.replace(found, delivery=dataclasses.replace(found.delivery, tries=found.delivery.tries + 1))


def _attempt(done: Settled) -> dict[str, Any]:
    return {
        "delivery_id": done.after.id,
        "number": done.after.tries,
        "started_at": done.at,
        "finished_at": done.at,
        "outcome": done.outcome.result.value,
        "code": done.outcome.code,
    }

"""The turns of deliveries: what became of one is kept and the next one is taken, as a rule in one statement.

A delivery in hand is marked before it leaves, with its attempt, so a process that dies leaves one of unknown outcome at
most, and whoever comes after its lease sends it again. What belongs to one appointment and one reader goes in order.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.chassis.sql import Database, translated
from services.notifications import schema
from services.notifications.model.deliveries import Claimed, Delivery, Result
from services.notifications.model.preferences import Preferences
from services.notifications.model.settings import NIGHT
from services.notifications.model.store import Backlog, Settled
from services.notifications.model.words import Kind, Way
from services.notifications.repository import rows
from services.notifications.repository.work import stop_noted

IS_DUE = f"""
    d.way = :way AND d.{schema.OPEN} AND d.due_at <= :at AND NOT EXISTS (
        SELECT FROM deliveries AS e
        WHERE e.appointment_id = d.appointment_id AND e.reader_id = d.reader_id AND e.way = d.way
            AND e.device = d.device AND e.appointment_version < d.appointment_version AND e.{schema.OPEN}
    )
"""
WITH_WISHES = """
    SELECT taken.*, chosen.choices, place.facility_id IS NOT NULL AS is_set, place.quiet_from, place.quiet_until,
        coalesce(stop.is_stopped, false) AS is_stopped
    FROM taken
    LEFT JOIN preferences AS chosen ON chosen.kind = taken.kind AND chosen.owner_id = taken.reader_id
    LEFT JOIN facility_settings AS place ON place.facility_id = taken.facility_id
    LEFT JOIN sms_stops AS stop ON stop.number_key = taken.address_key
"""
# All that has to do with one turn is one statement: each round trip and each commit is paid by every message. Its parts
# see what was before it, so that what follows the delivery that it settles is taken by the turn after.
_TAKING = f"""
    due AS (
        SELECT d.id, d.status, d.due_at FROM deliveries AS d
        WHERE d.id IS DISTINCT FROM :id AND {IS_DUE}
        ORDER BY d.due_at, d.id LIMIT 1 FOR UPDATE OF d SKIP LOCKED
    ), taken AS (
        UPDATE deliveries AS d SET status = 'sending', due_at = :until, tries = d.tries + 1,
            failures = d.failures + (due.status = 'sending')::int
        FROM due WHERE d.id = due.id RETURNING d.*, due.status = 'sending' AS is_repeat, due.due_at AS due_since
    ), left_behind AS (
        UPDATE attempts SET finished_at = :at, outcome = 'unknown'
        WHERE outcome IS NULL AND delivery_id IN (SELECT id FROM taken WHERE is_repeat)
    ), begun AS (
        INSERT INTO attempts (delivery_id, number, started_at) SELECT id, tries, :at FROM taken
    )
    {WITH_WISHES}
"""  # noqa: S608 - as above
# Whoever was taken for dead may still come with an outcome: the attempt keeps it, the delivery is another's by now.
_SETTLING = """
    kept AS (
        UPDATE deliveries SET status = :status, reason = :reason, due_at = :due_at, finished_at = :finished_at,
            tries = :tries, failures = :failures
        WHERE id = :id AND status = 'sending' AND tries = :number
    ), noted AS (
        UPDATE attempts SET finished_at = :known_at, outcome = :outcome, code = :code, reference = :reference
        WHERE delivery_id = :id AND number = :number
    )
"""
_TAKE = sa.text(f"WITH {_TAKING}").bindparams(sa.bindparam("id", type_=sa.Uuid))
_SETTLE = sa.text(f"WITH {_SETTLING} SELECT")
_SETTLE_AND_TAKE = sa.text(f"WITH {_SETTLING}, {_TAKING}").bindparams(sa.bindparam("id", type_=sa.Uuid))
_FORGET_ATTEMPT = sa.text("DELETE FROM attempts WHERE delivery_id = :id AND number = :number")
_BACKLOG = sa.text(
    f"""
    SELECT way, count(*) AS due, extract(epoch FROM CAST(:at AS timestamptz) - min(due_at)) AS oldest_s
    FROM deliveries WHERE {schema.OPEN} AND due_at <= :at GROUP BY way
    """  # noqa: S608 - as above
)
_WIPE = sa.text(
    f"""
    UPDATE deliveries SET address = NULL, from_name = NULL, subject = NULL, text = NULL, calendar = NULL,
        calendar_method = NULL, wiped_at = :at
    WHERE id = ANY (ARRAY(SELECT id FROM deliveries WHERE {schema.IS_OVER} AND finished_at < :before LIMIT :limit))
    """  # noqa: S608 - as above
)
_WITH_MORE = frozenset({Result.WITHHELD, Result.OPTED_OUT})
_REMOVE_MESSAGES = sa.text(
    "DELETE FROM messages WHERE id = ANY (ARRAY(SELECT id FROM messages WHERE sent_at < :before LIMIT :limit))"
)


class SqlTurns:
    """The turns of one service's deliveries."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._database = database

    def turn(
        self, way: Way, *, settled: Settled | None, at: datetime, lease: timedelta, is_last: bool = False
    ) -> Claimed | None:
        """Keep what became of one delivery and take the next one that is due.

        Raises:  StoreBusy, StoreAway: nothing was kept, or after the commit was asked for it is unknown.
        """
        values = {"way": way.value, "at": at, "until": at + lease, "id": None}
        if settled is None:
            return None if is_last else self._one(_TAKE, values)
        if settled.outcome.result in _WITH_MORE or is_last:
            with translated(), self._engine.begin() as connection:
                _settle(connection, settled)
            return None if is_last else self._one(_TAKE, values)
        return self._one(_SETTLE_AND_TAKE, {**values, **_outcome(settled)})

    def _one(self, statement: Any, values: dict[str, Any]) -> Claimed | None:
        with self._database.read() as connection:  # one statement is one transaction
            row = connection.execute(statement, values).one_or_none()
        return None if row is None else claimed(row)

    def backlog(self, *, at: datetime) -> list[Backlog]:
        """What is due, by channel."""
        with self._database.read() as connection:
            found = {row.way: row for row in connection.execute(_BACKLOG, {"at": at})}
        return [
            Backlog(
                way=way,
                due=found[way].due if way in found else 0,
                oldest_s=float(found[way].oldest_s) if way in found else 0.0,
            )
            for way in Way
        ]

    def wipe(self, *, before: datetime, at: datetime, limit: int) -> int:
        """Forget addresses and words of what was over before a moment; how many it was."""
        with self._database.read() as connection:
            span = {"before": before, "limit": limit}
            wiped = connection.execute(_WIPE, {**span, "at": at}).rowcount
            return wiped + connection.execute(_REMOVE_MESSAGES, span).rowcount


def standing(delivery: Delivery) -> dict[str, Any]:
    """How a delivery stands, as the columns of its row."""
    return {
        "status": delivery.status.value,
        "reason": delivery.reason,
        "due_at": delivery.due_at,
        "finished_at": delivery.finished_at,
        "tries": delivery.tries,
        "failures": delivery.failures,
    }


def _outcome(settled: Settled) -> dict[str, Any]:
    before, after, outcome = settled.claimed.delivery, settled.after, settled.outcome
    return {
        "id": after.id,
        "number": before.tries,
        **standing(after),
        "known_at": settled.at,
        "outcome": outcome.result.value,
        "code": outcome.code,
        "reference": outcome.reference,
    }


def _settle(connection: sa.Connection, settled: Settled) -> None:
    """Keep an outcome, with what follows from it for others."""
    before, outcome = settled.claimed.delivery, settled.outcome
    connection.execute(_SETTLE, _outcome(settled))
    if outcome.result is Result.WITHHELD:
        connection.execute(_FORGET_ATTEMPT, {"id": before.id, "number": before.tries})
    if outcome.result is Result.OPTED_OUT and before.to_key is not None:
        connection.execute(stop_noted(before.to_key, is_stopped=True, at=settled.at, source="channel"))
    if outcome.result is Result.OPTED_OUT and before.device:
        table = schema.push_subscriptions
        connection.execute(sa.delete(table).where(table.c.id == UUID(before.device)))


def claimed(row: Any) -> Claimed:
    """A delivery whose turn it is, from its row with what is wanted at this moment."""
    delivery = rows.delivery(row)
    chosen = None
    if row.choices is not None and delivery.reader_id is not None:
        chosen = Preferences(kind=delivery.kind, owner_id=delivery.reader_id, choices=rows.choices(row.choices))
    quiet = rows.quiet_hours(row) if row.is_set else NIGHT
    return Claimed(
        delivery=delivery,
        quiet_hours=None if delivery.kind is Kind.ADDRESS else quiet,
        preferences=chosen,
        is_stopped=row.is_stopped,
        is_repeat=row.is_repeat,
        due_since=row.due_since,
    )

"""One transaction: what is planned, chosen, written and read, with its history."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.chassis.answers import lock_number
from services.chassis.call import Call
from services.chassis.sql import Unit
from services.chassis.stores import StoreBusy
from services.kernel.errors import NotFound
from services.notifications import schema
from services.notifications.model.deliveries import Delivery, Message, delivered
from services.notifications.model.preferences import Preferences
from services.notifications.model.settings import FacilitySettings
from services.notifications.model.store import Record
from services.notifications.model.subscriptions import Subscription
from services.notifications.model.templates import Template
from services.notifications.model.words import Kind, Status
from services.notifications.repository import rows
from services.notifications.repository.reading import SqlReading

_KEPT: dict[type[Any], tuple[sa.Table, Any]] = {
    Preferences: (schema.preferences, rows.preferences_row),
    Template: (schema.templates, rows.template_row),
    FacilitySettings: (schema.facility_settings, rows.settings_row),
}
_LOCK = sa.text("SELECT pg_advisory_xact_lock(:number)")
_LOCK_ALL = sa.text("SELECT pg_advisory_xact_lock(number) FROM unnest(CAST(:numbers AS bigint[])) AS number")
_SECOND = 2


class SqlWork(SqlReading):
    """Reads and writes over one transaction."""

    def __init__(self, unit: Unit, *, call: Call) -> None:
        super().__init__(unit.connection)
        self._call = call

    # ---- what is chosen and written ---------------------------------------------------------------------------------

    def fields_since(self, record: Record, *, version: int) -> list[str]:
        """Names of the fields that changed after a version."""
        table = schema.record_versions.c
        query = sa.select(sa.func.unnest(table.fields)).where(table.record == _named(record), table.version > version)
        return sorted(set(self._connection.execute(query).scalars()))

    def keep(self, record: Record, *, fields: Sequence[str]) -> None:
        """The next version of a record; its first row is its second version.

        Raises:  StoreBusy: somebody else has just made the same version.
        """
        table, row_of = _KEPT[type(record)]
        row = row_of(record)
        if record.version == _SECOND:
            self._insert(table, row)
        else:
            key = [column == row[column.name] for column in table.primary_key]
            before = table.c.version == record.version - 1
            if self._connection.execute(sa.update(table).where(*key, before).values(row)).rowcount != 1:
                raise StoreBusy("postgresql", "version_moved")
        kept = {
            "record": _named(record),
            "version": record.version,
            "at": self._call.at,
            "by": self._call.actor.subject,
            "operation": self._call.operation,
            "request_id": self._call.request_id,
            "fields": list(fields),
            "state": rows.state(row),
        }
        self._insert(schema.record_versions, kept)

    # ---- deliveries -------------------------------------------------------------------------------------------------

    def hold_appointments(self, appointment_ids: Collection[UUID]) -> None:
        """Until the end nobody else plans messages about these appointments."""
        numbers = sorted(lock_number("appointment", str(each)) for each in appointment_ids)
        self._connection.execute(_LOCK_ALL, {"numbers": numbers})  # in one order everywhere, so that none deadlocks

    def add(self, deliveries: Sequence[Delivery]) -> None:
        """New deliveries."""
        if deliveries:
            self._connection.execute(sa.insert(schema.deliveries), [rows.delivery_row(each) for each in deliveries])

    def add_under_way(self, delivery: Delivery) -> None:
        """A new delivery whose first attempt begins now."""
        self.add([delivery])
        first = {"delivery_id": delivery.id, "number": delivery.tries, "started_at": delivery.planned_at}
        self._insert(schema.attempts, first)

    def mark_read(self, message_id: UUID, *, account_id: UUID, at: datetime) -> Message:
        """Note that a message was read; NotFound when this account has none."""
        table = schema.messages
        own = (table.c.id == message_id, table.c.kind == Kind.ACCOUNT.value, table.c.owner_id == account_id)
        unread = sa.update(table).where(*own, table.c.read_at.is_(None)).values(read_at=at)
        if self._connection.execute(unread).rowcount:
            after = delivered(self.delivery(message_id))
            where = (schema.deliveries.c.id == message_id, schema.deliveries.c.status == Status.SENT.value)
            self._connection.execute(sa.update(schema.deliveries).where(*where).values(status=after.status.value))
        row = self._one(sa.select(table).where(*own))
        if row is None:
            raise NotFound
        return rows.message(row)

    def suppress(self, patient_id: UUID, *, reason: str, at: datetime) -> int:
        """Take back what waits for a patient, and say how many it was. What is in hand is asked about when it goes."""
        table = schema.deliveries
        waiting = (Status.HELD.value, Status.QUEUED.value)
        where = (
            table.c.kind == Kind.PATIENT.value,
            table.c.reader_id == patient_id,
            table.c.status.in_(waiting),
        )
        values = {"status": Status.SUPPRESSED.value, "reason": reason, "due_at": None, "finished_at": at}
        return self._connection.execute(sa.update(table).where(*where).values(values)).rowcount

    # ---- numbers and browsers ---------------------------------------------------------------------------------------

    def note_stop(self, key: bytes, *, is_stopped: bool, at: datetime, source: str) -> bool:
        """Note what a number wants, unless something newer is known; whether it was noted."""
        statement = stop_noted(key, is_stopped=is_stopped, at=at, source=source)
        return self._connection.execute(statement).rowcount == 1

    def hold_owner(self, kind: Kind, owner_id: UUID) -> None:
        """Until the end nobody else changes the browsers of this person."""
        self._lock("browsers", f"{kind.value}:{owner_id}")

    def subscribe(self, subscription: Subscription) -> Subscription:
        """A browser, which leaves whom it was subscribed for before; the one that is there when nothing changes."""
        table, row = schema.push_subscriptions, rows.subscription_row(subscription)
        for known in self.subscriptions(subscription.kind, subscription.owner_id):
            if (known.endpoint, known.p256dh, known.auth) == (row["endpoint"], row["p256dh"], row["auth"]):
                return known
        self._connection.execute(sa.delete(table).where(table.c.endpoint == subscription.endpoint))
        self._insert(table, row)
        return subscription

    def unsubscribe(self, subscription_id: UUID, *, kind: Kind, owner_id: UUID) -> None:
        """A browser less; NotFound when this person has no such."""
        table = schema.push_subscriptions
        own = (table.c.id == subscription_id, table.c.kind == kind.value, table.c.owner_id == owner_id)
        if self._connection.execute(sa.delete(table).where(*own)).rowcount == 0:
            raise NotFound

    def _lock(self, *what: str) -> None:
        self._connection.execute(_LOCK, {"number": lock_number(*what)})

    def _insert(self, table: sa.Table, row: dict[str, Any]) -> None:
        """Add a row; whoever meets what another transaction has just made begins again, and then sees it."""
        try:
            self._connection.execute(sa.insert(table).values(row))
        except sa.exc.IntegrityError as error:
            if isinstance(error.orig, psycopg.errors.UniqueViolation):
                raise StoreBusy("postgresql", "23505") from error
            raise


def stop_noted(key: bytes, *, is_stopped: bool, at: datetime, source: str) -> Any:
    """The statement that notes what a number wants, unless something newer is known."""
    row = {"is_stopped": is_stopped, "at": at, "source": source}
    made = insert(schema.sms_stops).values(number_key=key, **row)
    newer = schema.sms_stops.c.at < made.excluded.at
    return made.on_conflict_do_update(index_elements=["number_key"], set_=row, where=newer)


def _named(record: Record) -> str:
    """The name by which the versions of a record are kept."""
    if isinstance(record, Preferences):
        return f"preferences {record.kind.value} {record.owner_id}"
    if isinstance(record, Template):
        return f"template {record.name} {record.way.value} {record.language}"
    return f"settings {record.facility_id}"

"""A unit of work in PostgreSQL: the effect, its events, its audit entry and its answer, all or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.chassis import answers, outbox, retention
from services.chassis.call import Call, Delivery, IdempotencyKey
from services.chassis.outbox import Outgoing
from services.chassis.sql.errors import translated
from services.chassis.sql.outbox import SqlOutbox
from services.chassis.stores import AlreadyHandled, KeyRunning
from services.kernel.events import Event

_INTO_INBOX = sa.text(
    "INSERT INTO inbox (consumer, event_id) SELECT :consumer, unnest(CAST(:event_ids AS uuid[]))"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)
_LOCK_KEY = sa.text("SELECT pg_try_advisory_xact_lock(:number)")
_ANSWER = sa.text(
    "SELECT fingerprint, status, body, headers FROM idempotency WHERE principal = :principal AND key = :key"
)
_KEEP_ANSWER = sa.text(
    "INSERT INTO idempotency (principal, key, fingerprint, status, body, headers)"
    " VALUES (:principal, :key, :fingerprint, :status, :body, :headers)"
).bindparams(sa.bindparam("headers", type_=JSONB))
# One statement for any number of events; positions follow the order in which the events were recorded.
_INTO_OUTBOX = sa.text(
    "INSERT INTO outbox (id, stream, type, event) SELECT id, stream, type, event FROM unnest("
    "CAST(:ids AS uuid[]), CAST(:streams AS text[]), CAST(:types AS text[]), CAST(:events AS text[])"
    ") WITH ORDINALITY AS recorded (id, stream, type, event, number) ORDER BY number"
)


class _BinaryCursor(psycopg.Cursor[Any]):
    def __init__(self, connection: psycopg.Connection[Any], **given: Any) -> None:
        super().__init__(connection, **given)
        self.format = psycopg.pq.Format.BINARY


@contextmanager
def in_binary(connection: sa.Connection) -> Iterator[None]:
    """Inside, rows arrive in PostgreSQL's binary form: for who reads a great many, at half the cost of texts."""
    driver: Any = connection.connection.driver_connection
    before, driver.cursor_factory = driver.cursor_factory, _BinaryCursor
    try:
        yield
    finally:
        driver.cursor_factory = before


class Unit:
    """One transaction that is open: its connection, and the events that it will tell when it commits."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.events: list[Event] = []
        self.forwarded: list[Outgoing] = []

    def record(self, *events: Event) -> None:
        """Tell these events when the transaction commits; not at all when it does not."""
        self.events.extend(events)

    def forward(self, *ready: Outgoing) -> None:
        """Send on, when the transaction commits, what was put into its envelope elsewhere."""
        self.forwarded.extend(ready)


class Database:
    """One service's PostgreSQL database."""

    def __init__(
        self, engine: sa.Engine, *, service: str, clock: Callable[[], datetime], new_id: Callable[[], UUID]
    ) -> None:
        self.engine = engine
        self.outbox = SqlOutbox(engine)
        self._service = service
        self._clock = clock
        self._new_id = new_id
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._snapshots = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def begin(self, call: Call) -> Iterator[Unit]:
        """One transaction that commits, with the effect, all that belongs to the call.

        Raises:  AlreadyHandled: this consumer has had these events. Replayed, KeyReused, KeyRunning: see there.
                 StoreBusy: nothing was kept, try again. StoreAway: away, or after the commit was asked for unknown.
        """
        with translated(), self.engine.connect() as connection:
            transaction = connection.begin()
            try:
                _admit(connection, call)
                unit = Unit(connection)
                yield unit
                self._complete(unit, call)
            except BaseException:
                with _quietly():
                    transaction.rollback()
                raise
            with translated(committing=True):
                transaction.commit()
        call.committed()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for single statements that write nothing; each sees what is committed when it starts."""
        with translated(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A connection for statements that write nothing and all see what was committed when the first one started."""
        with translated(), self._snapshots.connect() as connection, connection.begin():
            yield connection

    def audit(self, call: Call) -> None:
        """Commit the audit entry of a call alone."""
        with call.alone(), self.begin(call):
            pass

    def ping(self) -> None:
        """Answer when the database answers; StoreAway or StoreBusy otherwise."""
        with self.read() as connection:
            connection.exec_driver_sql("SELECT 1")

    def tidy(self, call: Call) -> None:
        """Forget events, inbox marks and stored answers that are older than they are kept; a job for once an hour."""
        self.outbox.purge(call.at - retention.SENT_EVENTS)
        self._forget("inbox", "handled_at", call.at - retention.HANDLED_EVENTS)
        self._forget("idempotency", "created_at", call.at - retention.ANSWERS)

    def _forget(self, table: str, column: str, before: datetime) -> None:
        # Both names are constants of this file. Small batches, so that no statement nears its time limit.
        statement = sa.text(
            f"DELETE FROM {table} WHERE ctid = ANY (ARRAY("  # noqa: S608
            f"SELECT ctid FROM {table} WHERE {column} < :before LIMIT 1000))"
        )
        with self.read() as connection:
            while connection.execute(statement, {"before": before}).rowcount:
                pass

    def _complete(self, unit: Unit, call: Call) -> None:
        own = outbox.outgoing(call, unit.events, service=self._service, new_id=self._new_id)
        sent = [*unit.forwarded, *own]
        if sent:
            columns: dict[str, Any] = {
                "ids": [each.id for each in sent],
                "streams": [each.stream for each in sent],
                "types": [each.type for each in sent],
                "events": [each.event for each in sent],
            }
            unit.connection.execute(_INTO_OUTBOX, columns)
        if call.key is not None:
            _keep_answer(unit.connection, call, call.key)


def _admit(connection: sa.Connection, call: Call) -> None:
    key = call.key
    if call.delivery is not None:
        _mark_handled(connection, call.delivery)
    if key is not None:
        number = answers.lock_number("idempotency", key.principal, key.key)
        if not connection.execute(_LOCK_KEY, {"number": number}).scalar_one():
            raise KeyRunning
        # A statement of its own, after the lock: it then sees what the holder before has committed.
        row = connection.execute(_ANSWER, {"principal": key.principal, "key": key.key}).one_or_none()
        if row is not None:
            answers.answer_again(
                key, fingerprint=row.fingerprint, status=row.status, body=row.body, headers=row.headers
            )


def _mark_handled(connection: sa.Connection, delivery: Delivery) -> None:
    # In one order everywhere: two consumers that have some of the same events wait for each other, and never both.
    marks = {"consumer": delivery.consumer, "event_ids": sorted(delivery.event_ids)}
    handled = set(delivery.event_ids).difference(connection.execute(_INTO_INBOX, marks).scalars())
    if handled:
        raise AlreadyHandled(handled)


def _keep_answer(connection: sa.Connection, call: Call, key: IdempotencyKey) -> None:
    answer = answers.to_store(call)
    row = {
        "principal": key.principal,
        "key": key.key,
        "fingerprint": key.fingerprint,
        "status": answer.status,
        "body": answers.packed(answer.body),
        "headers": dict(answer.headers),
    }
    connection.execute(_KEEP_ANSWER, row)


@contextmanager
def _quietly() -> Iterator[None]:
    """What goes wrong while giving up does not hide why."""
    try:
        yield
    except sa.exc.DBAPIError:
        return

"""A side that is emptied, filled anew while the other one is read, and then read in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from services.chassis import answers, sql
from services.chassis.call import Call
from services.chassis.stores import StoreBusy
from services.reports import model, schema
from services.reports.repository import keeping

_ONE_AT_A_TIME = sa.text("SELECT pg_try_advisory_lock(:number)")
_LOCK = {"number": answers.lock_number("reports", "rebuild")}
_AT_ONCE = 5000
_MOMENT = 'YYYY-MM-DD"T"HH24:MI:SS.US'


class Rebuilding:
    """The reading model, as its operators make and compare it.

    database: with the time that such work takes.
    """

    def __init__(self, database: sql.Database) -> None:
        self._database = database

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody else is at it, until the end; the database forgets who dies."""
        with self._database.read() as connection:
            is_alone = bool(connection.execute(_ONE_AT_A_TIME, _LOCK).scalar_one())
            try:
                yield is_alone
            finally:
                connection.invalidate()  # the lock goes with the connection

    def begin(self, call: Call) -> int:
        """Empty the side that is not read; from now on news is kept there too. The number of this attempt."""
        with self._database.begin(call) as unit:
            fresh = self._other(unit.connection)
            for table in fresh.tables:
                unit.connection.exec_driver_sql(f"TRUNCATE {table.name}")
            values = {"filling": fresh.number, "begun": schema.sides.c.begun + 1}
            begun = sa.update(schema.sides).values(values).returning(schema.sides.c.begun)
            return int(unit.connection.execute(begun).scalar_one())

    def fill(
        self,
        *,
        appointments: Sequence[model.Appointment] = (),
        doctors: Sequence[model.Doctor] = (),
        specializations: Sequence[model.Specialization] = (),
    ) -> None:
        """Keep some of what the owners say, each unless news of it was newer."""
        with self._database.read() as connection:
            fresh = self._other(connection)
            for table, rows in (
                (fresh.appointments, [keeping.appointment_row(each) for each in appointments]),
                (fresh.doctors, [keeping.doctor_row(each) for each in doctors]),
                (fresh.specializations, [keeping.specialization_row(each) for each in specializations]),
            ):
                if rows:
                    keeping.keep(connection, table, rows)

    def swap(self, attempt: int) -> None:
        """Read what was filled from now on; whoever reads now reads the other side to the end.

        Raises:  StoreBusy: a later attempt has begun, and this side is not what was filled.
        """
        with self._database.read() as connection:
            for table in self._other(connection).tables:
                connection.exec_driver_sql(f"ANALYZE {table.name}")
            values = {"live": schema.sides.c.filling, "filling": None}
            if not connection.execute(_still(attempt).values(values)).rowcount:
                raise StoreBusy("postgresql", "later_attempt")

    def give_up(self, attempt: int) -> None:
        """Keep no more news on the side that was to be filled."""
        with self._database.read() as connection:
            connection.execute(_still(attempt).values(filling=None))

    def counts(self) -> dict[str, int]:
        """How much there is of what, on the side that is read."""
        with self._database.snapshot() as connection:
            side, _ = keeping.now_read(connection)
            queries = {
                "appointments": sa.select(sa.func.count()).select_from(side.appointments),
                "doctors": sa.select(sa.func.count()).select_from(side.doctors),
                "specializations": sa.select(sa.func.count()).where(~side.specializations.c.is_deleted),
            }
            return {name: connection.execute(query).scalar_one() for name, query in queries.items()}

    def digest(self) -> str:
        """One number for all that figures are made of, on the side that is read."""
        with self._database.snapshot() as connection:
            side, _ = keeping.now_read(connection)
            return model.digest(_lines(connection, side))

    def _other(self, connection: sa.Connection) -> schema.Side:
        side, _ = keeping.now_read(connection)
        return schema.SIDES[1 - side.number]


def _still(attempt: int) -> sa.Update:
    """What is done only while an attempt is the last one, and not over."""
    return sa.update(schema.sides).where(schema.sides.c.begun == attempt, schema.sides.c.filling.is_not(None))


def _lines(connection: sa.Connection, side: schema.Side) -> Iterator[str]:
    """Every row as text, by id; no value holds the sign between them, because names have no control characters."""
    for table in side.tables:
        query = sa.select(*(_text(each) for each in table.columns if each.name != "changed_at")).order_by(table.c.id)
        if "is_deleted" in table.c:
            query = query.where(~table.c.is_deleted)
        yield table.name.rpartition("_")[0]
        for row in connection.execute(query, execution_options={"yield_per": _AT_ONCE}):
            yield "\x1f".join(row)


def _text(column: sa.Column[Any]) -> sa.ColumnElement[str]:
    if isinstance(column.type, sa.DateTime):
        return sa.func.to_char(sa.func.timezone("UTC", column), _MOMENT)
    return sa.func.coalesce(sa.cast(column, sa.Text), "")

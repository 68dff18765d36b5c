"""What happened, kept on the side that is read, and on the one that is being filled as well."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.reports import model, schema


def now_read(connection: sa.Connection) -> tuple[schema.Side, int]:
    """The side that is read, and how often one was emptied so far."""
    row = connection.execute(sa.select(schema.sides.c.live, schema.sides.c.begun)).one()
    return schema.SIDES[row.live], row.begun


def keep(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Rows as they are now, each unless a newer version of it is there; in one order, so that two never deadlock."""
    made = insert(table)
    fresh = {each.name: made.excluded[each.name] for each in table.columns if each.name != "id"}
    newer = made.on_conflict_do_update(index_elements=["id"], set_=fresh, where=made.excluded.version > table.c.version)
    connection.execute(newer, sorted(rows, key=lambda row: row["id"]))


def appointment_row(fact: model.Appointment) -> dict[str, Any]:
    """How an appointment stands, as a row with its day."""
    return {**_fields(fact), "status": fact.status.value, "day": fact.day}


def doctor_row(fact: model.Doctor) -> dict[str, Any]:
    """A doctor, as a row."""
    return {**_fields(fact), "specialization_ids": list(fact.specialization_ids)}


def specialization_row(fact: model.Specialization) -> dict[str, Any]:
    """A specialization, as a row."""
    return _fields(fact)


class SqlKeeping:
    """One transaction that keeps what happened.

    Without a lock on which side is which: who has read it before a side began to be filled brings news that its owner
    had told before, and it is read from the owner after that.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def keep_appointments(self, *facts: model.Appointment) -> None:
        """How appointments stand, each unless something newer is known of it."""
        for side in self._sides():
            keep(self._connection, side.appointments, [appointment_row(each) for each in facts])

    def keep_doctors(self, *facts: model.Doctor) -> None:
        """What doctors do, each unless something newer is known of it."""
        for side in self._sides():
            keep(self._connection, side.doctors, [doctor_row(each) for each in facts])

    def keep_specializations(self, *facts: model.Specialization) -> None:
        """What specializations are called, each unless something newer is known of it."""
        for side in self._sides():
            keep(self._connection, side.specializations, [specialization_row(each) for each in facts])

    def keep_look(self, look: model.Look) -> None:
        """How far the reader of a stream is."""
        row = _fields(look)
        made = insert(schema.looks).values(row)
        self._connection.execute(made.on_conflict_do_update(index_elements=["stream"], set_=row))

    def _sides(self) -> list[schema.Side]:
        """Those that are written, always in one order."""
        row = self._connection.execute(sa.select(schema.sides.c.live, schema.sides.c.filling)).one()
        return [each for each in schema.SIDES if each.number in (row.live, row.filling)]


def _fields(fact: Any) -> dict[str, Any]:
    return {each.name: getattr(fact, each.name) for each in dataclasses.fields(fact)}

"""Tables of the reports; private to the repository.

What figures are made of stands twice, on two sides: one is read, the other is empty, or is being filled anew until it
takes the place of the first. `sides` says which is which.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.chassis import sql

metadata = sa.MetaData()
technical = sql.technical_tables(metadata)

_AT = sa.DateTime(timezone=True)


@dataclass(frozen=True, slots=True)
class Side:
    """The tables of one side."""

    number: int
    appointments: sa.Table
    doctors: sa.Table
    specializations: sa.Table

    @property
    def tables(self) -> tuple[sa.Table, ...]:
        """All of them."""
        return (self.appointments, self.doctors, self.specializations)


def _side(number: int) -> Side:
    doctors = sa.Table(
        f"doctors_{number}",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("specialization_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Index(f"doctors_{number}_account", "user_id"),
    )
    specializations = sa.Table(
        f"specializations_{number}",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("is_deleted", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    return Side(number, _appointments(f"appointments_{number}"), doctors, specializations)


def _appointments(name: str) -> sa.Table:
    # All that a figure reads stands in the index, so that a year of a facility is counted without its rows.
    counted, included = ("facility_id", "day", "doctor_id"), ["status", "is_late"]
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("facility_id", sa.Uuid, nullable=False),
        sa.Column("doctor_id", sa.Uuid, nullable=False),
        sa.Column("location_id", sa.Uuid, nullable=False),
        sa.Column("appointment_type_id", sa.Uuid, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("starts_at", _AT, nullable=False),
        sa.Column("ends_at", _AT, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("is_late", sa.Boolean, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Index(f"{name}_counted", *counted, postgresql_include=included),
        sa.Index(f"{name}_newest", "changed_at"),
    )


SIDES = (_side(0), _side(1))

# One row. begun counts how often a side was emptied to be filled: what was read while it changed counts for nothing.
sides = sa.Table(
    "sides",
    metadata,
    sa.Column("one", sa.Boolean, primary_key=True),
    sa.Column("live", sa.SmallInteger, nullable=False),
    sa.Column("filling", sa.SmallInteger),
    sa.Column("begun", sa.BigInteger, nullable=False),
)

looks = sa.Table(
    "looks",
    metadata,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("at", _AT, nullable=False),
    sa.Column("oldest_s", sa.Float, nullable=False),
    sa.Column("dead", sa.Integer, nullable=False),
)

"""Two sides of what figures are made of, which of them is read, and how far the reader is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from services.chassis import sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    sql.create_technical_tables_v1(op)
    for number in (0, 1):
        _appointments(number)
        _doctors(number)
    op.create_table(
        "sides",
        sa.Column("one", sa.Boolean, sa.CheckConstraint("one"), primary_key=True),
        sa.Column("live", sa.SmallInteger, sa.CheckConstraint("live IN (0, 1)"), nullable=False),
        sa.Column("filling", sa.SmallInteger, sa.CheckConstraint("filling = 1 - live")),
        sa.Column("begun", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO sides (one, live, begun) VALUES (true, 0, 0)")
    op.create_table(
        "looks",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("at", _AT, nullable=False),
        sa.Column("oldest_s", sa.Float, nullable=False),
        sa.Column("dead", sa.Integer, nullable=False),
    )


def _appointments(number: int) -> None:
    name = f"appointments_{number}"
    op.create_table(
        name,
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
        sa.Column("version", sa.Integer, sa.CheckConstraint("version >= 1"), nullable=False),
    )
    counted = ["facility_id", "day", "doctor_id"]
    op.create_index(f"{name}_counted", name, counted, postgresql_include=["status", "is_late"])
    op.create_index(f"{name}_newest", name, ["changed_at"])


def _doctors(number: int) -> None:
    op.create_table(
        f"doctors_{number}",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("specialization_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("version", sa.Integer, sa.CheckConstraint("version >= 1"), nullable=False),
    )
    op.create_index(f"doctors_{number}_account", f"doctors_{number}", ["user_id"])
    op.create_table(
        f"specializations_{number}",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("is_deleted", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, sa.CheckConstraint("version >= 1"), nullable=False),
    )

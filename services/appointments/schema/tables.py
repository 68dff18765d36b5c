"""Tables of the journal: every version of every appointment, the newest of each, the plans, and the stored answers."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from services.chassis import sql

metadata = sa.MetaData()
technical = sql.technical_tables(metadata)

# How far the stream of each facility has been carried into this journal.
positions = sa.Table(
    "positions",
    metadata,
    sa.Column("facility_id", sa.Uuid, primary_key=True),
    sa.Column("last_entry", sa.Text, nullable=False),
)

appointments = sa.Table(
    "appointments",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("facility_id", sa.Uuid, nullable=False),
    sa.Column("patient_id", sa.Uuid, nullable=False),
    sa.Column("doctor_id", sa.Uuid, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("late_cancelled", sa.Boolean, nullable=False),
    sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("in_records", sa.Boolean, nullable=False),
    sa.Column("record", pg.JSONB, nullable=False),
)

versions = sa.Table(
    "appointment_versions",
    metadata,
    sa.Column("appointment_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("facility_id", sa.Uuid, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("record", pg.JSONB, nullable=False),
)

plans = sa.Table(
    "plans",
    metadata,
    sa.Column("facility_id", sa.Uuid, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("closed", pg.JSONB, nullable=False),
    sa.Column("change", sa.Text, nullable=False),
    sa.Column("answer", pg.JSONB, nullable=False),
)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("facility_id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("answer", pg.JSONB, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)

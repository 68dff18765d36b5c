"""The journal of appointments: versions, the newest of each, plans, stored answers, and how far it has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from services.chassis import sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    sql.create_technical_tables_v1(op)
    op.create_table(
        "positions",
        sa.Column("facility_id", sa.Uuid, primary_key=True),
        sa.Column("last_entry", sa.Text, nullable=False),
    )
    _appointments()
    _versions()
    op.create_table(
        "plans",
        sa.Column("facility_id", sa.Uuid, primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("closed", pg.JSONB, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("answer", pg.JSONB, nullable=False),
    )
    op.create_table(
        "answers",
        sa.Column("facility_id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("answer", pg.JSONB, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
    )


def _appointments() -> None:
    op.create_table(
        "appointments",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("facility_id", sa.Uuid, nullable=False),
        sa.Column("patient_id", sa.Uuid, nullable=False),
        sa.Column("doctor_id", sa.Uuid, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("late_cancelled", sa.Boolean, nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer, sa.CheckConstraint("version >= 1"), nullable=False),
        sa.Column("in_records", sa.Boolean, nullable=False),
        sa.Column("record", pg.JSONB, nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )
    op.create_index("appointments_of_day", "appointments", ["facility_id", "starts_at", "id"])
    op.create_index("appointments_of_patient", "appointments", ["patient_id", "starts_at", "id"])
    op.create_index(
        "appointments_unresolved",
        "appointments",
        ["facility_id", "ends_at", "id"],
        postgresql_where=sa.text("status IN ('booked', 'arrived')"),
    )
    op.create_index("appointments_in_records", "appointments", ["ends_at"], postgresql_where=sa.text("in_records"))


def _versions() -> None:
    op.create_table(
        "appointment_versions",
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
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'append only' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON appointment_versions"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )

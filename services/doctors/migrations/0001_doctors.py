"""Profiles, the managed lists, sessions, leave, closures, plans and their changes, and every version of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from services.chassis import sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    sql.create_technical_tables_v1(op)
    _specializations()
    _appointment_types()
    _resources()
    _doctors()
    _claims()
    _photos()
    _type_minutes()
    _places()
    _sessions()
    _leave()
    _closures()
    _plans()
    _plan_changes()
    _record_versions()


def _specializations() -> None:
    op.create_table(
        "specializations",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("comparable", sa.Text, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.UniqueConstraint("comparable", name="specializations_name_is_taken"),
    )


def _appointment_types() -> None:
    op.create_table(
        "appointment_types",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("comparable", sa.Text, nullable=False),
        sa.Column("minutes", sa.SmallInteger, nullable=False),
        sa.Column("color", sa.Text, nullable=False),
        sa.Column("preparation", sa.Text),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("specialization_ids", pg.ARRAY(sa.Uuid), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.UniqueConstraint("comparable", name="appointment_types_name_is_taken"),
        sa.CheckConstraint("minutes BETWEEN 5 AND 480"),
        sa.CheckConstraint("audience IN ('everyone', 'staff')"),
    )


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("comparable", sa.Text, nullable=False),
        sa.Column("facility_id", sa.Uuid, nullable=False),
        sa.Column("location_id", sa.Uuid),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.UniqueConstraint("facility_id", "comparable", name="resources_name_is_taken"),
        sa.CheckConstraint("kind IN ('room', 'device')"),
    )


def _doctors() -> None:
    op.create_table(
        "doctors",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("family_name", sa.Text, nullable=False),
        sa.Column("given_name", sa.Text, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("licence_number", sa.Text, nullable=False),
        sa.Column("licence_authority", sa.Text, nullable=False),
        sa.Column("licence_expires_on", sa.Date),
        sa.Column("languages", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("phone", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("department_ids", pg.ARRAY(sa.Uuid), nullable=False),
        sa.Column("specialization_ids", pg.ARRAY(sa.Uuid), nullable=False),
        sa.Column("max_per_day", sa.SmallInteger),
        sa.Column("user_id", sa.Uuid),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.CheckConstraint("max_per_day >= 1"),
    )
    op.create_index("doctors_by_specialization", "doctors", ["specialization_ids"], postgresql_using="gin")


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("doctor_id", sa.Uuid, sa.ForeignKey("doctors.id"), nullable=False),
    )
    op.create_index("claims_by_doctor", "claims", ["doctor_id"])


def _photos() -> None:
    op.create_table(
        "photos",
        sa.Column("doctor_id", sa.Uuid, sa.ForeignKey("doctors.id"), primary_key=True),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.CheckConstraint("octet_length(data) <= 524288"),
    )


def _type_minutes() -> None:
    op.create_table(
        "type_minutes",
        sa.Column("doctor_id", sa.Uuid, sa.ForeignKey("doctors.id"), primary_key=True),
        sa.Column("type_id", sa.Uuid, sa.ForeignKey("appointment_types.id"), primary_key=True),
        sa.Column("minutes", sa.SmallInteger, nullable=False),
        sa.CheckConstraint("minutes BETWEEN 5 AND 480"),
    )


def _places() -> None:
    op.create_table(
        "places",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("facility_id", sa.Uuid, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("doctor_id", sa.Uuid, sa.ForeignKey("doctors.id"), nullable=False),
        sa.Column("facility_id", sa.Uuid, nullable=False),
        sa.Column("location_id", sa.Uuid, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("resource_ids", pg.ARRAY(sa.Uuid), nullable=False),
        sa.Column("weekday", sa.SmallInteger, nullable=False),
        sa.Column("starts", sa.Time, nullable=False),
        sa.Column("ends", sa.Time, nullable=False),
        sa.Column("slot_minutes", sa.SmallInteger, nullable=False),
        sa.Column("capacity", sa.SmallInteger, nullable=False),
        sa.Column("max_bookings", sa.SmallInteger),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("appointment_type_ids", pg.ARRAY(sa.Uuid), nullable=False),
        sa.Column("follows", sa.Uuid, sa.ForeignKey("sessions.id")),
        sa.Column("is_withdrawn", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7"),
        sa.CheckConstraint("slot_minutes BETWEEN 5 AND 480"),
        sa.CheckConstraint("capacity BETWEEN 1 AND 50"),
        sa.CheckConstraint("starts <> ends"),
        sa.CheckConstraint("valid_to >= valid_from"),
    )
    op.create_index("sessions_by_doctor", "sessions", ["doctor_id"])
    op.create_index("sessions_by_facility", "sessions", ["facility_id"])


def _leave() -> None:
    op.create_table(
        "leave",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("doctor_id", sa.Uuid, sa.ForeignKey("doctors.id"), nullable=False),
        sa.Column("starts_at", _AT, nullable=False),
        sa.Column("ends_at", _AT, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("is_removed", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.CheckConstraint("ends_at > starts_at"),
    )
    op.create_index("leave_by_doctor", "leave", ["doctor_id"])


def _closures() -> None:
    op.create_table(
        "closures",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("facility_id", sa.Uuid, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("scope_id", sa.Uuid, nullable=False),
        sa.Column("starts_at", _AT, nullable=False),
        sa.Column("ends_at", _AT, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("is_removed", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.CheckConstraint("ends_at > starts_at"),
        sa.CheckConstraint("scope IN ('facility', 'location', 'resource')"),
    )
    op.create_index("closures_by_facility", "closures", ["facility_id"])


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("plan_id", sa.Uuid, primary_key=True),
        sa.Column("facility_id", sa.Uuid, primary_key=True),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("last_version", sa.Integer, nullable=False),
        sa.CheckConstraint("version >= 0 AND last_version >= version"),
    )
    op.create_index("plans_by_facility", "plans", ["facility_id"])


def _plan_changes() -> None:
    op.create_table(
        "plan_changes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("is_of_doctor", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("clashing", sa.Text, nullable=False),
        sa.Column("records", pg.JSONB, nullable=False),
        sa.Column("fields", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("steps", pg.JSONB, nullable=False),
        sa.Column("applied", sa.SmallInteger, nullable=False),
        sa.Column("clashes", pg.JSONB, nullable=False),
        sa.Column("more", sa.Boolean, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_roles", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("intent", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary),
        sa.Column("asked_at", _AT, nullable=False),
        sa.Column("due_at", _AT, nullable=False),
        sa.Column("settled_at", _AT),
        sa.CheckConstraint("state IN ('pending', 'withdrawing', 'effective', 'withdrawn')"),
        sa.CheckConstraint("clashing IN ('refuse', 'keep')"),
        sa.CheckConstraint("(settled_at IS NULL) = (state IN ('pending', 'withdrawing'))"),
    )
    op.create_index(
        "plan_changes_intent", "plan_changes", ["intent"], unique=True, postgresql_where=sa.text("state <> 'withdrawn'")
    )
    op.create_index(
        "plan_changes_one_is_open",
        "plan_changes",
        ["subject_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('pending', 'withdrawing')"),
    )


def _record_versions() -> None:
    op.create_table(
        "record_versions",
        sa.Column("record_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", _AT, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("fields", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("state", pg.JSONB, nullable=False),
    )
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'append only' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON record_versions"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )

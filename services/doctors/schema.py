"""The tables of doctors and their plans; private to the repository.

Each table of records holds them as they are now and effective, `record_versions` every version of each. A change of
plans that waits stands whole in `plan_changes`, and nowhere else. `claims` lets a licence number and an account belong
to one doctor only, those of a change that waits too.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.chassis import sql

metadata = sa.MetaData()
technical = sql.technical_tables(metadata)

_AT = sa.DateTime(timezone=True)
_IDS = ARRAY(sa.Uuid)


specializations = sa.Table(
    "specializations",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("comparable", sa.Text, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    *sql.record_columns(),
    sa.UniqueConstraint("comparable", name="specializations_name_is_taken"),
)

appointment_types = sa.Table(
    "appointment_types",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("comparable", sa.Text, nullable=False),
    sa.Column("minutes", sa.SmallInteger, nullable=False),
    sa.Column("color", sa.Text, nullable=False),
    sa.Column("preparation", sa.Text),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("specialization_ids", _IDS, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    *sql.record_columns(),
    sa.UniqueConstraint("comparable", name="appointment_types_name_is_taken"),
)

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("comparable", sa.Text, nullable=False),
    sa.Column("facility_id", sa.Uuid, nullable=False),
    sa.Column("location_id", sa.Uuid),
    sa.Column("is_active", sa.Boolean, nullable=False),
    *sql.record_columns(),
    sa.UniqueConstraint("facility_id", "comparable", name="resources_name_is_taken"),
)

doctors = sa.Table(
    "doctors",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("family_name", sa.Text, nullable=False),
    sa.Column("given_name", sa.Text, nullable=False),
    sa.Column("title", sa.Text),
    sa.Column("licence_number", sa.Text, nullable=False),
    sa.Column("licence_authority", sa.Text, nullable=False),
    sa.Column("licence_expires_on", sa.Date),
    sa.Column("languages", ARRAY(sa.Text), nullable=False),
    sa.Column("phone", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("department_ids", _IDS, nullable=False),
    sa.Column("specialization_ids", _IDS, nullable=False),
    sa.Column("max_per_day", sa.SmallInteger),
    sa.Column("user_id", sa.Uuid),
    sa.Column("is_active", sa.Boolean, nullable=False),
    *sql.record_columns(),
)

claims = sa.Table(
    "claims",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("doctor_id", sa.Uuid, sa.ForeignKey("doctors.id"), nullable=False),
    sa.Index("claims_by_doctor", "doctor_id"),
)

photos = sa.Table(
    "photos",
    metadata,
    sa.Column("doctor_id", sa.Uuid, sa.ForeignKey("doctors.id"), primary_key=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("changed_at", _AT, nullable=False),
)

type_minutes = sa.Table(
    "type_minutes",
    metadata,
    sa.Column("doctor_id", sa.Uuid, sa.ForeignKey("doctors.id"), primary_key=True),
    sa.Column("type_id", sa.Uuid, sa.ForeignKey("appointment_types.id"), primary_key=True),
    sa.Column("minutes", sa.SmallInteger, nullable=False),
)

places = sa.Table(
    "places",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("facility_id", sa.Uuid, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("doctor_id", sa.Uuid, sa.ForeignKey("doctors.id"), nullable=False),
    sa.Column("facility_id", sa.Uuid, nullable=False),
    sa.Column("location_id", sa.Uuid, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("resource_ids", _IDS, nullable=False),
    sa.Column("weekday", sa.SmallInteger, nullable=False),
    sa.Column("starts", sa.Time, nullable=False),
    sa.Column("ends", sa.Time, nullable=False),
    sa.Column("slot_minutes", sa.SmallInteger, nullable=False),
    sa.Column("capacity", sa.SmallInteger, nullable=False),
    sa.Column("max_bookings", sa.SmallInteger),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("valid_to", sa.Date),
    sa.Column("appointment_type_ids", _IDS, nullable=False),
    sa.Column("follows", sa.Uuid, sa.ForeignKey("sessions.id")),
    sa.Column("is_withdrawn", sa.Boolean, nullable=False),
    *sql.record_columns(),
    sa.Index("sessions_by_doctor", "doctor_id"),
    sa.Index("sessions_by_facility", "facility_id"),
)

leave = sa.Table(
    "leave",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("doctor_id", sa.Uuid, sa.ForeignKey("doctors.id"), nullable=False),
    sa.Column("starts_at", _AT, nullable=False),
    sa.Column("ends_at", _AT, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("is_removed", sa.Boolean, nullable=False),
    *sql.record_columns(),
    sa.Index("leave_by_doctor", "doctor_id"),
)

closures = sa.Table(
    "closures",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("facility_id", sa.Uuid, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("scope_id", sa.Uuid, nullable=False),
    sa.Column("starts_at", _AT, nullable=False),
    sa.Column("ends_at", _AT, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("is_removed", sa.Boolean, nullable=False),
    *sql.record_columns(),
    sa.Index("closures_by_facility", "facility_id"),
)

plans = sa.Table(
    "plans",
    metadata,
    sa.Column("plan_id", sa.Uuid, primary_key=True),
    sa.Column("facility_id", sa.Uuid, primary_key=True),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("last_version", sa.Integer, nullable=False),
    sa.Index("plans_by_facility", "facility_id"),
)

OPEN = "state IN ('pending', 'withdrawing')"

plan_changes = sa.Table(
    "plan_changes",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("subject_id", sa.Uuid, nullable=False),
    sa.Column("is_of_doctor", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("clashing", sa.Text, nullable=False),
    sa.Column("records", JSONB, nullable=False),
    sa.Column("fields", ARRAY(sa.Text), nullable=False),
    sa.Column("steps", JSONB, nullable=False),
    sa.Column("applied", sa.SmallInteger, nullable=False),
    sa.Column("clashes", JSONB, nullable=False),
    sa.Column("more", sa.Boolean, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_roles", ARRAY(sa.Text), nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("intent", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary),
    sa.Column("asked_at", _AT, nullable=False),
    sa.Column("due_at", _AT, nullable=False),
    sa.Column("settled_at", _AT),
    # The database itself holds that a plan has one open change at most, and an intent one that was not given up.
    sa.Index("plan_changes_one_is_open", "subject_id", unique=True, postgresql_where=sa.text(OPEN)),
    sa.Index("plan_changes_intent", "intent", unique=True, postgresql_where=sa.text("state <> 'withdrawn'")),
)

record_versions = sa.Table(
    "record_versions",
    metadata,
    sa.Column("record_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", _AT, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("fields", ARRAY(sa.Text), nullable=False),
    sa.Column("state", JSONB, nullable=False),
)

"""Deliveries with their attempts, messages, what people and facilities have chosen, and what was said by SMS."""

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
_OPEN = sa.text("status IN ('held', 'queued', 'sending')")


def upgrade() -> None:
    sql.create_technical_tables_v1(op)
    _deliveries()
    _attempts()
    _messages()
    _preferences()
    _templates()
    _facility_settings()
    _record_versions()
    _sms_stops()
    _push_subscriptions()


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reader_id", sa.Uuid),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("patient_id", sa.Uuid),
        sa.Column("facility_id", sa.Uuid),
        sa.Column("appointment_id", sa.Uuid),
        sa.Column("appointment_version", sa.Integer, nullable=False),
        sa.Column("zone", sa.Text),
        sa.Column("next_start", _AT),
        sa.Column("expires_at", _AT),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("from_name", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("address_key", sa.LargeBinary),
        sa.Column("subject", sa.Text),
        sa.Column("text", sa.Text),
        sa.Column("calendar_method", sa.Text),
        sa.Column("calendar", sa.LargeBinary),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("planned_at", _AT, nullable=False),
        sa.Column("due_at", _AT),
        sa.Column("finished_at", _AT),
        sa.Column("tries", sa.SmallInteger, nullable=False),
        sa.Column("failures", sa.SmallInteger, nullable=False),
        sa.Column("resend_of", sa.Uuid, sa.ForeignKey("deliveries.id")),
        sa.Column("wiped_at", _AT),
        sa.CheckConstraint(
            "status IN ('held', 'queued', 'sending', 'sent', 'delivered', 'failed', 'dead', 'suppressed')"
        ),
        sa.CheckConstraint("way IN ('email', 'sms', 'push', 'in_app')"),
        sa.CheckConstraint("(due_at IS NULL) = (status NOT IN ('held', 'queued', 'sending'))"),
    )
    _indexes_of_deliveries()


def _indexes_of_deliveries() -> None:
    op.create_index(
        "deliveries_once",
        "deliveries",
        ["event_id", "topic", "kind", "reader_id", "way", "device"],
        unique=True,
        postgresql_where=sa.text("resend_of IS NULL"),
    )
    op.create_index("deliveries_due", "deliveries", ["way", "due_at", "id"], postgresql_where=_OPEN)
    op.create_index("deliveries_in_order", "deliveries", ["appointment_id", "reader_id", "way"], postgresql_where=_OPEN)
    op.create_index("deliveries_by_appointment", "deliveries", ["appointment_id"])
    op.create_index("deliveries_by_patient", "deliveries", ["patient_id", "id"])
    op.create_index("deliveries_by_facility", "deliveries", ["facility_id", "id"])
    op.create_index("deliveries_by_status", "deliveries", ["status", "id"])
    op.create_index("deliveries_by_reader_waiting", "deliveries", ["reader_id"], postgresql_where=_OPEN)
    op.create_index(
        "deliveries_over",
        "deliveries",
        ["finished_at"],
        postgresql_where=sa.text("text IS NOT NULL AND finished_at IS NOT NULL"),
    )


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("delivery_id", sa.Uuid, sa.ForeignKey("deliveries.id"), primary_key=True),
        sa.Column("number", sa.SmallInteger, primary_key=True),
        sa.Column("started_at", _AT, nullable=False),
        sa.Column("finished_at", _AT),
        sa.Column("outcome", sa.Text),
        sa.Column("code", sa.Text),
        sa.Column("reference", sa.Text),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid, sa.ForeignKey("deliveries.id"), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("appointment_id", sa.Uuid),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("sent_at", _AT, nullable=False),
        sa.Column("read_at", _AT),
    )
    op.create_index("messages_by_owner", "messages", ["kind", "owner_id", "id"])
    op.create_index("messages_sent", "messages", ["sent_at"])


def _preferences() -> None:
    op.create_table(
        "preferences",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("owner_id", sa.Uuid, primary_key=True),
        sa.Column("choices", pg.JSONB, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )


def _templates() -> None:
    op.create_table(
        "templates",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("way", sa.Text, primary_key=True),
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text),
        sa.Column("text", sa.Text),
        sa.Column("names_details", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )


def _facility_settings() -> None:
    op.create_table(
        "facility_settings",
        sa.Column("facility_id", sa.Uuid, primary_key=True),
        sa.Column("quiet_from", sa.Time),
        sa.Column("quiet_until", sa.Time),
        sa.Column("from_name", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("channels", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("may_name_details", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )


def _record_versions() -> None:
    op.create_table(
        "record_versions",
        sa.Column("record", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("at", _AT, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("fields", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("state", pg.JSONB, nullable=False),
    )


def _sms_stops() -> None:
    op.create_table(
        "sms_stops",
        sa.Column("number_key", sa.LargeBinary, primary_key=True),
        sa.Column("is_stopped", sa.Boolean, nullable=False),
        sa.Column("at", _AT, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )


def _push_subscriptions() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("p256dh", sa.Text, nullable=False),
        sa.Column("auth", sa.Text, nullable=False),
        sa.Column("created_at", _AT, nullable=False),
        sa.UniqueConstraint("endpoint", name="push_subscriptions_one_of_a_browser"),
    )
    op.create_index("push_subscriptions_by_owner", "push_subscriptions", ["kind", "owner_id", "id"])

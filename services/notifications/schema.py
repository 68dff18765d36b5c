"""The tables of notifications; private to the repository.

A delivery is one row from its plan to its end, whoever has it in hand; `attempts` holds each time that it was handed to
its channel. What is read in the house is a row of `messages` with the id of its delivery.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.chassis import sql

metadata = sa.MetaData()
technical = sql.technical_tables(metadata)

_AT = sa.DateTime(timezone=True)
OPEN = "status IN ('held', 'queued', 'sending')"
IS_OVER = "text IS NOT NULL AND finished_at IS NOT NULL"

deliveries = sa.Table(
    "deliveries",
    metadata,
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
    # The database itself holds that an event is told once: what is sent again by hand is another delivery.
    sa.Index(
        "deliveries_once",
        "event_id", "topic", "kind", "reader_id", "way", "device",
        unique=True,
        postgresql_where=sa.text("resend_of IS NULL"),
    ),
    sa.Index("deliveries_due", "way", "due_at", "id", postgresql_where=sa.text(OPEN)),
    sa.Index("deliveries_in_order", "appointment_id", "reader_id", "way", postgresql_where=sa.text(OPEN)),
    sa.Index("deliveries_by_appointment", "appointment_id"),
    sa.Index("deliveries_by_patient", "patient_id", "id"),
    sa.Index("deliveries_by_facility", "facility_id", "id"),
    sa.Index("deliveries_by_status", "status", "id"),
    sa.Index("deliveries_by_reader_waiting", "reader_id", postgresql_where=sa.text(OPEN)),
    sa.Index("deliveries_over", "finished_at", postgresql_where=sa.text(IS_OVER)),
)  # fmt: skip

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("delivery_id", sa.Uuid, sa.ForeignKey("deliveries.id"), primary_key=True),
    sa.Column("number", sa.SmallInteger, primary_key=True),
    sa.Column("started_at", _AT, nullable=False),
    sa.Column("finished_at", _AT),
    sa.Column("outcome", sa.Text),
    sa.Column("code", sa.Text),
    sa.Column("reference", sa.Text),
)

messages = sa.Table(
    "messages",
    metadata,
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
    sa.Index("messages_by_owner", "kind", "owner_id", "id"),
    sa.Index("messages_sent", "sent_at"),
)

preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("owner_id", sa.Uuid, primary_key=True),
    sa.Column("choices", JSONB, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

templates = sa.Table(
    "templates",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("way", sa.Text, primary_key=True),
    sa.Column("language", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text),
    sa.Column("text", sa.Text),
    sa.Column("names_details", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

facility_settings = sa.Table(
    "facility_settings",
    metadata,
    sa.Column("facility_id", sa.Uuid, primary_key=True),
    sa.Column("quiet_from", sa.Time),
    sa.Column("quiet_until", sa.Time),
    sa.Column("from_name", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("channels", ARRAY(sa.Text), nullable=False),
    sa.Column("may_name_details", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

record_versions = sa.Table(
    "record_versions",
    metadata,
    sa.Column("record", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("at", _AT, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("fields", ARRAY(sa.Text), nullable=False),
    sa.Column("state", JSONB, nullable=False),
)

sms_stops = sa.Table(
    "sms_stops",
    metadata,
    sa.Column("number_key", sa.LargeBinary, primary_key=True),
    sa.Column("is_stopped", sa.Boolean, nullable=False),
    sa.Column("at", _AT, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
)

push_subscriptions = sa.Table(
    "push_subscriptions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("owner_id", sa.Uuid, nullable=False),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("p256dh", sa.Text, nullable=False),
    sa.Column("auth", sa.Text, nullable=False),
    sa.Column("created_at", _AT, nullable=False),
    sa.UniqueConstraint("endpoint", name="push_subscriptions_one_of_a_browser"),
    sa.Index("push_subscriptions_by_owner", "kind", "owner_id", "id"),
)

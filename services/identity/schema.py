"""Tables of identity. A password is an argon2id hash here, a random secret a digest, a private key sealed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.chassis import sql

metadata = sa.MetaData()
technical = sql.technical_tables(metadata)

_AT = sa.DateTime(timezone=True)


facilities = sa.Table(
    "facilities",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("comparable", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    *sql.record_columns(),
    sa.UniqueConstraint("comparable", name="facilities_name_is_taken"),
)

locations = sa.Table(
    "locations",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("facility_id", sa.Uuid, sa.ForeignKey("facilities.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("comparable", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    *sql.record_columns(),
    sa.UniqueConstraint("facility_id", "comparable", name="locations_name_is_taken"),
)

departments = sa.Table(
    "departments",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("facility_id", sa.Uuid, sa.ForeignKey("facilities.id"), nullable=False),
    sa.Column("location_id", sa.Uuid, sa.ForeignKey("locations.id"), nullable=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("comparable", sa.Text, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    *sql.record_columns(),
    sa.UniqueConstraint("facility_id", "comparable", name="departments_name_is_taken"),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("username", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=True),
    sa.Column("roles", ARRAY(sa.Text), nullable=False),
    sa.Column("must_change_password", sa.Boolean, nullable=False),
    sa.Column("one_time_until", _AT, nullable=True),
    sa.Column("password_hash", sa.Text, nullable=True),
    sa.Column("secret_digest", sa.LargeBinary, nullable=True),
    sa.Column("is_active", sa.Boolean, nullable=False),
    *sql.record_columns(),
    sa.UniqueConstraint("username", name="accounts_username_is_taken"),
    sa.CheckConstraint("kind IN ('person', 'service')", name="accounts_kind_is_known"),
    sa.CheckConstraint(
        "(kind = 'person') = (password_hash IS NOT NULL) AND (kind = 'service') = (secret_digest IS NOT NULL)",
        name="accounts_have_one_way_in",
    ),
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
    sa.Column("fields", ARRAY(sa.Text), nullable=False),
    sa.Column("state", JSONB, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("created_at", _AT, nullable=False),
    sa.Column("used_at", _AT, nullable=False),
    sa.Column("expires_at", _AT, nullable=False),
    sa.Column("ended_at", _AT, nullable=True),
    sa.Column("ended_why", sa.Text, nullable=True),
    sa.Index("sessions_by_account", "account_id"),
    sa.Index("sessions_by_end", "expires_at"),
)

refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("session_id", sa.Uuid, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    sa.Column("issued_at", _AT, nullable=False),
    sa.Column("used_at", _AT, nullable=True),
    sa.Index("refresh_tokens_by_session", "session_id"),
)

failure_counters = sa.Table(
    "failure_counters",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", _AT, nullable=True),
    sa.Column("closed_until", _AT, nullable=True),
)

signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("kid", sa.Text, primary_key=True),
    sa.Column("created_at", _AT, nullable=False),
    sa.Column("signs_from", _AT, nullable=False),
    sa.Column("public_jwk", JSONB, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=True),
    sa.Column("withdrawn_at", _AT, nullable=True),
)

policy_changes = sa.Table(
    "policy_changes",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("body", JSONB, nullable=False),
    sa.Column("at", _AT, nullable=False),
    sa.Column("published_at", _AT, nullable=True),
    sa.Index("policy_changes_by_time", "at"),
    sa.Index("policy_changes_unpublished", "id", postgresql_where=sa.text("published_at IS NULL")),
)

"""Tables of identity. A password is an argon2id hash here, a random secret a digest, a key or shared secret sealed."""

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
    sa.Column("phone", sa.Text, nullable=True),
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
    sa.Column("areas", JSONB, nullable=False),
    sa.Column("links", JSONB, nullable=False),
    sa.Column("second_factor_since", _AT, nullable=True),
    *sql.record_columns(),
    sa.UniqueConstraint("username", name="accounts_username_is_taken"),
    sa.CheckConstraint("kind IN ('person', 'service')", name="accounts_kind_is_known"),
    sa.CheckConstraint(
        "(kind = 'person' OR password_hash IS NULL) AND (kind = 'service' OR secret_digest IS NULL)",
        name="accounts_have_ways_in_of_their_kind",
    ),
    sa.Index("accounts_by_link", "links", postgresql_using="gin", postgresql_ops={"links": "jsonb_path_ops"}),
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
    sa.Column("methods", ARRAY(sa.Text), nullable=False),
    sa.Column("authenticated_at", _AT, nullable=False),
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
    sa.Column("about", sa.Text, nullable=True),
)

roles = sa.Table(
    "roles",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("permissions", ARRAY(sa.Text), nullable=False),
    sa.Column("is_own", sa.Boolean, nullable=False),
    sa.Column("requires_second_factor", sa.Boolean, nullable=False),
    sa.Column("is_deleted", sa.Boolean, nullable=False),
    *sql.record_columns(),
    sa.UniqueConstraint("name", name="roles_name_is_taken"),
)

second_factors = sa.Table(
    "second_factors",
    metadata,
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("made_at", _AT, nullable=False),
    sa.Column("confirmed_at", _AT, nullable=True),
    sa.Column("last_step", sa.BigInteger, nullable=False),
)

backup_codes = sa.Table(
    "backup_codes",
    metadata,
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
)

challenges = sa.Table(
    "challenges",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("methods", ARRAY(sa.Text), nullable=False),
    sa.Column("made_at", _AT, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("used_at", _AT, nullable=True),
    sa.Index("challenges_by_age", "made_at"),
)

password_resets = sa.Table(
    "password_resets",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id"), nullable=True),
    sa.Column("made_at", _AT, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=True),
    sa.Column("used_at", _AT, nullable=True),
    sa.Index("password_resets_by_age", "made_at"),
)

activation_codes = sa.Table(
    "activation_codes",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("patient_id", sa.Uuid, nullable=False),
    sa.Column("relation", sa.Text, nullable=False),
    sa.Column("link_until", _AT, nullable=True),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", _AT, nullable=False),
    sa.Column("expires_at", _AT, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("used_at", _AT, nullable=True),
    sa.UniqueConstraint("digest", name="activation_codes_digest_is_taken"),
    sa.Index("activation_codes_by_end", "expires_at"),
)

service_keys = sa.Table(
    "service_keys",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", _AT, nullable=False),
    sa.Column("expires_at", _AT, nullable=False),
    sa.Column("revoked_at", _AT, nullable=True),
    sa.UniqueConstraint("digest", name="service_keys_digest_is_taken"),
    sa.Index("service_keys_by_account", "account_id"),
)

external_sign_ins = sa.Table(
    "external_sign_ins",
    metadata,
    sa.Column("state_digest", sa.LargeBinary, primary_key=True),
    sa.Column("binding_digest", sa.LargeBinary, nullable=False),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("sealed_verifier", sa.LargeBinary, nullable=False),
    sa.Column("made_at", _AT, nullable=False),
    sa.Column("used_at", _AT, nullable=True),
    sa.Index("external_sign_ins_by_age", "made_at"),
)

external_identities = sa.Table(
    "external_identities",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("made_at", _AT, nullable=False),
)

group_roles = sa.Table(
    "group_roles",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("entries", JSONB, nullable=False),
    *sql.record_columns(),
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

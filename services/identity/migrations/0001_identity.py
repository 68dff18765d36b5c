"""Places, accounts, sessions, keys and the policy, with a history that nothing can change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.chassis import sql

revision = "0001"
down_revision = None

AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    sql.create_technical_tables_v1(op)
    _places()
    _accounts()
    _history()
    _sessions()
    _keys_and_policy()


def _record() -> list[sa.SchemaItem]:
    return [
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("changed_at", AT, nullable=False),
    ]


def _named() -> list[sa.SchemaItem]:
    return [sa.Column("name", sa.Text, nullable=False), sa.Column("comparable", sa.Text, nullable=False)]


def _places() -> None:
    op.create_table(
        "facilities",
        sa.Column("id", sa.Uuid, primary_key=True),
        *_named(),
        sa.Column("zone", sa.Text, nullable=False),
        *_record(),
        sa.UniqueConstraint("comparable", name="facilities_name_is_taken"),
    )
    op.create_table(
        "locations",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("facility_id", sa.Uuid, sa.ForeignKey("facilities.id"), nullable=False),
        *_named(),
        sa.Column("zone", sa.Text, nullable=False),
        *_record(),
        sa.UniqueConstraint("facility_id", "comparable", name="locations_name_is_taken"),
    )
    op.create_table(
        "departments",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("facility_id", sa.Uuid, sa.ForeignKey("facilities.id"), nullable=False),
        sa.Column("location_id", sa.Uuid, sa.ForeignKey("locations.id"), nullable=True),
        *_named(),
        *_record(),
        sa.UniqueConstraint("facility_id", "comparable", name="departments_name_is_taken"),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=True),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("must_change_password", sa.Boolean, nullable=False),
        sa.Column("one_time_until", AT, nullable=True),
        sa.Column("password_hash", sa.Text, nullable=True),
        sa.Column("secret_digest", sa.LargeBinary, nullable=True),
        *_record(),
        sa.UniqueConstraint("username", name="accounts_username_is_taken"),
        sa.CheckConstraint("kind IN ('person', 'service')", name="accounts_kind_is_known"),
        sa.CheckConstraint(
            "(kind = 'person') = (password_hash IS NOT NULL) AND (kind = 'service') = (secret_digest IS NOT NULL)",
            name="accounts_have_one_way_in",
        ),
    )


def _history() -> None:
    op.create_table(
        "record_versions",
        sa.Column("record_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("fields", ARRAY(sa.Text), nullable=False),
        sa.Column("state", JSONB, nullable=False),
    )
    op.execute(
        "CREATE FUNCTION refuse_change_of_history() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'history is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER history_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON record_versions "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_history()"
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("used_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column("ended_why", sa.Text, nullable=True),
    )
    op.create_index("sessions_by_account", "sessions", ["account_id"])
    op.create_index("sessions_by_end", "sessions", ["expires_at"])
    op.create_table(
        "refresh_tokens",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("session_id", sa.Uuid, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("issued_at", AT, nullable=False),
        sa.Column("used_at", AT, nullable=True),
    )
    op.create_index("refresh_tokens_by_session", "refresh_tokens", ["session_id"])
    op.create_table(
        "failure_counters",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", AT, nullable=True),
        sa.Column("closed_until", AT, nullable=True),
    )


def _keys_and_policy() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("signs_from", AT, nullable=False),
        sa.Column("public_jwk", JSONB, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=True),
        sa.Column("withdrawn_at", AT, nullable=True),
    )
    op.create_table(
        "policy_changes",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("body", JSONB, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("published_at", AT, nullable=True),
    )
    op.create_index("policy_changes_by_time", "policy_changes", ["at"])
    op.create_index(
        "policy_changes_unpublished", "policy_changes", ["id"], postgresql_where=sa.text("published_at IS NULL")
    )

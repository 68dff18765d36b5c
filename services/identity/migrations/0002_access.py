"""Own roles, areas and links, second factors, new passwords by mail, activation codes, service accounts, a provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0002"
down_revision = "0001"

AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _accounts()
    _sessions()
    _roles()
    _second_factors()
    _links_and_keys()
    _provider()


# New columns have a value of their own accord: processes of the version before go on writing rows for a while.
def _accounts() -> None:
    op.add_column("accounts", sa.Column("areas", JSONB, nullable=False, server_default="{}"))
    op.add_column("accounts", sa.Column("links", JSONB, nullable=False, server_default="[]"))
    op.add_column("accounts", sa.Column("second_factor_since", AT, nullable=True))
    op.drop_constraint("accounts_have_one_way_in", "accounts")
    op.create_check_constraint(
        "accounts_have_ways_in_of_their_kind",
        "accounts",
        "(kind = 'person' OR password_hash IS NULL) AND (kind = 'service' OR secret_digest IS NULL)",
    )
    op.create_index(
        "accounts_by_link",
        "accounts",
        ["links"],
        postgresql_using="gin",
        postgresql_ops={"links": "jsonb_path_ops"},
    )


def _sessions() -> None:
    op.add_column("sessions", sa.Column("methods", ARRAY(sa.Text), nullable=False, server_default="{pwd}"))
    op.add_column("sessions", sa.Column("authenticated_at", AT, nullable=False, server_default=sa.text("now()")))
    op.execute("UPDATE sessions SET authenticated_at = created_at")
    op.add_column("failure_counters", sa.Column("about", sa.Text, nullable=True))


def _record() -> list[sa.SchemaItem]:
    return [
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("changed_at", AT, nullable=False),
    ]


def _account(**more: bool) -> sa.Column:
    return sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id"), nullable=False, **more)


def _roles() -> None:
    op.create_table(
        "roles",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("permissions", ARRAY(sa.Text), nullable=False),
        sa.Column("is_own", sa.Boolean, nullable=False),
        sa.Column("requires_second_factor", sa.Boolean, nullable=False),
        sa.Column("is_deleted", sa.Boolean, nullable=False),
        *_record(),
        sa.UniqueConstraint("name", name="roles_name_is_taken"),
    )


def _second_factors() -> None:
    op.create_table(
        "second_factors",
        _account(primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("confirmed_at", AT, nullable=True),
        sa.Column("last_step", sa.BigInteger, nullable=False),
    )
    op.create_table("backup_codes", _account(primary_key=True), sa.Column("digest", sa.LargeBinary, primary_key=True))
    op.create_table(
        "challenges",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        _account(),
        sa.Column("methods", ARRAY(sa.Text), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("used_at", AT, nullable=True),
    )
    op.create_index("challenges_by_age", "challenges", ["made_at"])
    op.create_table(
        "password_resets",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id"), nullable=True),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=True),
        sa.Column("used_at", AT, nullable=True),
    )
    op.create_index("password_resets_by_age", "password_resets", ["made_at"])


def _links_and_keys() -> None:
    op.create_table(
        "activation_codes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("patient_id", sa.Uuid, nullable=False),
        sa.Column("relation", sa.Text, nullable=False),
        sa.Column("link_until", AT, nullable=True),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("used_at", AT, nullable=True),
        sa.UniqueConstraint("digest", name="activation_codes_digest_is_taken"),
    )
    op.create_index("activation_codes_by_end", "activation_codes", ["expires_at"])
    op.create_table(
        "service_keys",
        sa.Column("id", sa.Uuid, primary_key=True),
        _account(),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("revoked_at", AT, nullable=True),
        sa.UniqueConstraint("digest", name="service_keys_digest_is_taken"),
    )
    op.create_index("service_keys_by_account", "service_keys", ["account_id"])


def _provider() -> None:
    op.create_table(
        "external_sign_ins",
        sa.Column("state_digest", sa.LargeBinary, primary_key=True),
        sa.Column("binding_digest", sa.LargeBinary, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("sealed_verifier", sa.LargeBinary, nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("used_at", AT, nullable=True),
    )
    op.create_index("external_sign_ins_by_age", "external_sign_ins", ["made_at"])
    op.create_table(
        "external_identities",
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        _account(),
        sa.Column("made_at", AT, nullable=False),
    )
    op.create_table(
        "group_roles",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("entries", JSONB, nullable=False),
        *_record(),
    )

"""Patient records, their history, identifiers that belong to one record only, and search keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from services.chassis import sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_GENDERS = "('male', 'female', 'other', 'unknown')"


def upgrade() -> None:
    sql.create_technical_tables_v1(op)
    op.execute("CREATE SEQUENCE mrn_sequence START 1000001")
    _patients()
    _history()
    _identifier_claims()
    _search_keys()


def _patients() -> None:
    op.create_table(
        "patients",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("mrn", sa.Text, nullable=False, unique=True),
        sa.Column("version", sa.Integer, sa.CheckConstraint("version >= 1"), nullable=False),
        sa.Column("family_name", sa.Text, nullable=False),
        sa.Column("given_name", sa.Text, nullable=False),
        sa.Column("middle_name", sa.Text),
        sa.Column("prefix", sa.Text),
        sa.Column(
            "administrative_gender",
            sa.Text,
            sa.CheckConstraint(f"administrative_gender IN {_GENDERS}"),
            nullable=False,
        ),
        sa.Column("sex_at_birth", sa.Text, sa.CheckConstraint(f"sex_at_birth IN {_GENDERS}")),
        sa.Column("birth_date", sa.Date),
        sa.Column("birth_year", sa.SmallInteger, nullable=False),
        sa.Column("phones", pg.JSONB, nullable=False),
        sa.Column("emails", pg.JSONB, nullable=False),
        sa.Column("addresses", pg.JSONB, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("zone", sa.Text),
        sa.Column("contact_preference", sa.Text),
        sa.Column("identifiers", pg.JSONB, nullable=False),
        sa.Column("deactivation_reason", sa.Text),
        sa.Column("deceased_on", sa.Date),
        sa.Column("merged_into", sa.Uuid, sa.ForeignKey("patients.id")),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("birth_year = extract(year FROM birth_date)", name="birth_year_is_of_birth_date"),
        sa.CheckConstraint("deceased_on >= birth_date", name="dies_after_birth"),
        sa.CheckConstraint("merged_into <> id", name="merged_into_another"),
    )


def _history() -> None:
    op.create_table(
        "patients_history",
        sa.Column("patient_id", sa.Uuid, sa.ForeignKey("patients.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("record", pg.JSONB, nullable=False),
    )
    _append_only("patients_history")


def _identifier_claims() -> None:
    op.create_table(
        "identifier_claims",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("patient_id", sa.Uuid, sa.ForeignKey("patients.id"), nullable=False, index=True),
        sa.Column("version", sa.Integer, nullable=False),
    )


def _search_keys() -> None:
    op.create_table(
        "search_keys",
        sa.Column("patient_id", sa.Uuid, sa.ForeignKey("patients.id"), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("listed", sa.Boolean, nullable=False),
        sa.Column("sort_name", sa.Text, nullable=False),
        sa.Column("found_by", pg.ARRAY(sa.Text), nullable=False),
    )
    op.create_index("search_keys_found_by", "search_keys", ["found_by"], postgresql_using="gin")


def _append_only(table: str) -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'append only' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )

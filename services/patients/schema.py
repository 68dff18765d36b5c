"""The tables of patient records; private to the repository.

`patients` is the record as it is now, `patients_history` every version of it, whole and never changed.
`identifier_claims` lets an identifier belong to one record only. `search_keys` is made from the record, and can be made
again from it. `known` says where a patient is known, and why; its appointments come by events, in whatever order, so
that nothing points at the record.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from services.chassis import sql

metadata = sa.MetaData()
sql.technical_tables(metadata)

mrn_sequence = sa.Sequence("mrn_sequence", metadata=metadata)

patients = sa.Table(
    "patients",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("mrn", sa.Text, nullable=False, unique=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("family_name", sa.Text, nullable=False),
    sa.Column("given_name", sa.Text, nullable=False),
    sa.Column("middle_name", sa.Text),
    sa.Column("prefix", sa.Text),
    sa.Column("administrative_gender", sa.Text, nullable=False),
    sa.Column("sex_at_birth", sa.Text),
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
)

history = sa.Table(
    "patients_history",
    metadata,
    sa.Column("patient_id", sa.Uuid, sa.ForeignKey("patients.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("record", pg.JSONB, nullable=False),
)

birth_checks = sa.Table(
    "birth_checks",
    metadata,
    sa.Column("patient_id", sa.Uuid, sa.ForeignKey("patients.id"), primary_key=True),
    sa.Column("wrong", sa.Integer, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
)

identifier_claims = sa.Table(
    "identifier_claims",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("patient_id", sa.Uuid, sa.ForeignKey("patients.id"), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
)

search_keys = sa.Table(
    "search_keys",
    metadata,
    sa.Column("patient_id", sa.Uuid, sa.ForeignKey("patients.id"), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("listed", sa.Boolean, nullable=False),
    sa.Column("sort_name", sa.Text, nullable=False),
    sa.Column("found_by", pg.ARRAY(sa.Text), nullable=False),
)

known = sa.Table(
    "known",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("patient_id", sa.Uuid, nullable=False),
    sa.Column("facility_id", sa.Uuid),
    sa.Column("doctor_id", sa.Uuid),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ends_at", sa.DateTime(timezone=True)),
    sa.Column("is_taken_back", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("known_of_patient", "patient_id"),
)

doctor_accounts = sa.Table(
    "doctor_accounts",
    metadata,
    sa.Column("doctor_id", sa.Uuid, primary_key=True),
    sa.Column("account", sa.Uuid),
    sa.Column("version", sa.Integer, nullable=False),
)

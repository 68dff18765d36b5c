"""Where patients are known, and how doctors sign in; whoever is registered already is known to the whole house."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known",
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
    op.create_table(
        "doctor_accounts",
        sa.Column("doctor_id", sa.Uuid, primary_key=True),
        sa.Column("account", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.execute(
        "INSERT INTO known (id, patient_id, since, is_taken_back, version)"
        " SELECT gen_random_uuid(), id, registered_at, false, 1 FROM patients"
    )

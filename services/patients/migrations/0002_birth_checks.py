"""How often the birth date of a record was given wrongly: the count that ends guessing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "birth_checks",
        sa.Column("patient_id", sa.Uuid, sa.ForeignKey("patients.id"), primary_key=True),
        sa.Column("wrong", sa.Integer, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )

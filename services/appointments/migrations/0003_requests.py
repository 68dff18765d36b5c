"""Requests that wait are found without looking at all that ever were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "appointments_requested",
        "appointments",
        ["facility_id", "id"],
        postgresql_where=sa.text("status = 'pending'"),
    )

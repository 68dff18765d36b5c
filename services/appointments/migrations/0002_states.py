"""All appointments of a facility are walked over in the order of their ids."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("appointments_of_facility", "appointments", ["facility_id", "id"])

"""The number to call a facility by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("facilities", sa.Column("phone", sa.Text, nullable=True))

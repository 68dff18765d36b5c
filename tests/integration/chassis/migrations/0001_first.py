"""The technical tables, and one table of things."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.chassis import sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    sql.create_technical_tables_v1(op)
    op.create_table("things", sa.Column("name", sa.Text, primary_key=True), sa.Column("number", sa.Integer))

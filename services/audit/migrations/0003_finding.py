"""Entries are found by service, request and record; it is noted which checkpoints the second place was given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("service", "request_id", "record_id"):
        op.execute(f"CREATE INDEX entries_{name} ON entries (((entry::jsonb) ->> '{name}'), position)")
    op.create_table("copied", sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False))
    op.execute(
        "CREATE TRIGGER copied_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON copied"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("ALTER TABLE copied ENABLE ALWAYS TRIGGER copied_stay")
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON copied FROM PUBLIC, CURRENT_USER")

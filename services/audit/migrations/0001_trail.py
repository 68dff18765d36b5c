"""The trail: entries that are only ever added, the head of their chain, and the checkpoints.

The triggers hold for the owner of the tables too, and for sessions that call themselves replicas. Whoever may drop them
is found out by the checkpoints.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from services.chassis import sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the trail is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
_FOLLOW = """
CREATE FUNCTION check_link() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head chain_head%ROWTYPE;
BEGIN
    SELECT * INTO STRICT head FROM chain_head FOR UPDATE;
    IF NEW.position <> head.position + 1 OR NEW.previous <> head.hash
        OR NEW.hash <> sha256(NEW.previous || int8send(NEW.position) || convert_to(NEW.entry, 'UTF8'))
    THEN
        RAISE EXCEPTION 'the entry does not follow the head' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""
_HEAD = """
CREATE FUNCTION check_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.position <> OLD.position + 1
        OR NOT EXISTS (SELECT FROM entries WHERE position = NEW.position AND hash = NEW.hash)
    THEN
        RAISE EXCEPTION 'the head follows the newest entry' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""
_TRIGGERS = (
    ("entries", "entries_stay", "BEFORE UPDATE OR DELETE OR TRUNCATE", "STATEMENT", "refuse_change"),
    ("entries", "entries_follow", "BEFORE INSERT", "ROW", "check_link"),
    ("checkpoints", "checkpoints_stay", "BEFORE UPDATE OR DELETE OR TRUNCATE", "STATEMENT", "refuse_change"),
    ("chain_head", "head_stays", "BEFORE INSERT OR DELETE OR TRUNCATE", "STATEMENT", "refuse_change"),
    ("chain_head", "head_follows", "BEFORE UPDATE", "ROW", "check_head"),
)


def upgrade() -> None:
    sql.create_technical_tables_v1(op)
    _tables()
    for name, column in (("actor", "actor"), ("operation", "operation"), ("outcome", "outcome")):
        op.create_index(f"entries_{name}", "entries", [column, "position"])
    op.create_index("entries_at", "entries", ["at"])
    op.create_index("entries_about", "entries", ["about"], postgresql_using="gin")
    op.execute("INSERT INTO chain_head (position, hash) VALUES (0, decode(repeat('00', 32), 'hex'))")
    for function in (_REFUSE, _FOLLOW, _HEAD):
        op.execute(function)
    for table, name, when, each, function in _TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    # The owner loses these rights as well: it may take them back, and that is a step that nobody takes by mistake.
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON entries, checkpoints FROM PUBLIC, CURRENT_USER")
    op.execute("REVOKE DELETE, TRUNCATE ON chain_head FROM PUBLIC, CURRENT_USER")


def _tables() -> None:
    op.create_table(
        "entries",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("about", pg.ARRAY(sa.Text), nullable=False),
    )
    op.create_table(
        "chain_head",
        sa.Column("one", sa.Boolean, sa.CheckConstraint("one"), primary_key=True, server_default=sa.true()),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "checkpoints",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
    )

"""The tables that every SQL service has beside its own: outbox, inbox, and the stored answers of keyed requests."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.schema import SchemaItem

_NOW = sa.text("now()")


def technical_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """Describe the technical tables in a service's metadata, as they are now, and return them by name."""
    made = {name: sa.Table(name, metadata, *columns()) for name, columns in _COLUMNS.items()}
    for name, column, where in _INDEXES:
        table = name.partition("_")[0]
        sa.Index(name, made[table].c[column], postgresql_where=None if where is None else sa.text(where))
    return made


def record_columns() -> list[SchemaItem]:
    """What every table of records has: the version, and when it was made and last changed."""
    return [
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    ]


def create_technical_tables_v1(op: Any) -> None:
    """Create them in a service's first migration; `op` is Alembic's.

    Frozen: a change is a new function with a new number.
    """
    for name, columns in _COLUMNS_V1.items():
        op.create_table(name, *columns())
    for name, column, where in _INDEXES_V1:
        table = name.partition("_")[0]
        op.create_index(name, table, [column], postgresql_where=None if where is None else sa.text(where))


def _outbox_v1() -> list[SchemaItem]:
    return [
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False, unique=True),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
    ]


def _inbox_v1() -> list[SchemaItem]:
    return [
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
    ]


def _idempotency_v1() -> list[SchemaItem]:
    return [
        sa.Column("principal", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("headers", pg.JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
    ]


_COLUMNS_V1 = {"outbox": _outbox_v1, "inbox": _inbox_v1, "idempotency": _idempotency_v1}
_INDEXES_V1: tuple[tuple[str, str, str | None], ...] = (
    ("outbox_unsent", "position", "sent_at IS NULL"),
    ("outbox_sent", "sent_at", "sent_at IS NOT NULL"),
    ("inbox_handled", "handled_at", None),
    ("idempotency_created", "created_at", None),
)
_COLUMNS, _INDEXES = _COLUMNS_V1, _INDEXES_V1

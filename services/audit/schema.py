"""Tables of the audit. Triggers that refuse every change, and indexes over entries, are made by the migrations."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from services.chassis import sql

metadata = sa.MetaData()
sql.technical_tables(metadata)

entries = sa.Table(
    "entries",
    metadata,
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

chain_head = sa.Table(
    "chain_head",
    metadata,
    sa.Column("one", sa.Boolean, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("mac", sa.LargeBinary, nullable=False),
)

# How far the checkpoints have been brought to the second place, one row for each time.
copied = sa.Table(
    "copied",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
)

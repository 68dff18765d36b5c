"""PostgreSQL: connections that give up in time, units of work, the technical tables, and migrations."""

from __future__ import annotations

from services.chassis.sql.database import Database, Unit, in_binary
from services.chassis.sql.engine import engine, require_durable
from services.chassis.sql.errors import translated
from services.chassis.sql.gauges import look
from services.chassis.sql.outbox import SqlOutbox
from services.chassis.sql.revisions import at_head, migrate
from services.chassis.sql.tables import create_technical_tables_v1, record_columns, technical_tables

__all__ = [
    "Database",
    "SqlOutbox",
    "Unit",
    "at_head",
    "create_technical_tables_v1",
    "engine",
    "in_binary",
    "look",
    "migrate",
    "record_columns",
    "require_durable",
    "technical_tables",
    "translated",
]

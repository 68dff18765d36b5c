"""What PostgreSQL tells of itself and of one database; any account may ask for it."""

from __future__ import annotations

import sqlalchemy as sa
from prometheus_client import Counter, Gauge

from services.chassis.sql.database import Database
from services.chassis.watching import Look, Repeated

CONNECTIONS = Gauge("infirmary_postgresql_connections", "Connections of all clients to the server.", ["name"])
ALLOWED = Gauge("infirmary_postgresql_connections_limit", "Connections that the server allows.", ["name"])
OLDEST = Gauge("infirmary_postgresql_oldest_transaction_seconds", "Age of the oldest transaction.", ["name"])
SIZE = Gauge("infirmary_postgresql_size_bytes", "Size of the database on the disk.", ["name"])
TRANSACTIONS = Counter("infirmary_postgresql_transactions_total", "Transactions, by their end.", ["name", "outcome"])
DEADLOCKS = Counter("infirmary_postgresql_deadlocks_total", "Deadlocks that the server has broken.", ["name"])
BLOCKS = Counter("infirmary_postgresql_blocks_total", "Blocks that were read, by where from.", ["name", "source"])

_ASKED = sa.text(
    """
    SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
        current_setting('max_connections')::int AS allowed, pg_database_size(current_database()) AS bytes,
        (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()) AS oldest_s,
        xact_commit, xact_rollback, deadlocks, blks_hit, blks_read
    FROM pg_stat_database WHERE datname = current_database()
    """
)


def look(database: Database, *, name: str) -> Look:
    """The database of one service, for its worker to watch."""
    counts = {
        "xact_commit": Repeated(TRANSACTIONS.labels(name, "commit")),
        "xact_rollback": Repeated(TRANSACTIONS.labels(name, "rollback")),
        "deadlocks": Repeated(DEADLOCKS.labels(name)),
        "blks_hit": Repeated(BLOCKS.labels(name, "memory")),
        "blks_read": Repeated(BLOCKS.labels(name, "disk")),
    }

    def measure() -> None:
        with database.read() as connection:
            found = connection.execute(_ASKED).one()
        CONNECTIONS.labels(name).set(found.connections)
        ALLOWED.labels(name).set(found.allowed)
        OLDEST.labels(name).set(max(0.0, float(found.oldest_s)))
        SIZE.labels(name).set(found.bytes)
        for column, count in counts.items():
            count.follow(getattr(found, column))

    return Look(store="postgresql", name=name, measure=measure)

"""The outbox table, seen by the relay: what is unsent, in batches that several relays share without waiting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from services.chassis.outbox import Backlog, Outgoing, Publish
from services.chassis.sql.errors import translated

# The claiming transaction waits for a stream between its statements, which may sync a slow disk.
_BUDGET = "SET LOCAL statement_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '15s'"
# Everything that is unsent, whatever its position: numbers become visible out of order, and "greater than the last one
# seen" would pass over a row whose transaction was slow.
_CLAIM = sa.text(
    "SELECT position, id, stream, type, event FROM outbox WHERE sent_at IS NULL"
    " ORDER BY position LIMIT :limit FOR UPDATE SKIP LOCKED"
)
_ANY = sa.text("SELECT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL)")
_MARK = sa.text("UPDATE outbox SET sent_at = clock_timestamp() WHERE position = ANY (:positions)")
_BACKLOG = sa.text(
    "SELECT count(*) AS unsent, coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0) AS oldest_s"
    " FROM outbox WHERE sent_at IS NULL"
)
_LAST = sa.text("SELECT coalesce(max(position), 0) FROM outbox")
_SENT = sa.text(
    "SELECT position, id, stream, type, event FROM outbox"
    " WHERE position > :after AND position <= :last AND sent_at >= :since ORDER BY position LIMIT :limit"
)
_PURGE = sa.text(
    "DELETE FROM outbox WHERE position = ANY (ARRAY(SELECT position FROM outbox WHERE sent_at < :before LIMIT 1000))"
)


class SqlOutbox:
    """What a database has committed and a stream may not have yet."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")

    def send(self, publish: Publish, *, limit: int = 100) -> int:
        """Hand up to `limit` unsent events to `publish`, mark them as sent when it returns, and say how many.

        Dying in between sends them again: consumers know each event by its id.
        """
        with translated(), self._reader.connect() as connection:
            if not connection.execute(_ANY).scalar_one():
                return 0  # the usual answer, five times a second for each relay: one round trip, no transaction
        with translated(), self._engine.begin() as connection:
            connection.exec_driver_sql(_BUDGET)
            rows = connection.execute(_CLAIM, {"limit": limit}).all()
            if rows:
                publish([_outgoing(row) for row in rows])
                connection.execute(_MARK, {"positions": [row.position for row in rows]})
        return len(rows)

    def backlog(self) -> Backlog:
        """What still waits."""
        with translated(), self._reader.connect() as connection:
            row = connection.execute(_BACKLOG).one()
        return Backlog(unsent=row.unsent, oldest_s=max(0.0, float(row.oldest_s)))

    def sent_since(self, since: datetime, *, batch: int = 100) -> Iterator[Sequence[Outgoing]]:
        """What was sent at or after `since`, in the order of recording, in batches; new rows do not prolong it."""
        with translated(), self._reader.connect() as connection:
            last, after = connection.execute(_LAST).scalar_one(), 0
            while True:
                span = {"after": after, "last": last, "since": since, "limit": batch}
                rows = connection.execute(_SENT, span).all()
                if not rows:
                    return
                yield [_outgoing(row) for row in rows]
                after = rows[-1].position

    def purge(self, before: datetime) -> int:
        """Forget what was sent before this moment, in small batches, and say how many."""
        total = 0
        with translated(), self._reader.connect() as connection:
            while gone := connection.execute(_PURGE, {"before": before}).rowcount:
                total += gone
        return total


def _outgoing(row: sa.Row[Any]) -> Outgoing:
    return Outgoing(id=row.id, stream=row.stream, type=row.type, event=row.event)

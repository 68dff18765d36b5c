"""The reading model in PostgreSQL, its rebuilding, and the services that own what is counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.chassis import sql
from services.chassis.call import Call
from services.chassis.stores import StoreBusy
from services.reports.repository.figures import SqlFigures
from services.reports.repository.keeping import SqlKeeping, now_read
from services.reports.repository.peers import Owners
from services.reports.repository.rebuilding import Rebuilding

__all__ = ["Owners", "Rebuilding", "ReportsStore", "SqlFigures", "SqlKeeping"]


class ReportsStore:
    """The reading model in one PostgreSQL database.

    reading: the same database, with the time that a report may take.
    """

    def __init__(self, database: sql.Database, *, reading: sql.Database) -> None:
        self._database, self._reading = database, reading

    @contextmanager
    def begin(self, call: Call) -> Iterator[SqlKeeping]:
        """One transaction with all that belongs to the call."""
        with self._database.begin(call) as unit:
            yield SqlKeeping(unit.connection)

    @contextmanager
    def figures(self) -> Iterator[SqlFigures]:
        """All that is there at one moment.

        Raises:  StoreBusy: a side was emptied meanwhile, perhaps this one; to empty a table is seen at once, whatever a
                 snapshot says.
        """
        with self._reading.snapshot() as connection:
            side, begun = now_read(connection)
            yield SqlFigures(connection, side)
        with self._reading.read() as connection:
            if now_read(connection)[1] != begun:
                raise StoreBusy("postgresql", "side_emptied")

"""The store of identity: PostgreSQL, one transaction for the effect and all that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from services.chassis.call import Call
from services.chassis.sql import Database
from services.identity.model.policy import Change
from services.identity.repository.reading import SqlReading
from services.identity.repository.work import SqlWork

__all__ = ["IdentityStore", "SqlReading", "SqlWork"]


class IdentityStore:
    """Accounts, sessions, keys and places in one PostgreSQL database.

    tell: sends changes of the policy to every process. It is called after the commit and must not raise; what it does
    not manage, a job does from the rows that the transaction kept.
    """

    def __init__(self, database: Database, *, tell: Callable[[Sequence[Change]], None]) -> None:
        self._database, self._tell = database, tell

    @contextmanager
    def begin(self, call: Call) -> Iterator[SqlWork]:
        """One transaction with all that belongs to the call."""
        with self._database.begin(call) as unit:
            work = SqlWork(unit, call=call)
            yield work
            work.finish()
        if work.changes:
            self._tell(work.changes)

    @contextmanager
    def read(self) -> Iterator[SqlReading]:
        """Reads without a transaction."""
        with self._database.read() as connection:
            yield SqlReading(connection)

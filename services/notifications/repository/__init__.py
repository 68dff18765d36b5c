"""Notifications in PostgreSQL, what other services say, and the ways out of the house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.chassis.call import Call
from services.chassis.sql import Database
from services.notifications.repository.in_app import InAppChannel
from services.notifications.repository.peers import AsCaller, AsService
from services.notifications.repository.places import SqlPlaces
from services.notifications.repository.reading import SqlReading
from services.notifications.repository.turns import SqlTurns
from services.notifications.repository.work import SqlWork

__all__ = [
    "AsCaller",
    "AsService",
    "InAppChannel",
    "NotificationsStore",
    "SqlPlaces",
    "SqlReading",
    "SqlTurns",
    "SqlWork",
]


class NotificationsStore:
    """Deliveries, and what is known of those who get them, in one PostgreSQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def begin(self, call: Call) -> Iterator[SqlWork]:
        """One transaction with all that belongs to the call."""
        with self._database.begin(call) as unit:
            yield SqlWork(unit, call=call)

    @contextmanager
    def read(self) -> Iterator[SqlReading]:
        """Reads without a transaction."""
        with self._database.read() as connection:
            yield SqlReading(connection)

"""Doctors and their plans in PostgreSQL, and the other services that they talk to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.chassis.call import Call
from services.chassis.sql import Database
from services.doctors.repository.fence import PlanFence
from services.doctors.repository.peers import AppointmentsService, IdentityService
from services.doctors.repository.reading import SqlReading
from services.doctors.repository.work import SqlWork

__all__ = ["AppointmentsService", "DoctorsStore", "IdentityService", "PlanFence", "SqlReading", "SqlWork"]


class DoctorsStore:
    """Doctors and their plans in one PostgreSQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def begin(self, call: Call) -> Iterator[SqlWork]:
        """One transaction with all that belongs to the call."""
        key = call.key
        try:
            with self._database.begin(call) as unit:
                yield SqlWork(unit, call=call)
        finally:
            call.key = key

    @contextmanager
    def read(self) -> Iterator[SqlReading]:
        """Reads without a transaction."""
        with self._database.read() as connection:
            yield SqlReading(connection)

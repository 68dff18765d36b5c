"""What every write needs: the transaction, the history of a record, and the word to the policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa

from services.chassis.call import Call
from services.chassis.sql import Unit
from services.identity import schema
from services.identity.model.accounts import UsernameTaken
from services.identity.model.places import NameTaken
from services.identity.model.policy import Change
from services.identity.model.roles import RoleTaken
from services.identity.repository import policy_rows
from services.identity.repository.reading import SqlReading
from services.kernel.events import Event

_TAKEN = {
    "roles_name_is_taken": RoleTaken,
    "accounts_username_is_taken": UsernameTaken,
    "facilities_name_is_taken": NameTaken,
    "locations_name_is_taken": NameTaken,
    "departments_name_is_taken": NameTaken,
}


class Writing(SqlReading):
    """Reads over one transaction, and the steps that all writes take."""

    def __init__(self, unit: Unit, *, call: Call) -> None:
        super().__init__(unit.connection)
        self._unit, self._call = unit, call
        self.changes: list[Change] = []

    def record(self, *events: Event) -> None:
        """Tell other services, after the commit and surely."""
        self._unit.record(*events)

    def announce(self, change: Change) -> None:
        """Tell every process, after the commit and surely."""
        self.changes.append(change)

    def finish(self) -> None:
        """Keep what is to be announced, with the effect."""
        if self.changes:
            self._execute(sa.insert(schema.policy_changes), [self._policy_row(change) for change in self.changes])

    def _keep_version(self, kind: str, record: Any, *, fields: Sequence[str], state: Mapping[str, Any]) -> None:
        values = {
            "record_id": record.id,
            "version": record.version,
            "kind": kind,
            "at": self._call.at,
            "by": self._call.actor.subject,
            "operation": self._call.operation,
            "fields": list(fields),
            "state": dict(state),
        }
        self._execute(sa.insert(schema.record_versions).values(values))

    def _policy_row(self, change: Change) -> dict[str, Any]:
        kind, name, body = policy_rows.written(change)
        return {"kind": kind, "name": name, "body": body, "at": self._call.at}

    def _lock(self, number: int) -> None:
        self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))

    def _execute(self, statement: Any, values: list[dict[str, Any]] | None = None) -> None:
        try:
            self._connection.execute(statement, values)
        except sa.exc.IntegrityError as error:
            cause = error.orig
            name = cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
            if name in _TAKEN:
                raise _TAKEN[name] from None
            raise

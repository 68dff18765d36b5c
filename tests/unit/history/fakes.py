"""Stand-ins for what the controller is given: a history in memory, and a directory of patients that is a table.

`tests/integration/history/test_transactions.py` runs one suite over this history and over the real one.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar
from uuid import UUID

from services.chassis.call import Call
from services.chassis.stores import StoreBusy
from services.history import model
from services.kernel.errors import NotFound
from services.kernel.events import Event

E = TypeVar("E", model.Allergy, model.Problem)


class FakeEntries(Generic[E]):
    """Entries by id, each with all its versions."""

    def __init__(self) -> None:
        self.versions: dict[UUID, list[E]] = {}

    def get(self, entry_id: UUID, *, patient_id: UUID) -> E:
        """The newest version of an entry of this patient."""
        found = self.versions.get(entry_id, [])
        if not found or found[-1].patient_id != patient_id:
            raise NotFound
        return found[-1]

    def revision(self, entry_id: UUID, *, version: int | None) -> E | None:
        """One version, or nothing."""
        return next((each for each in self.versions.get(entry_id, []) if each.version == version), None)

    def page(self, patient_id: UUID, *, statuses: Sequence[model.Status], before: UUID | None, limit: int) -> list[E]:
        """The newest entries; a limit of 0 is none."""
        newest = [each[-1] for _, each in sorted(self.versions.items(), reverse=True)]
        found = [each for each in newest if each.patient_id == patient_id and each.status in statuses]
        return [each for each in found if before is None or each.id < before][: limit or None]

    def add(self, entry: E) -> None:
        """Keep a new entry."""
        if entry.id in self.versions:
            raise StoreBusy("memory", "inserted_meanwhile")
        self.versions[entry.id] = [entry]

    def save(self, entry: E) -> None:
        """Keep the next version."""
        if not self.versions.get(entry.id) or self.versions[entry.id][-1].version != entry.version - 1:
            raise StoreBusy("memory", "changed_meanwhile")
        self.versions[entry.id].append(entry)


class FakeHistory:
    """The history in memory; a unit of work that raises leaves it as it was."""

    def __init__(self) -> None:
        self.allergies: FakeEntries[model.Allergy] = FakeEntries()
        self.problems: FakeEntries[model.Problem] = FakeEntries()
        self.statements: dict[UUID, list[model.Statement]] = {}
        self.events: list[Event] = []
        self.entries: list[Any] = []

    @contextmanager
    def begin(self, call: Call) -> Iterator[model.Transaction]:
        """One unit of work, with the audit entry of the call."""
        kept = copy.deepcopy(self.__dict__)
        try:
            yield self
        except BaseException:
            self.__dict__.update(kept)
            raise
        if call.entry is not None:
            self.entries.append(call.entry)
            call.entry, call.audited = None, True

    def active_allergies(self, patient_id: UUID) -> list[model.Allergy]:
        """All that stand."""
        return self.allergies.page(patient_id, statuses=[model.Status.ACTIVE], before=None, limit=0)

    def statement(self, patient_id: UUID) -> model.Statement:
        """The newest version."""
        return self.statements.get(patient_id, [model.no_statement(patient_id)])[-1]

    def statement_revision(self, patient_id: UUID, *, version: int | None) -> model.Statement | None:
        """One version, or nothing."""
        return next((each for each in self.statements.get(patient_id, []) if each.version == version), None)

    def save_statement(self, statement: model.Statement) -> None:
        """Keep the next version."""
        if self.statement(statement.patient_id).version != statement.version - 1:
            raise StoreBusy("memory", "changed_meanwhile")
        self.statements.setdefault(statement.patient_id, []).append(statement)

    def record(self, *events: Event) -> None:
        """Tell the house."""
        self.events.extend(events)


class FakePatients:
    """A directory of patients that is a table."""

    def __init__(self, **known: model.Standing) -> None:
        self.known = {UUID(each): standing for each, standing in known.items()}
        self.asked: list[UUID] = []

    def standing(self, patient_id: UUID, *, call: Call) -> model.Standing:  # noqa: ARG002 - the real one asks with it
        """How a record stands."""
        self.asked.append(patient_id)
        if patient_id not in self.known:
            raise NotFound
        return self.known[patient_id]

"""What the rules need from outside: a store of the history, and somebody who knows the patients."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar
from uuid import UUID

from services.history.model.access import Standing
from services.history.model.allergies import Allergy, Statement
from services.history.model.entries import Status
from services.history.model.problems import Problem
from services.kernel.events import Event

E = TypeVar("E", Allergy, Problem)


class Entries(Protocol[E]):
    """The allergies, or the problems, of all patients."""

    def get(self, entry_id: UUID, *, patient_id: UUID) -> E:
        """One entry of one patient; NotFound when the patient has no such entry."""
        ...

    def revision(self, entry_id: UUID, *, version: int | None) -> E | None:
        """The entry as it was in a version, or nothing when there never was one."""
        ...

    def page(self, patient_id: UUID, *, statuses: Sequence[Status], before: UUID | None, limit: int) -> list[E]:
        """The newest entries of a patient with one of the statuses, those before an id where one is given."""
        ...

    def add(self, entry: E) -> None:
        """Keep a new entry and its first revision."""
        ...

    def save(self, entry: E) -> None:
        """Keep the next version of an entry and its revision."""
        ...


class Transaction(Protocol):
    """One unit of work: all of it is kept, or nothing."""

    @property
    def allergies(self) -> Entries[Allergy]:
        """The allergies."""
        ...

    @property
    def problems(self) -> Entries[Problem]:
        """The problems."""
        ...

    def active_allergies(self, patient_id: UUID) -> list[Allergy]:
        """All allergies of a patient that stand."""
        ...

    def statement(self, patient_id: UUID) -> Statement:
        """What stands about a patient's allergies as a whole; not asked when nothing was ever stated."""
        ...

    def statement_revision(self, patient_id: UUID, *, version: int | None) -> Statement | None:
        """The statement as it was in a version, or nothing."""
        ...

    def save_statement(self, statement: Statement) -> None:
        """Keep the next version of a statement and its revision; of two writers one has to start anew."""
        ...

    def record(self, *events: Event) -> None:
        """Tell the house, in the same unit of work."""
        ...


class Store(Protocol):
    """Where the history is kept; `call` is the chassis's, and the rules do not look into it."""

    def begin(self, call: Any) -> AbstractContextManager[Transaction]:
        """Begin a unit of work for a call."""
        ...


class PatientDirectory(Protocol):
    """Somebody who knows which patients there are."""

    def standing(self, patient_id: UUID, *, call: Any) -> Standing:
        """How a record stands, asked with the rights of the caller; NotFound when there is none."""
        ...

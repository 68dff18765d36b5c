"""What the rules need of a store and of the owners of what is counted, in the words of reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.reports.model.asking import Asked
from services.reports.model.facts import Appointment, Doctor, Specialization
from services.reports.model.figures import Look, Measure, Row


class Keeping(Protocol):
    """One transaction that keeps what happened."""

    def keep_appointments(self, *facts: Appointment) -> None:
        """How appointments stand, each unless something newer is known of it."""

    def keep_doctors(self, *facts: Doctor) -> None:
        """What doctors do, each unless something newer is known of it."""

    def keep_specializations(self, *facts: Specialization) -> None:
        """What specializations are called, each unless something newer is known of it."""

    def keep_look(self, look: Look) -> None:
        """How far the reader of a stream is."""


class Figures(Protocol):
    """What is there at one moment, to be counted."""

    def doctor_of(self, account: str) -> UUID | None:
        """The doctor to whom an account belongs; None when there is none."""

    def rows(self, asked: Asked, measures: Sequence[Measure], *, has_names: bool, limit: int) -> Iterator[Row]:
        """The rows of a report in the order of their columns."""

    def total(self, asked: Asked, measures: Sequence[Measure]) -> Mapping[str, int]:
        """What all that is asked for adds up to, each appointment counted once."""

    def newest(self) -> datetime | None:
        """When the newest event happened that is in here."""

    def looks(self) -> Sequence[Look]:
        """How far the readers were when they were looked at."""


class Store(Protocol):
    """Where the reading model is kept."""

    def begin(self, call: Any) -> AbstractContextManager[Keeping]:
        """One transaction with all that belongs to the call."""

    def figures(self) -> AbstractContextManager[Figures]:
        """All that is there at one moment."""


class Owners(Protocol):
    """What the owners say of one thing."""

    def appointment(self, facility_id: UUID, appointment_id: UUID) -> Appointment:
        """How an appointment stands now."""

    def doctor(self, doctor_id: UUID) -> Doctor:
        """A doctor now."""

    def specialization(self, specialization_id: UUID) -> Specialization | None:
        """A specialization now; None when there is none."""

"""What the rules need of a store, in the words of the registration desk."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol
from uuid import UUID

from services.kernel.events import Event
from services.patients.model.history import KeptVersion, Snapshot
from services.patients.model.identifiers import Identifier
from services.patients.model.likeness import Probe
from services.patients.model.person import Patient, Status
from services.patients.model.reach import DoctorAccount, Known, Reach
from services.patients.model.search import Found, Search
from services.patients.model.verification import BirthChecks


class PatientsView(Protocol):
    """What can be read."""

    def patient(self, patient_id: UUID) -> Patient:
        """One record as it is now; NotFound when there is none."""

    def status(self, patient_id: UUID) -> Status:
        """How one record stands; NotFound when there is none."""

    def statuses(self, patient_ids: Sequence[UUID]) -> list[Status]:
        """How several records stand, in the order that was asked for."""

    def patients(self, patient_ids: Sequence[UUID]) -> list[Patient]:
        """Several records, in the order that was asked for."""

    def known(self, patient_ids: Sequence[UUID]) -> list[Known]:
        """Why these patients are known, and where."""

    def matching(self, search: Search, *, within: Reach, limit: int) -> list[Found]:
        """Records within reach that fit all terms, those that fit exactly first, at most `limit`."""

    def alike(self, probe: Probe) -> list[Patient]:
        """Records that may be the same person."""

    def holders(self, identifiers: Sequence[Identifier]) -> list[Patient]:
        """Records that hold one of these identifiers."""

    def as_of(self, patient_id: UUID, *, version: int) -> Snapshot | None:
        """A record as it was in one version; None when there never was such a version."""

    def versions(self, patient_id: UUID, *, up_to: int | None, limit: int) -> list[KeptVersion]:
        """Versions of a record, newest first, from `up_to` down."""


class PatientsUnit(PatientsView, Protocol):
    """What can be done in one unit of work."""

    def patient_to_change(self, patient_id: UUID) -> Patient:
        """One record as it is now, held until the end against changes by others; NotFound when there is none."""

    def birth_checks(self, patient_id: UUID) -> BirthChecks | None:
        """How often the birth date of a record was given wrongly."""

    def set_birth_checks(self, checks: BirthChecks) -> None:
        """Keep that count; the record is held."""

    def next_number(self) -> int:
        """The next number of the sequence of MRNs; never the same twice, with gaps."""

    def add(self, patient: Patient) -> None:
        """Keep the first version of a new record."""

    def save(self, patient: Patient) -> None:
        """Keep the next version of a record."""

    def keep_known(self, *facts: Known) -> None:
        """Keep why patients are known, each unless something newer of the same thing is known."""

    def keep_doctor_account(self, fact: DoctorAccount) -> None:
        """Keep how a doctor signs in, unless something newer is known."""

    def record(self, *events: Event) -> None:
        """Tell these events when the unit commits."""


class PatientStore(Protocol):
    """Where records are kept."""

    def begin(self, call: Any) -> AbstractContextManager[PatientsUnit]:
        """One unit of work: all of it is kept, or nothing."""

    def read(self) -> AbstractContextManager[PatientsView]:
        """Reading without a unit of work."""


class Doctors(Protocol):
    """What `doctors` says."""

    def account(self, doctor_id: UUID) -> DoctorAccount:
        """How a doctor signs in now."""

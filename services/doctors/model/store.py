"""What the rules need of a store and of other services, in the words of those who plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from services.doctors.model.closures import Closure, Leave
from services.doctors.model.fence import Change, Proposal, State
from services.doctors.model.listed import AppointmentType, Resource, Specialization
from services.doctors.model.places import Place
from services.doctors.model.plans import Holdings, Plan
from services.doctors.model.profiles import Doctor, Photo
from services.doctors.model.sessions import Session
from services.kernel.events import Event

Kept = Specialization | AppointmentType | Resource | Doctor | Session | Leave | Closure
K = TypeVar("K", Specialization, AppointmentType, Resource, Doctor, Session, Leave, Closure)


class Reading(Protocol):
    """What can be read. `after` is the id of the last one on the page before."""

    def one(self, kind: type[K], record_id: UUID) -> K:
        """One record as it is now; NotFound when there is none."""

    def page(self, kind: type[K], /, *, after: UUID | None, limit: int, **only: object) -> list[K]:
        """Records in the order of their making; `only` filters, and None in it does not."""

    def photo(self, doctor_id: UUID) -> Photo:
        """The photo of a doctor; NotFound when there is none."""

    def place(self, place_id: UUID) -> Place | None:
        """A facility or location, as far as it is known here."""

    def holdings(self, doctor_ids: Sequence[UUID], *, at: datetime) -> list[Holdings]:
        """All that the plans of these doctors are made of, in the order that was asked for."""

    def planned_doctors(
        self, facility_id: UUID, *, after: UUID | None, limit: int, specialization_id: UUID | None, at: datetime
    ) -> list[UUID]:
        """Doctors with a plan and a session that is not over at a facility."""

    def changes(self, *, after: UUID | None, limit: int, states: Collection[State]) -> list[Change]:
        """Changes of plans, oldest first."""

    def change(self, change_id: UUID) -> Change:
        """One change of plans; NotFound when there is none."""

    def due_changes(self, *, at: datetime, limit: int) -> list[UUID]:
        """Changes that wait and should be tried again, oldest first."""

    def behind_their_places(self, *, at: datetime, limit: int) -> list[UUID]:
        """Doctors whose plans or sessions have another zone than their facility or location, and no open change."""


class Work(Reading, Protocol):
    """What can be done in one unit of work."""

    def for_change(self, kind: type[K], record_id: UUID) -> K:
        """One record as it is now, held until the end against changes by others; NotFound when there is none."""

    def fields_since(self, record_id: UUID, *, version: int) -> list[str]:
        """Names of the fields that changed after a version."""

    def keep(self, record: Kept, *, fields: Sequence[str]) -> None:
        """The next version of a record, or its first."""

    def put_in_force(self, records: Sequence[Kept]) -> None:
        """The next versions of several records, and what has happened to doctors among them."""

    def hold(self, kind: type[K], wanted: Iterable[UUID]) -> dict[UUID, K]:
        """Those that there are of these, held until the end against being deleted."""

    def is_used(self, specialization_id: UUID) -> bool:
        """Whether a doctor or an appointment type has a specialization, or would have it by a change that waits."""

    def delete_specialization(self, record: Specialization) -> None:
        """Delete one that is held."""

    def set_minutes(self, doctor_id: UUID, type_id: UUID, *, minutes: int | None) -> None:
        """How long a type takes with a doctor; None for as long as with all."""

    def keep_photo(self, photo: Photo) -> None:
        """The photo of a doctor, in place of any before."""

    def remove_photo(self, doctor_id: UUID) -> None:
        """No photo of a doctor."""

    def keep_place(self, place: Place) -> None:
        """What is known of a place, unless something newer is."""

    def facility_plan(self, facility_id: UUID, *, zone: str) -> Plan:
        """The plan of a facility, held until the end; made when there is none."""

    def closures_at(self, facility_id: UUID, *, at: datetime) -> list[Closure]:
        """Closures of a facility that are not over."""

    def open_change(self, subject_id: UUID) -> Change | None:
        """The change of these plans that waits, if there is one."""

    def asked_before(self) -> Change | None:
        """The change that the same request has asked for before, unless it was given up."""

    def propose(self, proposal: Proposal, *, change_id: UUID, is_due: bool = False) -> Change:
        """Keep a change as pending; when it `is_due` the job takes it up at once."""

    def change_to_settle(self, change_id: UUID) -> Change:
        """One change of plans, held until the end."""

    def settle(self, now: Change, after: Change) -> None:
        """Keep what was decided of a change; when it is over, put it in force or take the versions it has used."""

    def record(self, *events: Event) -> None:
        """Tell these events when the unit commits."""

    def answer_later(self) -> None:
        """Commit without the answer to the request: it comes with the end of what was begun."""


class Store(Protocol):
    """Where doctors and plans are kept."""

    def begin(self, call: Any) -> AbstractContextManager[Work]:
        """One unit of work: all of it is kept, or nothing."""

    def read(self) -> AbstractContextManager[Reading]:
        """Reading without a unit of work."""


class Identity(Protocol):
    """What `identity` says of places, asked with the caller's own token; None where there is no such place."""

    def facility(self, facility_id: UUID, *, call: Any) -> Place | None:
        """A facility."""

    def location(self, location_id: UUID, *, call: Any) -> Place | None:
        """A location."""

    def facility_of(self, department_id: UUID, *, call: Any) -> UUID | None:
        """The facility of a department, or nothing where there is none that is open."""


class Fence(Protocol):
    """What takes a change that waits to its end."""

    def settle(self, change: Change, *, call: Any, show: Any, status: int) -> Any:
        """Ask `appointments`, keep what follows, and answer."""


Body = Mapping[str, Any]

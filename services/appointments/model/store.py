"""What the rules need of a store, in the words of the booking desk."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from services.appointments.model.appointment import Appointment, Status
from services.appointments.model.decisions import Step
from services.appointments.model.free import Schedule
from services.appointments.model.placing import House, Spot
from services.appointments.model.plan import Closure, DoctorPlan, read_closures, read_plan
from services.kernel.access import Area
from services.kernel.errors import FieldError, Invalid
from services.kernel.intervals import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """An appointment that does not fit a new plan."""

    appointment_id: UUID
    doctor_id: UUID
    time: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """A plan that is to be the one of now: a doctor's with its windows, or a facility's with what is closed.

    is_refused_by_clashes: nothing is applied when a future appointment does not fit. period: as far ahead as anything
    is booked; later days of a long closure are kept out by the version, since whoever books has read the closure.
    """

    facility_id: UUID
    plan_id: UUID
    version: int
    change_id: UUID
    is_refused_by_clashes: bool
    plan: DoctorPlan | None
    closures: tuple[Closure, ...]
    period: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One version of an appointment in its history; `before` is the version that it followed."""

    after: Appointment
    before: Appointment | None
    operation: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which appointments a list shows; `areas`: in which of these; `after`: start and id of the last one before it."""

    facility_id: UUID
    period: Interval
    doctors: Sequence[UUID] = ()
    statuses: frozenset[Status] = frozenset()
    areas: Collection[Area] = (Area(),)
    after: tuple[datetime, UUID] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What waits and is asked for: requests in some areas, and in some what is over before a moment and still open.

    asked_in, over_in: None: it is not asked for, and there is none. doctors: only of these, if any.
    """

    facility_id: UUID
    doctors: Sequence[UUID]
    asked_in: tuple[Area, ...] | None
    over_in: tuple[Area, ...] | None
    before: datetime
    limit: int


def read_change(body: Mapping[str, Any], *, facility_id: UUID, plan_id: UUID, at: datetime, house: House) -> PlanChange:
    """A change of plan as the contract writes it: a doctor's whole plan, or what is closed in a facility.

    Raises:  Invalid: neither or both, of another doctor, facility or version, or not a plan at all.
    Source: none, plain arithmetic.
    """
    if ("doctor" in body) == ("closures" in body) or ("doctor" in body) == (plan_id == facility_id):
        raise Invalid(errors=[FieldError("one_of_doctor_and_closures", pointer="/doctor")])
    try:
        plan = read_plan(body["doctor"]) if "doctor" in body else None
        closures = read_closures(body.get("closures", []))
    except (ValueError, KeyError, OverflowError, OSError):  # a zone that is a folder of zones is an OSError
        pointer = "/doctor" if "doctor" in body else "/closures"
        raise Invalid(errors=[FieldError("not_a_plan", pointer=pointer)]) from None
    if plan is not None and (plan.doctor_id, plan.facility_id, plan.version) != (
        plan_id, facility_id, body["version"],
    ):  # fmt: skip
        raise Invalid(errors=[FieldError("of_another_plan", pointer="/doctor")])
    return PlanChange(
        facility_id=facility_id,
        plan_id=plan_id,
        version=body["version"],
        change_id=UUID(body["change_id"]),
        is_refused_by_clashes=body["clashes"] == "refuse",
        plan=plan,
        closures=closures if plan is None else tuple(each for each in plan.closures if each.scope == "doctor"),
        period=Interval(at, at + house.horizon + _MARGIN),
    )


_MARGIN = timedelta(days=2)


class AppointmentStore(Protocol):
    """Where schedules are kept; each write is one atomic step, with its audit entry, its events and its answer."""

    def replay(self, call: Any, *, facility_id: UUID) -> None:
        """Find the answer that a request was given before, and end with it; nothing else is looked at then."""

    def commit(self, call: Any, step: Step, *, answer: Any, status: int = 200) -> Any:
        """Make a step true and give its answer, with the number of the place filled in.

        Raises:  PlaceTaken, PlaceClosed, ResourceTaken, PatientBusy, HoldOver, LimitReached, PlanMoved, Stale.
        """

    def hold(self, call: Any, spot: Spot, *, hold_id: UUID, house: House, answer: Any) -> Any:
        """Keep a place for a while; the answer says until when."""

    def release(self, call: Any, *, facility_id: UUID, hold_id: UUID) -> None:
        """Give a held place back; NotFound when it is not held by this account any more."""

    def apply(self, call: Any, change: PlanChange) -> tuple[list[Clash], bool]:
        """Make a plan the one of now; the appointments that do not fit it, and whether there are more."""

    def are_of_now(self, plans: Sequence[DoctorPlan]) -> bool:
        """Whether these plans of one facility are the ones that bookings are decided on."""

    def schedules(
        self,
        facility_id: UUID,
        plans: Sequence[DoctorPlan],
        *,
        period: Interval,
        patient_id: UUID | None = None,
        added: Sequence[UUID] = (),
    ) -> Mapping[UUID, Schedule]:
        """What stands in the schedules of some doctors, the rooms of their sessions and some more, by doctor.

        Whole days of the facility and whole sessions, also where they reach out of the period.
        """

    def appointment(self, facility_id: UUID, appointment_id: UUID) -> Appointment:
        """One appointment as it is now; NotFound when there is none."""

    def listed(self, asked: Asked) -> list[Appointment]:
        """Appointments of a period by start and id, one more than the limit."""

    def unresolved(
        self,
        facility_id: UUID,
        *,
        areas: Collection[Area],
        before: datetime,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Appointment]:
        """Appointments in some areas that are over and still open, oldest first, one more than the limit."""

    def requests(
        self, facility_id: UUID, *, doctors: Collection[UUID], areas: Collection[Area], after: UUID | None, limit: int
    ) -> list[Appointment]:
        """Requests in some areas that wait, oldest first, one more than the limit; doctors: only theirs, if any."""

    def waiting(self, wanted: Wanted) -> tuple[list[Appointment], list[Appointment]]:
        """Requests that wait, and what is over and still open, as their lists say, each one more than the limit."""

    def states(
        self, facility_id: UUID, *, areas: Collection[Area], after: UUID | None, limit: int
    ) -> list[Appointment]:
        """All appointments of a facility in some areas that are written down, by id, one more than the limit."""

    def of_patient(
        self,
        patient_id: UUID,
        *,
        areas: Collection[Area],
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Appointment]:
        """A patient's appointments in some areas, the latest start first, one more than the limit."""

    def changes(self, facility_id: UUID, appointment_id: UUID, *, below: int | None, limit: int) -> list[Change]:
        """Versions of an appointment, newest first, one more than the limit."""

    def attendance(self, patient_id: UUID, *, areas: Collection[Area]) -> Mapping[str, int]:
        """How many of a patient's appointments in some areas ended how: by status, late cancellations apart."""

    def note(self, call: Any, *, facility_id: UUID | None = None) -> None:
        """Write down who saw what, before it is shown."""

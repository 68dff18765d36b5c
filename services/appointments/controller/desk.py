"""What the controllers of the booking desk share: their store, what the others say, and how a place is decided on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.appointments import model, view
from services.appointments.controller import counts
from services.chassis.call import Answer, Call
from services.kernel.errors import Conflict, Stale, Unavailable
from services.kernel.intervals import Interval

_AROUND = timedelta(days=14)
_ALTERNATIVES = 3
_EVERYWHERE = {"open_per_patient", "holds"}
"""Limits that are reached at every place."""


class PatientsView(Protocol):
    """What `patients` says."""

    def standing(self, patient_id: UUID, *, call: Call) -> str:
        """How a record stands."""


class FacilitiesView(Protocol):
    """What `identity` says."""

    def require(self, facility_id: UUID, /, *, call: Call) -> None:
        """Answer when there is this facility; NotFound otherwise."""


class DoctorsView(Protocol):
    """What `doctors` says."""

    def plan(self, doctor_id: UUID, *, facility_id: UUID, call: Call, is_fresh: bool = False) -> model.DoctorPlan:
        """The plan of one doctor at one facility."""

    def plans(self, facility_id: UUID, *, specialization_id: UUID, call: Call) -> list[model.DoctorPlan]:
        """The plans of all doctors of a facility with a specialization."""


Want = Callable[[model.DoctorPlan], model.Wish]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The booking desk."""

    store: model.AppointmentStore
    facilities: FacilitiesView
    patients: PatientsView
    doctors: DoctorsView
    house: model.House
    new_id: Callable[[], UUID]

    def decided(
        self,
        call: Call,
        *,
        facility_id: UUID,
        doctor_id: UUID,
        want: Want,
        decide: Callable[[model.DoctorPlan], Answer],
    ) -> Answer:
        """Decide on the plan of a doctor and make it true; a plan that is old is read again once.

        want: the place that is wanted, for the alternatives to it.

        Raises:  what `decide` and the store refuse; a place that cannot be had names the nearest that can.
        """
        for is_again in (False, True):
            plan = self.doctors.plan(doctor_id, facility_id=facility_id, call=call, is_fresh=is_again)
            try:
                return decide(plan)
            except model.PlanMoved:
                continue
            except (model.OutsideSessions, model.PlaceClosed, model.DoctorNotBookable) as refused:
                if not is_again:
                    continue  # what is known of the plan may be older than the plan
                raise self._with_alternatives(refused, want(plan), call, plan) from None
            except model.PlaceRefused as refused:
                raise self._with_alternatives(refused, want(plan), call, plan) from None
        raise Unavailable("plan")

    def admitted(self, call: Call, *, facility_id: UUID, patient_id: UUID) -> None:
        """Begin with something new for a patient.

        Raises:  Replayed: it was answered before. PatientNotBookable; NotFound, Forbidden: as `patients` says.
        """
        self.store.replay(call, facility_id=facility_id)
        call.audit(patient=patient_id)
        model.ensure_bookable(self.patients.standing(patient_id, call=call))

    def kept(self, call: Call, step: model.Step, *, status: int = 200) -> Answer:
        """Make a step true, with its trace and its answer."""
        after, before = step.after, step.before
        fields = [] if before is None else differing(before, after)
        call.audit(patient=after.patient_id, record=after.id, version=after.version, fields=fields)
        stored = self.store.commit(call, step, answer=view.appointment(after), status=status)
        counts.kept(step)
        return call.answer(stored, status=status)

    def to_change(self, call: Call, facility_id: str, appointment_id: str) -> model.Appointment:
        """The appointment that is to be changed, when it is the version that the caller has seen.

        Raises:  NotFound; Stale: names what has changed since.
        """
        self.store.replay(call, facility_id=UUID(facility_id))
        found = self.store.appointment(UUID(facility_id), UUID(appointment_id))
        call.audit(patient=found.patient_id, record=found.id, version=found.version)
        if call.expected_version != found.version:
            raise self.stale(found, since=call.expected_version or 0)
        return found

    def stale(self, now: model.Appointment, *, since: int) -> Stale:
        """What to say of a version that is old."""
        known = self.store.changes(now.facility_id, now.id, below=since + 1, limit=1)
        before = next((each.after for each in known if each.after.version == since), None)
        return Stale(fields=[] if before is None else differing(before, now))

    def nearest(self, plan: model.DoctorPlan, wish: model.Wish, *, at: datetime) -> list[model.Place]:
        """The free places of a doctor that are nearest to a wanted start, for this patient where there is one."""
        period = Interval(max(wish.start - _AROUND, at), max(wish.start, at) + _AROUND)
        schedules = self.store.schedules(
            plan.facility_id, [plan], period=period, patient_id=wish.patient_id, added=wish.resources
        )
        return model.alternatives(
            plan, wish, schedule=schedules[plan.doctor_id], period=period, at=at, house=self.house, most=_ALTERNATIVES
        )

    def _with_alternatives(self, refused: Conflict, wish: model.Wish, call: Call, plan: model.DoctorPlan) -> Conflict:
        is_elsewhere = isinstance(refused, model.PlaceRefused) and refused.facts.get("limit") not in _EVERYWHERE
        found = self.nearest(plan, wish, at=call.at) if is_elsewhere else []
        places = {"alternatives": [view.place(each) for each in found]} if found else {}
        return type(refused)(facts={**refused.facts, **places})


def differing(before: model.Appointment, after: model.Appointment) -> list[str]:
    """Names of the fields that differ between two versions."""
    old, new = view.appointment(before), view.appointment(after)
    return [name for name in new if old[name] != new[name] and name not in {"version", "changed_at", "changed_by"}]

"""What the controllers of the booking desk share: their store, what the others say, and how a place is decided on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, cast
from uuid import UUID

from services.appointments import model, view
from services.appointments.controller import counts
from services.chassis.call import Answer, Call
from services.chassis.stores import Replayed
from services.kernel.errors import Conflict, NotFound, Stale, Unavailable
from services.kernel.intervals import Interval

_AROUND = timedelta(days=14)
_ALTERNATIVES = 3
_EVERYWHERE = {"open_per_patient", "open_by_self_service", "holds"}
"""Limits that are reached at every place."""
_OF_VERSION = {"version", "changed_at", "changed_by", "changed_as"}


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

    def plans(
        self, facility_id: UUID, *, specialization_id: UUID, call: Call, is_fresh: bool = False
    ) -> list[model.DoctorPlan]:
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

        Raises:  NotFound: out of reach. Replayed: it was answered before. PatientNotBookable; NotFound, Forbidden: as
                 `patients` says.
        """
        call.audit(patient=patient_id)
        model.acting(call.actor, facility_id=facility_id, patient_id=patient_id)
        self.replay(call, facility_id)
        model.ensure_bookable(self.patients.standing(patient_id, call=call))

    def replay(self, call: Call, facility_id: UUID) -> None:
        """Find the answer that was given before about an appointment.

        Raises:  Replayed: with what those see of it who act as this account does now. NotFound: out of reach by now.
        """
        try:
            self.store.replay(call, facility_id=facility_id)
        except Replayed as replayed:
            if self.acting(call, self.store.appointment(facility_id, UUID(str(replayed.record)))) is model.Acting.STAFF:
                raise
            answer = replace(replayed.answer, body=view.own(cast("Mapping[str, Any]", replayed.answer.body)))
            raise Replayed(answer, about=replayed.about, record=replayed.record) from None

    def kept(self, call: Call, step: model.Step, *, status: int = 200) -> Answer:
        """Make a step true, with its trace and its answer."""
        after, before = step.after, step.before
        fields = [] if before is None else differing(before, after)
        call.audit(patient=after.patient_id, record=after.id, version=after.version, fields=fields)
        answer = view.shown(after, after.changed_as)
        stored = self.store.commit(call, step, answer=answer, status=status)
        counts.kept(step)
        return call.answer(stored, status=status)

    def to_change(
        self, call: Call, facility_id: str, appointment_id: str, *, by_staff: bool = False
    ) -> model.Appointment:
        """The appointment that is to be changed, when it is the version that the caller has seen.

        Raises:  NotFound: none, or none in reach. Replayed: as replay. Stale: names what has changed since.
        """
        found = self.seen(call, facility_id, appointment_id, by_staff=by_staff)
        self.replay(call, found.facility_id)
        if call.expected_version != found.version:
            raise self.stale(found, since=call.expected_version or 0, by=self.acting(call, found))
        return found

    def seen(self, call: Call, facility_id: str, appointment_id: str, *, by_staff: bool = False) -> model.Appointment:
        """An appointment in reach, with whose it is in the trail.

        Raises:  NotFound: none, or none in reach; an attempt at one that is there is part of its patient's trail.
        """
        found = self.store.appointment(UUID(facility_id), UUID(appointment_id))
        call.audit(patient=found.patient_id, record=found.id, version=found.version)
        if self.acting(call, found) is not model.Acting.STAFF and by_staff:
            raise NotFound
        return found

    def acting(self, call: Call, about: model.Appointment) -> model.Acting:
        """As what the account acts about an appointment.

        Raises:  NotFound: it is out of reach.
        """
        where: dict[str, Any] = {"facility_id": about.facility_id, "departments": about.department_ids}
        return model.acting(call.actor, patient_id=about.patient_id, **where)

    def house_for(self, call: Call, facility_id: UUID) -> model.House:
        """The rules of booking for those who ask.

        Raises:  NotFound: neither the facility nor any record is in reach.
        """
        return self.house.rules(is_staff=model.is_for_house(call.actor, facility_id=facility_id))

    def here(self, call: Call, facility_id: str) -> UUID:
        """A facility that is there and in reach.

        Raises:  NotFound: there is none, or it is out of reach, which is asked first and of nobody else.
        """
        facility = UUID(facility_id)
        model.ensure_staff(call.actor, facility_id=facility)
        self.facilities.require(facility, call=call)
        return facility

    def stale(self, now: model.Appointment, *, since: int, by: model.Acting) -> Stale:
        """What to say of a version that is old."""
        known = self.store.changes(now.facility_id, now.id, below=since + 1, limit=1)
        before = next((each.after for each in known if each.after.version == since), None)
        fields = [] if before is None else differing(before, now)
        return Stale(fields=fields if by is model.Acting.STAFF else [each for each in fields if each in view.OWN])

    def nearest(
        self, plan: model.DoctorPlan, wish: model.Wish, *, at: datetime, house: model.House
    ) -> list[model.Place]:
        """The free places of a doctor that are nearest to a wanted start, for this patient where there is one."""
        around = Interval(max(wish.start - _AROUND, at), max(wish.start, at) + _AROUND)
        period = house.bookable(around, at=at)
        if period is None:
            return []
        schedules = self.store.schedules(
            plan.facility_id, [plan], period=period, patient_id=wish.patient_id, added=wish.resources
        )
        return model.alternatives(
            plan, wish, schedule=schedules[plan.doctor_id], period=period, at=at, house=house, most=_ALTERNATIVES
        )

    def _with_alternatives(self, refused: Conflict, wish: model.Wish, call: Call, plan: model.DoctorPlan) -> Conflict:
        is_elsewhere = isinstance(refused, model.PlaceRefused) and refused.facts.get("limit") not in _EVERYWHERE
        house = self.house_for(call, plan.facility_id)
        found = self.nearest(plan, wish, at=call.at, house=house) if is_elsewhere else []
        places = {"alternatives": [view.place(each) for each in found]} if found else {}
        is_staff = model.covers(call.actor, facility_id=plan.facility_id, departments=plan.departments)
        is_told = is_staff or isinstance(refused, model.PlaceRefused)  # what is the matter with a doctor is for staff
        return type(refused)(facts={**(refused.facts if is_told else {}), **places})


def differing(before: model.Appointment, after: model.Appointment) -> list[str]:
    """Names of the fields that differ between two versions."""
    old, new = view.appointment(before), view.appointment(after)
    return [name for name in new if old[name] != new[name] and name not in _OF_VERSION]

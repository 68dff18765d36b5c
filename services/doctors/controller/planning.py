"""What may be booked, and how changes of it went."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.chassis.call import Call
from services.doctors import view
from services.doctors.controller.desk import Desk, cut, place, works_at
from services.doctors.model import access, plans
from services.doctors.model.fence import OPEN, State
from services.doctors.model.plans import DoctorPlan, Holdings
from services.doctors.model.profiles import Doctor
from services.kernel.errors import NotFound


class Plans:
    """Operations on plans."""

    _desk: Desk

    def get_doctor_plan(self, doctor_id: str, facility_id: str, call: Call) -> dict[str, Any]:
        """What may be booked with a doctor at a facility."""
        with self._desk.store.read() as tx:
            known = tx.holdings([UUID(doctor_id)], at=call.at)
        found = [plan for each in known if (plan := _plan(each, UUID(facility_id), call)) is not None]
        if not found:
            raise NotFound
        return view.doctor_plan(found[0])

    def list_doctor_plans(
        self,
        facility_id: str,
        call: Call,
        limit: int = 50,
        cursor: str | None = None,
        specialization_id: str | None = None,
    ) -> dict[str, Any]:
        """What may be booked at a facility."""
        of = ("doctor_plans", facility_id, specialization_id)
        wanted = None if specialization_id is None else UUID(specialization_id)
        after, where = place(cursor, limit=limit, of=of), UUID(facility_id)
        with self._desk.store.read() as tx:
            if tx.place(where) is None:
                raise NotFound
            ids = tx.planned_doctors(where, after=after, limit=limit + 1, specialization_id=wanted, at=call.at)
            known = tx.holdings(ids, at=call.at)
        found = [plan for each in known if (plan := _plan(each, where, call)) is not None]
        return cut(found, view.doctor_plan, limit=limit, of=of)

    def list_plan_changes(
        self, call: Call, limit: int = 50, cursor: str | None = None, state: str | None = None
    ) -> dict[str, Any]:
        """Changes of plans, oldest first."""
        access.ensure_runs_the_house(call.actor)
        of = ("plan_changes", state)
        after = place(cursor, limit=limit, of=of)
        states = set(State) if state is None else OPEN if state == "pending" else {State(state)}
        with self._desk.store.read() as tx:
            found = tx.changes(after=after, limit=limit + 1, states=states)
        return cut(found, view.plan_change, limit=limit, of=of)

    def get_plan_change(self, change_id: str, call: Call) -> dict[str, Any]:
        """One change of a plan."""
        with self._desk.store.read() as tx:
            found = tx.change(UUID(change_id))
            doctor = tx.one(Doctor, found.subject_id) if found.is_of_doctor else None
            where = set() if doctor is None else works_at(tx, doctor, call)
        access.ensure_may_see_change(doctor, actor=call.actor, subject_id=found.subject_id, facilities=where)
        return view.plan_change(found)


def _plan(known: Holdings, facility_id: UUID, call: Call) -> DoctorPlan | None:
    plan = known.plan_at(facility_id)
    if plan is None or not plan.version:
        return None
    return plans.doctor_plan(known, plan, version=plan.version, at=call.at)

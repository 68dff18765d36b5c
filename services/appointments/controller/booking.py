"""Book, ask for, approve, move and cancel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.appointments import model
from services.appointments.controller import counts
from services.appointments.controller.desk import Desk
from services.chassis.call import Answer, Call


class Booking:
    """What takes a place and gives it back."""

    _desk: Desk

    def book_appointment(self, facility_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Book an appointment."""
        with counts.attempt():
            return self._new(facility_id, body, call, decision=model.book)

    def request_appointment(self, facility_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Ask for an appointment that somebody else approves."""
        with counts.attempt():
            return self._new(facility_id, body, call, decision=model.request)

    def approve_appointment(self, facility_id: str, appointment_id: str, call: Call) -> Answer:
        """Approve a request; every check is made again."""
        desk, before = self._desk, self._desk.to_change(call, facility_id, appointment_id, by_staff=True)
        self._ensure_bookable(before.patient_id, call)

        def decide(plan: model.DoctorPlan) -> Answer:
            spot = self._spot(plan, before, {}, call)
            step = model.approve(before, spot, at=call.at, actor=call.actor, house=desk.house)
            return desk.kept(call, step)

        return self._moved(before, {}, call, decide=decide)

    def decline_appointment(self, facility_id: str, appointment_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Decline a request, with the reason."""
        before = self._desk.to_change(call, facility_id, appointment_id, by_staff=True)
        step = model.decline(before, reason=body["reason"], at=call.at, actor=call.actor)
        return self._desk.kept(call, step)

    def reschedule_appointment(
        self, facility_id: str, appointment_id: str, body: Mapping[str, Any], call: Call
    ) -> Answer:
        """Move an appointment to another time, doctor or type."""
        desk, before = self._desk, self._desk.to_change(call, facility_id, appointment_id)
        model.ensure_movable(before, at=call.at, actor=call.actor, house=desk.house)
        self._ensure_bookable(before.patient_id, call)

        def decide(plan: model.DoctorPlan) -> Answer:
            spot = self._spot(plan, before, body, call)
            step = model.reschedule(before, body, spot, at=call.at, actor=call.actor, house=desk.house)
            return desk.kept(call, step)

        return self._moved(before, body, call, decide=decide)

    def cancel_appointment(self, facility_id: str, appointment_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Cancel an appointment, with the reason; the place is free at once."""
        before = self._desk.to_change(call, facility_id, appointment_id)
        step = model.cancel(before, body, at=call.at, actor=call.actor, house=self._desk.house)
        return self._desk.kept(call, step)

    def _new(self, facility_id: str, body: Mapping[str, Any], call: Call, *, decision: model.Decision) -> Answer:
        desk, facility, new_id = self._desk, UUID(facility_id), self._desk.new_id()
        type_id, patient_id = UUID(body["appointment_type_id"]), UUID(body["patient_id"])
        desk.admitted(call, facility_id=facility, patient_id=patient_id)

        def want(plan: model.DoctorPlan) -> model.Wish:
            return model.wish(plan, body, type_id=type_id, patient_id=patient_id)

        def decide(plan: model.DoctorPlan) -> Answer:
            spot = model.find_spot(plan, body, type_id=type_id, house=desk.house, at=call.at, actor=call.actor)
            step = decision(body, spot, appointment_id=new_id, at=call.at, actor=call.actor, house=desk.house)
            return desk.kept(call, step, status=201)

        return desk.decided(call, facility_id=facility, doctor_id=UUID(body["doctor_id"]), want=want, decide=decide)

    def _moved(self, before: model.Appointment, body: Mapping[str, Any], call: Call, *, decide: Any) -> Answer:
        return self._desk.decided(
            call,
            facility_id=before.facility_id,
            doctor_id=_doctor(before, body),
            want=lambda plan: model.wish(
                plan,
                _kept(before, body),
                type_id=_type(before, body),
                patient_id=before.patient_id,
                moving=before.id,
                start=None if model.is_given(body) else before.starts_at,
            ),
            decide=decide,
        )

    def _spot(
        self, plan: model.DoctorPlan, before: model.Appointment, body: Mapping[str, Any], call: Call
    ) -> model.Spot:
        return model.find_spot(
            plan,
            _kept(before, body),
            type_id=_type(before, body),
            house=self._desk.house,
            at=call.at,
            actor=call.actor,
            start=None if model.is_given(body) else before.starts_at,
        )

    def _ensure_bookable(self, patient_id: UUID, call: Call) -> None:
        model.ensure_bookable(self._desk.patients.standing(patient_id, call=call))


def _doctor(before: model.Appointment, body: Mapping[str, Any]) -> UUID:
    return UUID(body["doctor_id"]) if "doctor_id" in body else before.doctor_id


def _type(before: model.Appointment, body: Mapping[str, Any]) -> UUID:
    return UUID(body["appointment_type_id"]) if "appointment_type_id" in body else before.appointment_type_id


def _kept(before: model.Appointment, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is asked for, with what stays as it is: devices, and the length where no type is asked for either."""
    stays: dict[str, Any] = {"resource_ids": [str(each) for each in before.added_resource_ids]}
    if "appointment_type_id" not in body:
        stays["minutes"] = int(before.time.length.total_seconds()) // 60
    return {**stays, **body}

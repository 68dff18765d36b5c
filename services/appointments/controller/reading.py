"""Appointments to read: the day, the patient's, the history of one. Who sees it is written down first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.appointments import model, view
from services.appointments.controller.attending import nowhere, place_at
from services.appointments.controller.desk import Desk
from services.chassis import paging
from services.chassis.call import Answer, Call
from services.kernel.access import Area

_LONGEST = timedelta(days=31)
_VERSIONS = 2**31


class Reading:
    """Lists and single appointments."""

    _desk: Desk

    def get_appointment(self, facility_id: str, appointment_id: str, call: Call) -> Answer:
        """One appointment."""
        found = self._desk.seen(call, facility_id, appointment_id)
        by = self._desk.acting(call, found)
        self._desk.store.note(call, facility_id=found.facility_id)
        return call.answer(view.shown(found, by))

    def list_appointments(
        self,
        facility_id: str,
        since: str,
        until: str,
        call: Call,
        *,
        limit: int = 50,
        cursor: str | None = None,
        doctor_id: list[str] | None = None,
        status: list[str] | None = None,
    ) -> Answer:
        """Appointments of a period, by their start."""
        of = ("appointments", facility_id, doctor_id, status, since, until)
        page = paging.page(cursor, limit=limit, of=of)
        facility = self._desk.here(call, facility_id)
        wanted = model.Asked(
            facility_id=facility,
            period=model.period(since, until, at=call.at, usual=_LONGEST, longest=_LONGEST),
            doctors=[UUID(each) for each in doctor_id or []],
            statuses=frozenset(map(model.Status, status or [])),
            areas=call.actor.scope.areas,
            after=place_at(page),
            limit=limit,
        )
        shown, following = paging.cut(self._desk.store.listed(wanted), limit=limit, keys=_start, of=of)
        return self._shown(call, shown, following, facility_id=facility)

    def list_appointment_requests(
        self,
        facility_id: str,
        call: Call,
        *,
        limit: int = 50,
        cursor: str | None = None,
        doctor_id: list[str] | None = None,
    ) -> Answer:
        """Requests that wait for an answer, whoever has waited longest first."""
        of = ("requests", facility_id, doctor_id)
        page = paging.page(cursor, limit=limit, of=of)
        facility, areas = self._desk.here(call, facility_id), call.actor.scope.areas
        doctors = [UUID(each) for each in doctor_id or []]
        found = self._desk.store.requests(facility, doctors=doctors, areas=areas, after=page.after_id, limit=limit)
        shown, following = paging.cut(found, limit=limit, keys=lambda each: [str(each.id)], of=of)
        return self._shown(call, shown, following, facility_id=facility)

    def list_appointment_states(
        self, facility_id: str, call: Call, limit: int = 50, cursor: str | None = None
    ) -> dict[str, Any]:
        """How every appointment of a facility stands, without whose it is, by id."""
        of = ("states", facility_id)
        page = paging.page(cursor, limit=limit, of=of)
        facility, areas = self._desk.here(call, facility_id), call.actor.scope.areas
        found = self._desk.store.states(facility, areas=areas, after=page.after_id, limit=limit)
        shown, following = paging.cut(found, limit=limit, keys=lambda each: [str(each.id)], of=of)
        return view.page([view.state(each) for each in shown], next_cursor=following)

    def list_patient_appointments(
        self, patient_id: str, call: Call, limit: int = 50, cursor: str | None = None
    ) -> Answer:
        """A patient's appointments in all facilities, the latest start first."""
        of = ("patient", patient_id)
        page = paging.page(cursor, limit=limit, of=of)
        patient, (by, where) = UUID(patient_id), self._about(call, patient_id)
        found = self._desk.store.of_patient(patient, areas=where, after=place_at(page), limit=limit)
        shown, following = paging.cut(found, limit=limit, keys=_start, of=of)
        call.audit(patient=patient_id)
        self._desk.store.note(call)
        return call.answer(view.page([view.shown(each, by) for each in shown], next_cursor=following))

    def get_patient_attendance(self, patient_id: str, call: Call) -> Answer:
        """How often a patient came, did not come, and cancelled."""
        _, where = self._about(call, patient_id)
        counts = self._desk.store.attendance(UUID(patient_id), areas=where)
        call.audit(patient=patient_id)
        self._desk.store.note(call)
        return call.answer(view.attendance(UUID(patient_id), counts))

    def list_appointment_changes(
        self, facility_id: str, appointment_id: str, call: Call, limit: int = 50, cursor: str | None = None
    ) -> Answer:
        """What happened to an appointment, newest first."""
        of = ("changes", facility_id, appointment_id)
        page = paging.page(cursor, limit=limit, of=of)
        below = _below(page)
        found = self._desk.seen(call, facility_id, appointment_id, by_staff=True)
        changes = self._desk.store.changes(found.facility_id, found.id, below=below, limit=limit)
        shown, following = paging.cut(changes, limit=limit, keys=lambda each: [each.after.version], of=of)
        self._desk.store.note(call, facility_id=found.facility_id)
        return call.answer(view.page([view.change(each) for each in shown], next_cursor=following))

    def _about(self, call: Call, patient_id: str) -> tuple[model.Acting, Collection[Area]]:
        """As what a patient's appointments are asked for, and in which areas."""
        by = model.acting_for(call.actor, patient_id=UUID(patient_id))
        if by is not model.Acting.STAFF:
            return by, (Area(),)
        self._desk.patients.standing(UUID(patient_id), call=call)
        return by, call.actor.scope.areas

    def _shown(self, call: Call, shown: list[model.Appointment], following: str | None, *, facility_id: UUID) -> Answer:
        call.audit(found=sorted({each.patient_id for each in shown}))
        self._desk.store.note(call, facility_id=facility_id)
        return call.answer(view.page([view.appointment(each) for each in shown], next_cursor=following))


def _below(page: paging.Page) -> int | None:
    match page.after:
        case None:
            return None
        case [int() as version] if version < _VERSIONS:
            return version
    raise nowhere()


def _start(appointment: model.Appointment) -> tuple[str, str]:
    return (appointment.starts_at.isoformat(), str(appointment.id))

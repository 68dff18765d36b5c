"""Profiles of doctors and their photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis.call import Answer, Call
from services.doctors import view
from services.doctors.controller.desk import Desk, ensure_manages, ensure_specializations, refuse_stale
from services.doctors.model import fence, listed, profiles, records
from services.doctors.model.fence import Proposal
from services.doctors.model.profiles import Doctor
from services.doctors.model.store import Work


class Profiles:
    """Operations on profiles."""

    _desk: Desk

    def list_doctors(
        self,
        limit: int = 50,
        cursor: str | None = None,
        specialization_id: str | None = None,
        department_id: str | None = None,
        *,
        active: bool | None = None,
    ) -> dict[str, Any]:
        """Doctors in the order of their making."""
        only = {
            "specialization_ids": listed.maybe_id(specialization_id),
            "department_ids": listed.maybe_id(department_id),
            "is_active": active,
        }
        return self._desk.page(Doctor, limit=limit, cursor=cursor, **only)

    def create_doctor(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make the profile of a doctor."""
        self._desk.ensure_departments(body, had=(), call=call)
        made = profiles.create(body, id=self._desk.new_id(), at=call.at)

        def decide(tx: Work) -> Proposal:
            ensure_specializations(tx, body)
            fields = tuple(records.differing(None, made))
            return Proposal(shown=made, records=(made,), fields=fields, subject_id=made.id)

        return self._desk.change(call, decide, status=201)

    def get_doctor(self, doctor_id: str) -> dict[str, Any]:
        """One doctor."""
        with self._desk.store.read() as tx:
            return view.doctor(tx.one(Doctor, UUID(doctor_id)))

    def update_doctor(self, doctor_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Change the profile of a doctor."""
        with self._desk.store.read() as seen:
            had = seen.one(Doctor, UUID(doctor_id)).department_ids
        self._desk.ensure_departments(body, had=had, call=call)

        def decide(tx: Work) -> Proposal:
            now = _to_change(tx, doctor_id, call)
            ensure_specializations(tx, body, had=now.specialization_ids)
            return self._desk.profile(tx, now, profiles.changed(now, body, at=call.at), call)

        return self._desk.change(call, decide)

    def deactivate_doctor(self, doctor_id: str, call: Call) -> Answer:
        """Take a doctor out of service."""

        def decide(tx: Work) -> Proposal:
            now = _to_change(tx, doctor_id, call)
            return self._desk.profile(tx, now, profiles.deactivated(now, at=call.at), call)

        return self._desk.change(call, decide)

    def activate_doctor(self, doctor_id: str, call: Call) -> Answer:
        """Bring a doctor back into service."""

        def decide(tx: Work) -> Proposal:
            now = _to_change(tx, doctor_id, call)
            return self._desk.profile(tx, now, profiles.activated(now, at=call.at), call)

        return self._desk.change(call, decide)

    def get_doctor_photo(self, doctor_id: str) -> dict[str, Any]:
        """The photo of a doctor."""
        with self._desk.store.read() as tx:
            return view.photo(tx.photo(UUID(doctor_id)))

    def set_doctor_photo(self, doctor_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Give a doctor a photo."""
        with self._desk.store.begin(call) as tx:
            doctor = ensure_manages(tx, tx.for_change(Doctor, UUID(doctor_id)), call)
            found = profiles.photo(body, doctor_id=doctor.id, at=call.at)
            tx.keep_photo(found)
            call.audit(record=doctor.id, version=doctor.version, fields=["photo"])
            return call.answer(view.photo(found))

    def remove_doctor_photo(self, doctor_id: str, call: Call) -> Answer:
        """Take the photo of a doctor away."""
        with self._desk.store.begin(call) as tx:
            doctor = ensure_manages(tx, tx.for_change(Doctor, UUID(doctor_id)), call)
            tx.remove_photo(doctor.id)
            call.audit(record=doctor.id, version=doctor.version, fields=["photo"])
            return call.answer(status=204)


def _to_change(tx: Work, doctor_id: str, call: Call) -> Doctor:
    now = ensure_manages(tx, tx.for_change(Doctor, UUID(doctor_id)), call)
    refuse_stale(tx, now, call)
    fence.ensure_none_waits(tx.open_change(now.id))
    return now

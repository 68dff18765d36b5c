"""The managed lists: specializations, appointment types, rooms and devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis.call import Answer, Call
from services.doctors import view
from services.doctors.controller.desk import Desk, cut, ensure_manages, ensure_specializations, place, refuse_stale
from services.doctors.model import access, listed, plans, records
from services.doctors.model.errors import InUse
from services.doctors.model.listed import AppointmentType, Resource, Specialization
from services.doctors.model.profiles import Doctor
from services.doctors.model.store import Work
from services.kernel.errors import NotFound
from services.kernel.events import Event


class Lists:
    """Operations on the managed lists."""

    _desk: Desk

    def list_specializations(
        self, limit: int = 50, cursor: str | None = None, *, active: bool | None = None
    ) -> dict[str, Any]:
        """Specializations in the order of their making."""
        return self._desk.page(Specialization, limit=limit, cursor=cursor, is_active=active)

    def create_specialization(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make a specialization."""
        access.ensure_runs_the_house(call.actor)
        made = listed.specialization(body, id=self._desk.new_id(), at=call.at)
        with self._desk.store.begin(call) as tx:
            return _keep(tx, None, made, call, event=listed.specialization_event(made))

    def get_specialization(self, specialization_id: str) -> dict[str, Any]:
        """One specialization."""
        with self._desk.store.read() as tx:
            return view.specialization(tx.one(Specialization, UUID(specialization_id)))

    def update_specialization(self, specialization_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Change a specialization."""
        access.ensure_runs_the_house(call.actor)
        with self._desk.store.begin(call) as tx:
            now = tx.for_change(Specialization, UUID(specialization_id))
            refuse_stale(tx, now, call)
            fresh = listed.changed_specialization(now, body, at=call.at)
            return _keep(tx, now, fresh, call, event=listed.specialization_event(fresh))

    def delete_specialization(self, specialization_id: str, call: Call) -> Answer:
        """Delete a specialization that nothing uses."""
        access.ensure_runs_the_house(call.actor)
        with self._desk.store.begin(call) as tx:
            now = tx.for_change(Specialization, UUID(specialization_id))
            refuse_stale(tx, now, call)
            if tx.is_used(now.id):
                raise InUse
            tx.delete_specialization(now)
            tx.record(listed.specialization_event(now, is_deleted=True))
            call.audit(record=now.id, version=now.version)
            return call.answer(status=204)

    def list_appointment_types(
        self,
        call: Call,
        limit: int = 50,
        cursor: str | None = None,
        audience: str | None = None,
        *,
        active: bool | None = None,
    ) -> dict[str, Any]:
        """Appointment types in the order of their making; a patient sees those for everyone only."""
        if not access.sees_staff_types(call.actor):
            if audience == "staff":
                return view.page([], next_cursor=None)
            audience = "everyone"
        return self._desk.page(AppointmentType, limit=limit, cursor=cursor, audience=audience, is_active=active)

    def create_appointment_type(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make an appointment type."""
        access.ensure_runs_the_house(call.actor)
        made = listed.appointment_type(body, id=self._desk.new_id(), at=call.at)
        with self._desk.store.begin(call) as tx:
            ensure_specializations(tx, body)
            listed.ensure_room(_in_use(tx), made)
            return _keep(tx, None, made, call, event=listed.type_event(made))

    def get_appointment_type(self, type_id: str, call: Call) -> dict[str, Any]:
        """One appointment type."""
        with self._desk.store.read() as tx:
            found = tx.one(AppointmentType, UUID(type_id))
        if found.audience == "staff" and not access.sees_staff_types(call.actor):
            raise NotFound
        return view.appointment_type(found)

    def update_appointment_type(self, type_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Change an appointment type."""
        access.ensure_runs_the_house(call.actor)
        with self._desk.store.begin(call) as tx:
            now = tx.for_change(AppointmentType, UUID(type_id))
            refuse_stale(tx, now, call)
            ensure_specializations(tx, body, had=now.specialization_ids)
            fresh = listed.changed_type(now, body, at=call.at)
            listed.ensure_room(_in_use(tx), fresh)
            return _keep(tx, now, fresh, call, event=listed.type_event(fresh))

    def list_type_minutes(
        self, doctor_id: str, call: Call, limit: int = 50, cursor: str | None = None
    ) -> dict[str, Any]:
        """What a doctor may do, and how long it takes."""
        of = ("type_minutes", doctor_id)
        after = place(cursor, limit=limit, of=of)
        with self._desk.store.read() as tx:
            tx.one(Doctor, UUID(doctor_id))
            (known,) = tx.holdings([UUID(doctor_id)], at=call.at)
        usual = {each.id: each.minutes for each in known.types}
        shown = access.shown_types(plans.offered(known), actor=call.actor)
        found = [each for each in shown if after is None or each.id > after][: limit + 1]
        return cut(found, lambda each: view.type_minutes(each, usual=usual[each.id]), limit=limit, of=of)

    def set_type_minutes(self, doctor_id: str, type_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Say how long a type takes with one doctor."""
        with self._desk.store.begin(call) as tx:
            usual = _own_minutes(tx, doctor_id, type_id, call, minutes=body["minutes"])
            own = plans.with_minutes(usual, body["minutes"])
            return call.answer(view.type_minutes(own, usual=usual.minutes))

    def remove_type_minutes(self, doctor_id: str, type_id: str, call: Call) -> Answer:
        """Let a type take as long with a doctor as with all."""
        with self._desk.store.begin(call) as tx:
            _own_minutes(tx, doctor_id, type_id, call, minutes=None)
            return call.answer(status=204)

    def list_resources(
        self,
        limit: int = 50,
        cursor: str | None = None,
        facility_id: str | None = None,
        kind: str | None = None,
        *,
        active: bool | None = None,
    ) -> dict[str, Any]:
        """Rooms and devices in the order of their making."""
        only = {"facility_id": listed.maybe_id(facility_id), "kind": kind, "is_active": active}
        return self._desk.page(Resource, limit=limit, cursor=cursor, **only)

    def create_resource(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make a room or a device."""
        made = listed.resource(body, id=self._desk.new_id(), at=call.at)
        access.ensure_runs(made.facility_id, actor=call.actor)
        self._desk.ensure_stands(made, call)
        with self._desk.store.begin(call) as tx:
            return _keep(tx, None, made, call)

    def get_resource(self, resource_id: str) -> dict[str, Any]:
        """One room or device."""
        with self._desk.store.read() as tx:
            return view.resource(tx.one(Resource, UUID(resource_id)))

    def update_resource(self, resource_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Change a room or a device."""
        with self._desk.store.read() as tx:
            seen = tx.one(Resource, UUID(resource_id))
        access.ensure_runs(seen.facility_id, actor=call.actor)
        if body.get("location_id") is not None:
            self._desk.ensure_stands(listed.changed_resource(seen, body, at=call.at), call)
        with self._desk.store.begin(call) as tx:
            now = tx.for_change(Resource, UUID(resource_id))
            refuse_stale(tx, now, call)
            return _keep(tx, now, listed.changed_resource(now, body, at=call.at), call)


def _keep(tx: Work, now: Any | None, fresh: Any, call: Call, *, event: Event | None = None) -> Answer:
    fields = records.differing(now, fresh)
    if now is None or fresh.version != now.version:
        tx.keep(fresh, fields=fields)
        if event is not None:
            tx.record(event)
    call.audit(record=fresh.id, version=fresh.version, fields=fields)
    return call.answer(view.SHOWN[type(fresh)](fresh), status=201 if now is None else 200)


def _in_use(tx: Work) -> list[AppointmentType]:
    return tx.page(AppointmentType, after=None, limit=listed.MOST_TYPES + 1, is_active=True)


def _own_minutes(tx: Work, doctor_id: str, type_id: str, call: Call, *, minutes: int | None) -> AppointmentType:
    doctor = ensure_manages(tx, tx.for_change(Doctor, UUID(doctor_id)), call)
    found = tx.one(AppointmentType, UUID(type_id))
    tx.set_minutes(doctor.id, found.id, minutes=minutes)
    tx.record(listed.type_event(found, doctor_id=doctor.id))
    call.audit(record=doctor.id, fields=["appointment_types"])
    return found

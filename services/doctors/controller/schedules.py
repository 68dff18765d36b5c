"""Weekly sessions and leave of doctors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.chassis.call import Answer, Call
from services.doctors import view
from services.doctors.controller.desk import Desk, ensure_fits_lists, refuse_stale
from services.doctors.model import closures, listed, records, sessions
from services.doctors.model.closures import Leave
from services.doctors.model.fence import Proposal
from services.doctors.model.places import Place, clock
from services.doctors.model.plans import Holdings, Plan
from services.doctors.model.profiles import Doctor
from services.doctors.model.sessions import Session
from services.doctors.model.store import Reading, Work
from services.kernel.errors import NotFound


class Schedules:
    """Operations on sessions and leave."""

    _desk: Desk

    def list_doctor_sessions(
        self, doctor_id: str, limit: int = 50, cursor: str | None = None, facility_id: str | None = None
    ) -> dict[str, Any]:
        """Sessions of a doctor in the order of their making."""
        with self._desk.store.read() as tx:
            doctor = tx.one(Doctor, UUID(doctor_id))
        only = {"doctor_id": doctor.id, "facility_id": listed.maybe_id(facility_id)}
        return self._desk.page(Session, limit=limit, cursor=cursor, **only)

    def get_doctor_session(self, doctor_id: str, doctor_session_id: str) -> dict[str, Any]:
        """One session."""
        with self._desk.store.read() as tx:
            return view.session(_session(tx, doctor_id, doctor_session_id))

    def add_doctor_session(self, doctor_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Add weekly hours of a doctor."""
        self._desk.ensure_planner(UUID(doctor_id), call, facility_id=UUID(body["facility_id"]))
        facility, location = self._desk.where(body, call)
        new_id = self._desk.new_id()
        made = sessions.add(body, id=new_id, doctor_id=UUID(doctor_id), at=location, made_at=call.at)

        def decide(tx: Work) -> Proposal:
            known = _at(self._desk.known(tx, made.doctor_id, call), facility)
            ensure_fits_lists(tx, made, body)
            _keep_places(tx, facility, location)
            return self._hours(known, (made,), call)

        return self._desk.change(call, decide, status=201)

    def change_doctor_session(
        self, doctor_id: str, doctor_session_id: str, body: Mapping[str, Any], call: Call
    ) -> Answer:
        """Change weekly hours from a day on."""
        location = self._new_location(doctor_id, doctor_session_id, body, call)

        def decide(tx: Work) -> Proposal:
            known, now = self._known(tx, doctor_id, doctor_session_id, call)
            new_id = self._desk.new_id()
            ended, fresh = sessions.change(now, body, id=new_id, at=location, made_at=call.at)
            ensure_fits_lists(tx, now, body, had=now.appointment_type_ids)
            _keep_places(tx, location)
            return self._hours(known, (ended, fresh), call)

        return self._desk.change(call, decide)

    def end_doctor_session(self, doctor_id: str, doctor_session_id: str, last: str, call: Call) -> Answer:
        """End weekly hours."""
        self._desk.ensure_planner(UUID(doctor_id), call, session_id=UUID(doctor_session_id))

        def decide(tx: Work) -> Proposal:
            known, now = self._known(tx, doctor_id, doctor_session_id, call)
            return self._hours(known, (sessions.end(now, last=date.fromisoformat(last), at=call.at),), call)

        return self._desk.change(call, decide)

    def list_leave(self, doctor_id: str, call: Call, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
        """Leave of a doctor in the order of its making."""
        self._desk.ensure_planner(UUID(doctor_id), call)
        return self._desk.page(Leave, limit=limit, cursor=cursor, doctor_id=UUID(doctor_id))

    def get_leave(self, doctor_id: str, leave_id: str, call: Call) -> dict[str, Any]:
        """One leave."""
        self._desk.ensure_planner(UUID(doctor_id), call)
        with self._desk.store.read() as tx:
            return view.leave(_of(tx.one(Leave, UUID(leave_id)), doctor_id))

    def add_leave(self, doctor_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Give a doctor leave."""
        self._desk.ensure_planner(UUID(doctor_id), call)
        period = closures.period(body, zone=self._clock(body, call), at=call.at)
        new_id = self._desk.new_id()
        made = closures.leave(body, id=new_id, doctor_id=UUID(doctor_id), period=period, at=call.at)

        def decide(tx: Work) -> Proposal:
            return self._away(tx, None, made, call, clashing=body.get("clashing", "refuse"))

        return self._desk.change(call, decide, status=201)

    def remove_leave(self, doctor_id: str, leave_id: str, call: Call) -> Answer:
        """Take leave back."""
        self._desk.ensure_planner(UUID(doctor_id), call)

        def decide(tx: Work) -> Proposal:
            now = _of(tx.for_change(Leave, UUID(leave_id)), doctor_id)
            refuse_stale(tx, now, call)
            return self._away(tx, now, closures.removed_leave(now, at=call.at), call)

        return self._desk.change(call, decide)

    def _known(self, tx: Work, doctor_id: str, session_id: str, call: Call) -> tuple[Holdings, Session]:
        known = self._desk.known(tx, UUID(doctor_id), call)
        now = _session(tx, doctor_id, session_id)
        refuse_stale(tx, now, call)
        return known, now

    def _new_location(self, doctor_id: str, session_id: str, body: Mapping[str, Any], call: Call) -> Place | None:
        self._desk.ensure_planner(UUID(doctor_id), call, session_id=UUID(session_id))
        with self._desk.store.read() as tx:
            facility_id = _session(tx, doctor_id, session_id).facility_id
        if "location_id" not in body:
            return None
        return self._desk.location(
            UUID(body["location_id"]), facility_id=facility_id, pointer="/location_id", call=call
        )

    def _hours(self, known: Holdings, changed: tuple[Session, ...], call: Call) -> Proposal:
        shown, old = changed[-1], {each.id: each for each in known.sessions}
        others = {**old, **{each.id: each for each in changed}}.values()
        if shown.version == 1:
            sessions.ensure_possible_beside(shown, others)
        fields = tuple(records.differing(old.get(shown.id), shown))
        made = Proposal(shown=shown, records=changed, fields=fields, subject_id=shown.doctor_id)
        return self._desk.at_facilities(known, made, {shown.facility_id}, call)

    def _away(self, tx: Work, now: Leave | None, fresh: Leave, call: Call, *, clashing: str = "refuse") -> Proposal:
        self._desk.known(tx, fresh.doctor_id, call)
        fields = tuple(records.differing(now, fresh))
        made = Proposal(shown=fresh, records=(fresh,), fields=fields, subject_id=fresh.doctor_id, clashing=clashing)
        return self._desk.stepped(tx, made, call)

    def _clock(self, body: Mapping[str, Any], call: Call) -> ZoneInfo | None:
        if "facility_id" not in body:
            return None
        found = self._desk.identity.facility(UUID(body["facility_id"]), call=call)
        if found is None:
            raise records.refuse("unknown", "/facility_id")
        return clock(found.zone, pointer="/facility_id")


def _at(known: Holdings, facility: Place) -> Holdings:
    """The holdings with a plan at the facility, where there was none before."""
    if known.plan_at(facility.id) is not None:
        return known
    first = Plan(plan_id=known.doctor.id, facility_id=facility.id, zone=facility.zone)
    return replace(known, plans=(*known.plans, first))


def _session(tx: Reading, doctor_id: str, session_id: str) -> Session:
    return _of(tx.one(Session, UUID(session_id)), doctor_id)


def _of(record: Any, doctor_id: str) -> Any:
    """A record of this doctor; another doctor's is not here."""
    if record.doctor_id != UUID(doctor_id):
        raise NotFound
    return record


def _keep_places(tx: Work, *places: Place | None) -> None:
    for each in places:
        if each is not None:
            tx.keep_place(each)

"""What is closed at a facility for a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.chassis.call import Answer, Call
from services.doctors import view
from services.doctors.controller.desk import Desk, refuse_stale
from services.doctors.model import access, closures, fence, places, records
from services.doctors.model.closures import Closure
from services.doctors.model.fence import Proposal
from services.doctors.model.listed import Resource
from services.doctors.model.places import Place, clock
from services.doctors.model.store import Reading, Work
from services.kernel.errors import NotFound


class Closures:
    """Operations on closures."""

    _desk: Desk

    def list_closures(self, facility_id: str, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
        """What is closed at a facility, in the order of its making."""
        with self._desk.store.read() as tx:
            known = _facility(tx, facility_id)
        return self._desk.page(Closure, limit=limit, cursor=cursor, facility_id=known.id)

    def get_closure(self, facility_id: str, closure_id: str) -> dict[str, Any]:
        """One closure."""
        with self._desk.store.read() as tx:
            return view.closure(_of(tx.one(Closure, UUID(closure_id)), facility_id))

    def add_closure(self, facility_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Close a facility, a location, a room or a device for a time."""
        access.ensure_runs(UUID(facility_id), actor=call.actor)
        facility = self._desk.identity.facility(UUID(facility_id), call=call)
        if facility is None:
            raise NotFound
        period = closures.period(body, zone=clock(facility.zone, pointer=""), at=call.at)
        made = closures.closure(body, id=self._desk.new_id(), facility_id=facility.id, period=period, at=call.at)
        if made.scope == "location":
            self._desk.location(made.scope_id, facility_id=facility.id, pointer="/scope_id", call=call)

        def decide(tx: Work) -> Proposal:
            _ensure_resource(tx, made)
            return self._closed(tx, facility, None, made, call, clashing=body.get("clashing", "refuse"))

        return self._desk.change(call, decide, status=201)

    def remove_closure(self, facility_id: str, closure_id: str, call: Call) -> Answer:
        """Open again what was to be closed."""
        access.ensure_runs(UUID(facility_id), actor=call.actor)

        def decide(tx: Work) -> Proposal:
            now = _of(tx.for_change(Closure, UUID(closure_id)), facility_id)
            refuse_stale(tx, now, call)
            facility = _facility(tx, facility_id)
            return self._closed(tx, facility, now, closures.removed_closure(now, at=call.at), call)

        return self._desk.change(call, decide)

    def _closed(
        self,
        tx: Work,
        facility: Place,
        now: Closure | None,
        fresh: Closure,
        call: Call,
        *,
        clashing: str = "refuse",
    ) -> Proposal:
        tx.keep_place(facility)
        plan = replace(tx.facility_plan(facility.id, zone=facility.zone), zone=facility.zone)
        fence.ensure_none_waits(tx.open_change(facility.id))
        known = tx.closures_at(facility.id, at=call.at)
        after = [*(each for each in known if each.id != fresh.id), fresh]
        fields, new_id = tuple(records.differing(now, fresh)), self._desk.new_id
        steps = view.facility_steps(known, after, plan=plan, at=call.at, new_id=new_id)
        made = Proposal(shown=fresh, records=(fresh,), fields=fields, steps=steps, subject_id=facility.id)
        return replace(made, is_of_doctor=False, clashing=clashing)


def _ensure_resource(tx: Work, made: Closure) -> None:
    if made.scope == "resource":
        found = tx.hold(Resource, [made.scope_id]).get(made.scope_id)
        if found is None:
            raise records.refuse("unknown", "/scope_id")
        if found.facility_id != made.facility_id:
            raise records.refuse("other_facility", "/scope_id")


def _facility(tx: Reading, facility_id: str) -> places.Place:
    """A facility that is known here."""
    found = tx.place(UUID(facility_id))
    if found is None or found.id != found.facility_id:
        raise NotFound
    return found


def _of(record: Closure, facility_id: str) -> Closure:
    """A closure of this facility; another facility's is not here."""
    if record.facility_id != UUID(facility_id):
        raise NotFound
    return record

"""Facilities, locations and departments: made, shown and changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from services.chassis import paging
from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk, refuse_stale
from services.identity.model import administering, places
from services.identity.model.administering import in_charge_of
from services.identity.model.places import Department, Facility, Location, Place, UnknownPlace
from services.identity.model.sessions import Ended
from services.identity.model.store import Work
from services.kernel.errors import FieldError, Invalid

_NAMES = {"is_active": "active"}


class Places:
    """Operations on places."""

    _desk: Desk

    def create_facility(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make a facility."""
        administering.refuse_narrowed(call.actor)
        made = places.facility(place_id=self._desk.new_id(), body=body, zones=self._desk.zones, at=call.at)
        with self._desk.store.begin(call) as tx:
            return _add(tx, made, call, event="facility_created")

    def create_location(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make a location of a facility."""
        with self._desk.store.begin(call) as tx:
            within = self._facility(tx, body, call)
            new_id, zones = self._desk.new_id(), self._desk.zones
            made = places.location(place_id=new_id, body=body, within=within, zones=zones, at=call.at)
            return _add(tx, made, call, event="location_created")

    def create_department(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make a department of a facility."""
        with self._desk.store.begin(call) as tx:
            within = self._facility(tx, body, call)
            found_at = _location(tx, body)
            made = places.department(
                place_id=self._desk.new_id(), body=body, within=within, found_at=found_at, at=call.at
            )
            return _add(tx, made, call, event="department_created")

    def list_facilities(self, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
        """Facilities in the order of their making."""
        page = paging.page(cursor, limit=limit, of=("facilities",))
        with self._desk.store.read() as tx:
            found = tx.facilities(after=page.after_id, limit=limit + 1)
        return _page(found, limit, ("facilities",))

    def list_locations(
        self, limit: int = 50, cursor: str | None = None, facility_id: str | None = None
    ) -> dict[str, Any]:
        """Locations, of one facility or of all."""
        of = ("locations", facility_id)
        page = paging.page(cursor, limit=limit, of=of)
        with self._desk.store.read() as tx:
            found = tx.locations(after=page.after_id, limit=limit + 1, facility_id=_id(facility_id))
        return _page(found, limit, of)

    def list_departments(
        self, limit: int = 50, cursor: str | None = None, facility_id: str | None = None
    ) -> dict[str, Any]:
        """Departments, of one facility or of all."""
        of = ("departments", facility_id)
        page = paging.page(cursor, limit=limit, of=of)
        with self._desk.store.read() as tx:
            found = tx.departments(after=page.after_id, limit=limit + 1, facility_id=_id(facility_id))
        return _page(found, limit, of)

    def get_facility(self, facility_id: str) -> dict[str, Any]:
        """One facility."""
        with self._desk.store.read() as tx:
            return view.place(tx.place(Facility, UUID(facility_id)))

    def get_location(self, location_id: str) -> dict[str, Any]:
        """One location."""
        with self._desk.store.read() as tx:
            return view.place(tx.place(Location, UUID(location_id)))

    def get_department(self, department_id: str) -> dict[str, Any]:
        """One department."""
        with self._desk.store.read() as tx:
            return view.place(tx.place(Department, UUID(department_id)))

    def update_facility(self, facility_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Change a facility, close it or open it again."""
        with self._desk.store.begin(call) as tx:
            now = in_charge_of(tx.place_for_change(Facility, UUID(facility_id)), by=call.actor)
            refuse_stale(tx, now, call)
            fresh = places.changed_facility(now, change=body, zones=self._desk.zones, at=call.at)
            answer = _save(tx, now, fresh, call, event="facility_changed")
            if now.is_active and not fresh.is_active:
                self._send_home(tx, fresh, call)
            return answer

    def _facility(self, tx: Work, body: Mapping[str, Any], call: Call) -> Facility:
        """The facility that a body names, which who makes something there is in charge of."""

        def find(kind: type[Facility], place_id: UUID) -> Facility:
            found: Facility = tx.place_for_change(kind, place_id)
            in_charge_of(found, by=call.actor)
            return found

        within: Facility = _named(find, Facility, body["facility_id"], "/facility_id")
        return within

    def _send_home(self, tx: Work, closed: Facility, call: Call) -> None:
        """End the sessions of those who work nowhere but in closed facilities; they come in again when it opens."""
        for account in tx.accounts_at(closed.id):
            if not self._desk.may_enter(tx, account):
                tx.end_sessions(account.id, at=call.at, why=Ended.CLOSED)

    def update_location(self, location_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Change a location, close it or open it again."""
        with self._desk.store.begin(call) as tx:
            now = in_charge_of(tx.place_for_change(Location, UUID(location_id)), by=call.actor)
            refuse_stale(tx, now, call)
            fresh = places.changed_location(now, change=body, zones=self._desk.zones, at=call.at)
            return _save(tx, now, fresh, call, event="location_changed")

    def update_department(self, department_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Change a department, close it or open it again."""
        with self._desk.store.begin(call) as tx:
            now = in_charge_of(tx.place_for_change(Department, UUID(department_id)), by=call.actor)
            refuse_stale(tx, now, call)
            fresh = places.changed_department(now, change=body, found_at=_location(tx, body), at=call.at)
            return _save(tx, now, fresh, call, event="department_changed")


def _add(tx: Work, made: Place, call: Call, *, event: str) -> Answer:
    tx.add_place(made)
    tx.record(places.event(event, place=made))
    call.audit(record=made.id, version=made.version, fields=_fields(None, made))
    return call.answer(view.place(made), status=201)


def _save(tx: Work, now: Place, fresh: Place, call: Call, *, event: str) -> Answer:
    changed = _fields(now, fresh)
    if fresh.version != now.version:
        tx.save_place(fresh, fields=changed)
        tx.record(places.event(event, place=fresh))
    call.audit(record=fresh.id, version=fresh.version, fields=changed)
    return call.answer(view.place(fresh))


def _fields(now: Place | None, fresh: Place) -> list[str]:
    names = [name for name in places.state(fresh) if name not in {"created_at", "changed_at"}]
    return [_NAMES.get(n, n) for n in names if now is None or getattr(now, n) != getattr(fresh, n)]


def _location(tx: Work, body: Mapping[str, Any]) -> Location | None:
    given = body.get("location_id")
    return None if given is None else _named(tx.place, Location, given, "/location_id")


def _named(find: Callable[[type[Any], UUID], Any], kind: type[Any], given: str, pointer: str) -> Any:
    """The place that a body names; the fault is in the body when there is none."""
    try:
        return find(kind, UUID(given))
    except UnknownPlace:
        raise Invalid(errors=[FieldError("unknown", pointer=pointer)]) from None


def _page(found: list[Any], limit: int, of: tuple[object, ...]) -> dict[str, Any]:
    items, following = paging.cut(found, limit=limit, keys=lambda each: [str(each.id)], of=of)
    return view.page([view.place(each) for each in items], next_cursor=following)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)

"""Things that the unit tests of the doctors make."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from services.doctors.model.closures import Closure, Leave
from services.doctors.model.fence import Change, State, Step
from services.doctors.model.listed import AppointmentType
from services.doctors.model.places import Place
from services.doctors.model.plans import Plan
from services.doctors.model.profiles import Doctor
from services.doctors.model.sessions import Session

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday
_numbers = itertools.count(1)


def new_id() -> UUID:
    """Another id each time."""
    return UUID(int=next(_numbers))


DOCTOR, FACILITY, LOCATION = new_id(), new_id(), new_id()


def at(zone: str = "Europe/Berlin", **given: Any) -> Place:
    """A location of the facility."""
    made = {"id": LOCATION, "facility_id": FACILITY, "zone": zone, "is_active": True, "version": 1}
    return Place(**made | given)


def hours(**given: Any) -> dict[str, Any]:
    """Weekly hours as somebody who plans would send them."""
    made = {"weekday": 1, "starts": "09:00", "ends": "12:00", "slot_minutes": 15, "valid_from": "2026-03-02"}
    return made | given


def session(**given: Any) -> Session:
    """Weekly hours as they are kept."""
    made: dict[str, Any] = {
        "id": new_id(),
        "doctor_id": DOCTOR,
        "facility_id": FACILITY,
        "location_id": LOCATION,
        "zone": "Europe/Berlin",
        "weekday": 1,
        "starts": time(9),
        "ends": time(12),
        "slot_minutes": 15,
        "valid_from": date(2026, 3, 2),
        "created_at": AT,
        "changed_at": AT,
    }
    return Session(**made | given)


def doctor(**given: Any) -> Doctor:
    """A doctor."""
    made: dict[str, Any] = {
        "id": DOCTOR,
        "family_name": "Example",
        "given_name": "Ada",
        "licence_number": "BE-4711",
        "licence_authority": "Medical Chamber",
        "created_at": AT,
        "changed_at": AT,
    }
    return Doctor(**made | given)


def kind(**given: Any) -> AppointmentType:
    """An appointment type."""
    made = {"id": new_id(), "name": "Visit", "minutes": 30, "color": "#777777", "audience": "everyone"}
    return AppointmentType(**made | {"created_at": AT, "changed_at": AT} | given)


def leave(starts_at: datetime, ends_at: datetime, **given: Any) -> Leave:
    """Leave of the doctor."""
    made = {"id": new_id(), "doctor_id": DOCTOR, "created_at": AT, "changed_at": AT}
    return Leave(**made | {"starts_at": starts_at, "ends_at": ends_at} | given)


def closure(starts_at: datetime, ends_at: datetime, **given: Any) -> Closure:
    """A closure of the facility."""
    made = {"id": new_id(), "facility_id": FACILITY, "scope": "facility", "scope_id": FACILITY}
    made |= {"created_at": AT, "changed_at": AT, "starts_at": starts_at, "ends_at": ends_at}
    return Closure(**made | given)


def plan(facility_id: UUID = FACILITY, **given: Any) -> Plan:
    """Where a plan of the doctor stands."""
    return Plan(**{"plan_id": DOCTOR, "facility_id": facility_id, "zone": "Europe/Berlin"} | given)


def step(facility_id: UUID = FACILITY, *, version: int = 4) -> Step:
    """A step of a change of the doctor's plan."""
    return Step(
        plan_id=DOCTOR,
        facility_id=facility_id,
        zone="Europe/Berlin",
        version=version,
        change_id=new_id(),
        back_id=new_id(),
        content={"doctor": {"version": version, "is": "new"}},
        back={"doctor": {"version": version + 1, "is": "old"}},
    )


def change(*steps: Step, **given: Any) -> Change:
    """A change of plans that waits."""
    made: dict[str, Any] = {
        "id": new_id(),
        "subject_id": DOCTOR,
        "is_of_doctor": True,
        "state": State.PENDING,
        "clashing": "refuse",
        "records": (session(),),
        "fields": ("starts",),
        "steps": steps,
        "applied": 0,
        "clashes": (),
        "more": False,
        "operation": "add_doctor_session",
        "action": "create",
        "asked_by": "somebody",
        "asked_roles": ("admin",),
        "request_id": "test",
        "intent": "one",
        "fingerprint": None,
        "asked_at": AT,
        "due_at": AT,
        "settled_at": None,
    }
    return Change(**made | given)

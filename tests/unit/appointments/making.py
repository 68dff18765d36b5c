"""Things that the tests of booking make: plans, sessions, people, calls, appointments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.appointments import model
from services.chassis.call import Call
from services.kernel.access import Actor

AT = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
"""A Monday, eight o'clock in Berlin."""
HOUSE = model.House()
_VERBS = ("book", "request", "approve", "attend", "overbook", "overlap", "retro", "correct")
RIGHTS = frozenset(f"appointments.{each}" for each in _VERBS)
HEAD = Actor(subject="head", permissions=RIGHTS)
CLERK = Actor(subject="clerk", permissions=frozenset({"appointments.book", "appointments.request"}))


def number(value: int) -> UUID:
    """An id by its number."""
    return UUID(int=(0x0193_9C3E_0000_7000_8000 << 48) + value)


FACILITY, DOCTOR, PATIENT, TYPE, ROOM, LOCATION, SESSION = map(number, range(1, 8))


def session(**more: Any) -> dict[str, Any]:
    """A session on Mondays from nine to five."""
    return {
        "id": str(SESSION),
        "location_id": str(LOCATION),
        "zone": "Europe/Berlin",
        "resource_ids": [],
        "weekday": 1,
        "starts": "09:00",
        "ends": "17:00",
        "slot_minutes": 30,
        "capacity": 1,
        "max_bookings": None,
        "valid_from": "2020-01-01",
        "valid_to": None,
        "appointment_type_ids": [],
        **more,
    }


def plan_body(*sessions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A plan as the contract writes it."""
    return {
        "doctor_id": str(DOCTOR),
        "facility_id": str(FACILITY),
        "zone": "Europe/Berlin",
        "active": True,
        "licence_expires_on": None,
        "specialization_ids": [],
        "max_per_day": None,
        "version": 3,
        "facility_version": 2,
        "sessions": list(sessions) or [session()],
        "closures": [],
        "facility_closures": [],
        "appointment_types": [{"id": str(TYPE), "minutes": 30, "audience": "everyone", "specialization_ids": []}],
        **more,
    }


def plan(*sessions: dict[str, Any], **more: Any) -> model.DoctorPlan:
    """The same, read."""
    return model.read_plan(plan_body(*sessions, **more))


def closure(scope: str, scope_id: UUID, since: str, until: str) -> dict[str, Any]:
    """Something closed."""
    return {"id": str(number(900)), "scope": scope, "scope_id": str(scope_id), "starts_at": since, "ends_at": until}


def asked(start: str = "2026-03-02T10:00:00+01:00", **more: Any) -> dict[str, Any]:
    """The body of a booking."""
    body = {"patient_id": str(PATIENT), "doctor_id": str(DOCTOR), "appointment_type_id": str(TYPE), "starts_at": start}
    return {name: value for name, value in (body | more).items() if value is not None}


def spot(body: dict[str, Any] | None = None, *, of: model.DoctorPlan | None = None, actor: Actor = HEAD,
         at: datetime = AT, house: model.House = HOUSE) -> model.Spot:  # fmt: skip
    """The place that a body asks for."""
    return model.find_spot(of or plan(), body or asked(), type_id=TYPE, house=house, at=at, actor=actor)


def appointment(status: model.Status = model.Status.BOOKED, **more: Any) -> model.Appointment:
    """An appointment in a status."""
    body = asked()
    step = model.book(body, spot(body), appointment_id=number(50), at=AT, actor=HEAD, house=HOUSE)
    return step.after.next(
        at=AT, by="head", **({"status": status, "seat": 1 if status in model.BLOCKING else None} | more)
    )


def call(operation: str = "test", *, actor: Actor = HEAD, version: int | None = None, at: datetime = AT) -> Call:
    """One call of an operation."""
    return Call(id=number(70), operation=operation, actor=actor, at=at, request_id="r", expected_version=version)


HOUR = timedelta(hours=1)

"""What the outside sees of doctors, of what can be booked, and of plans and their changes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.doctors.model import plans
from services.doctors.model.closures import Closure, Leave
from services.doctors.model.fence import OPEN, Change, Step
from services.doctors.model.listed import AppointmentType, Resource, Specialization
from services.doctors.model.plans import DoctorPlan, FacilityPlan, Holdings, Plan
from services.doctors.model.profiles import Doctor, Photo
from services.doctors.model.sessions import Session


def page(items: Sequence[Mapping[str, Any]], *, next_cursor: str | None) -> dict[str, Any]:
    """A page of a list."""
    return {"items": list(items), "next_cursor": next_cursor}


def specialization(record: Specialization) -> dict[str, Any]:
    """A specialization."""
    return {"name": record.name, "active": record.is_active, **_kept(record)}


def appointment_type(record: AppointmentType) -> dict[str, Any]:
    """An appointment type."""
    return {
        "name": record.name,
        "minutes": record.minutes,
        "color": record.color,
        "preparation": record.preparation,
        "audience": record.audience,
        "specialization_ids": _ids(record.specialization_ids),
        "active": record.is_active,
        **_kept(record),
    }


def type_minutes(with_doctor: AppointmentType, *, usual: int) -> dict[str, Any]:
    """How long a type takes with a doctor, and with the others."""
    return {"type_id": str(with_doctor.id), "minutes": with_doctor.minutes, "usual_minutes": usual}


def resource(record: Resource) -> dict[str, Any]:
    """A room or a device."""
    return {
        "kind": record.kind,
        "name": record.name,
        "facility_id": str(record.facility_id),
        "location_id": _maybe(record.location_id),
        "active": record.is_active,
        **_kept(record),
    }


def doctor(record: Doctor) -> dict[str, Any]:
    """A doctor."""
    expires = record.licence_expires_on
    return {
        "family_name": record.family_name,
        "given_name": record.given_name,
        "title": record.title,
        "licence": {
            "number": record.licence_number,
            "authority": record.licence_authority,
            "expires_on": None if expires is None else expires.isoformat(),
        },
        "languages": list(record.languages),
        "contacts": {"phone": record.phone, "email": record.email},
        "department_ids": _ids(record.department_ids),
        "specialization_ids": _ids(record.specialization_ids),
        "max_per_day": record.max_per_day,
        "user_id": _maybe(record.user_id),
        "active": record.is_active,
        **_kept(record),
    }


def photo(record: Photo) -> dict[str, Any]:
    """A photo."""
    data = base64.b64encode(record.data).decode("ascii")
    return {"media_type": record.media_type, "data": data, "changed_at": _time(record.changed_at)}


def session(record: Session) -> dict[str, Any]:
    """Weekly hours of a doctor."""
    return {
        **_hours(record),
        "doctor_id": str(record.doctor_id),
        "facility_id": str(record.facility_id),
        "follows": _maybe(record.follows),
        **_kept(record),
    }


def leave(record: Leave) -> dict[str, Any]:
    """Leave of a doctor."""
    return {"doctor_id": str(record.doctor_id), "reason": record.reason, **_period(record), **_kept(record)}


def closure(record: Closure) -> dict[str, Any]:
    """What is closed at a facility."""
    return {
        "facility_id": str(record.facility_id),
        "scope": record.scope,
        "scope_id": str(record.scope_id),
        "reason": record.reason,
        **_period(record),
        **_kept(record),
    }


SHOWN: Mapping[type[Any], Callable[[Any], dict[str, Any]]] = {
    Specialization: specialization,
    AppointmentType: appointment_type,
    Resource: resource,
    Doctor: doctor,
    Session: session,
    Leave: leave,
    Closure: closure,
}


def settled(change: Change) -> dict[str, Any]:
    """The record that a change of plans is about, and how the change went."""
    outcome = {
        "state": "pending" if change.is_open else change.state.value,
        "change_id": str(change.id),
        "clashing": list(change.clashes),
        "more": change.more,
    }
    return {**SHOWN[type(change.shown)](change.shown), "change": outcome}


def untouched(record: Any) -> dict[str, Any]:
    """A record whose change has touched no plan."""
    outcome = {"state": "effective", "change_id": None, "clashing": [], "more": False}
    return {**SHOWN[type(record)](record), "change": outcome}


def plan_change(change: Change) -> dict[str, Any]:
    """A change of plans."""
    return {
        "id": str(change.id),
        "doctor_id": str(change.subject_id) if change.is_of_doctor else None,
        "facility_ids": [str(each.facility_id) for each in change.steps],
        "state": "pending" if change.state in OPEN else change.state.value,
        "clashes": change.clashing,
        "operation": change.operation,
        "asked_by": change.asked_by,
        "asked_at": _time(change.asked_at),
        "settled_at": None if change.settled_at is None else _time(change.settled_at),
        "clashing": list(change.clashes),
        "more": change.more,
    }


def doctor_plan(plan: DoctorPlan) -> dict[str, Any]:
    """What may be booked with a doctor at a facility; the same for those who ask and for `appointments`."""
    expires = plan.doctor.licence_expires_on
    return {
        "doctor_id": str(plan.doctor.id),
        "facility_id": str(plan.facility_id),
        "zone": plan.zone,
        "active": plan.doctor.is_active,
        "licence_expires_on": None if expires is None else expires.isoformat(),
        "specialization_ids": _ids(plan.doctor.specialization_ids),
        "max_per_day": plan.doctor.max_per_day,
        "department_ids": _ids(plan.doctor.department_ids),
        "version": plan.version,
        "facility_version": plan.facility_version,
        "sessions": [_hours(each) | {"id": str(each.id)} for each in plan.sessions],
        "closures": [
            {"id": str(each.id), "scope": "doctor", "scope_id": str(each.doctor_id), **_period(each)}
            for each in plan.leave
        ],
        "facility_closures": _closed(plan.closures),
        "appointment_types": [
            {
                "id": str(each.id),
                "minutes": each.minutes,
                "audience": each.audience,
                "specialization_ids": _ids(each.specialization_ids),
            }
            for each in plan.types
        ],
    }


def plan_content(plan: DoctorPlan | FacilityPlan) -> dict[str, Any]:
    """A plan as `apply_plan` wants it, without version and ids of the change."""
    if isinstance(plan, DoctorPlan):
        return {"doctor": doctor_plan(plan)}
    return {"closures": _closed(plan.closures)}


def doctor_steps(
    known: Holdings, after: Holdings, *, facilities: Collection[UUID], at: datetime, new_id: Callable[[], UUID]
) -> tuple[Step, ...]:
    """The steps of a change of one doctor's plans: each whole plan as it is to be, and the one to go back to."""
    found = []
    for plan in sorted(after.plans, key=lambda each: each.facility_id):
        if plan.facility_id in facilities:
            version = plan.last_version + 1
            before = known.plan_at(plan.facility_id) or plan
            content = plan_content(plans.doctor_plan(after, plan, version=version, at=at))
            back = plan_content(plans.doctor_plan(known, before, version=version + 1, at=at))
            found.append(_step(plan, content=content, back=back, new_id=new_id))
    return tuple(found)


def facility_steps(
    closures: Sequence[Closure], after: Sequence[Closure], *, plan: Plan, at: datetime, new_id: Callable[[], UUID]
) -> tuple[Step, ...]:
    """The one step of a change of a facility's plan."""
    version = plan.last_version + 1
    content = plan_content(plans.facility_plan(after, plan, version=version, at=at))
    back = plan_content(plans.facility_plan(closures, plan, version=version + 1, at=at))
    return (_step(plan, content=content, back=back, new_id=new_id),)


def _step(plan: Plan, *, content: dict[str, Any], back: dict[str, Any], new_id: Callable[[], UUID]) -> Step:
    return Step(
        plan_id=plan.plan_id,
        facility_id=plan.facility_id,
        zone=plan.zone,
        version=plan.last_version + 1,
        change_id=new_id(),
        back_id=new_id(),
        content=content,
        back=back,
    )


def _closed(closures: Sequence[Closure]) -> list[dict[str, Any]]:
    return [
        {"id": str(each.id), "scope": each.scope, "scope_id": str(each.scope_id), **_period(each)} for each in closures
    ]


def _hours(record: Session) -> dict[str, Any]:
    return {
        "location_id": str(record.location_id),
        "zone": record.zone,
        "resource_ids": _ids(record.resource_ids),
        "weekday": record.weekday,
        "starts": record.starts.isoformat("minutes"),
        "ends": record.ends.isoformat("minutes"),
        "slot_minutes": record.slot_minutes,
        "capacity": record.capacity,
        "max_bookings": record.max_bookings,
        "valid_from": record.valid_from.isoformat(),
        "valid_to": None if record.valid_to is None else record.valid_to.isoformat(),
        "appointment_type_ids": _ids(record.appointment_type_ids),
    }


def _period(record: Leave | Closure) -> dict[str, Any]:
    return {"starts_at": _time(record.starts_at), "ends_at": _time(record.ends_at)}


def _kept(record: Any) -> dict[str, Any]:
    return {
        "id": str(record.id),
        "created_at": _time(record.created_at),
        "changed_at": _time(record.changed_at),
        "version": record.version,
    }


def _ids(found: Sequence[UUID]) -> list[str]:
    return [str(each) for each in found]


def _maybe(found: UUID | None) -> str | None:
    return None if found is None else str(found)


def _time(at: datetime) -> str:
    at = at.astimezone(UTC)
    whole = "seconds" if at.microsecond == 0 else "milliseconds"
    return at.isoformat(timespec=whole).replace("+00:00", "Z")

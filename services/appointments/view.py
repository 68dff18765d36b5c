"""What the outside sees of appointments, places and plans. A time has the offset of the zone beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.appointments import model
from services.appointments.model.times import moment_of

_CHANGING = (
    "status", "doctor_id", "location_id", "session_id", "resource_ids", "appointment_type_id", "starts_at", "ends_at",
    "seat", "reason", "overbook_reason", "overlap_reason", "retro_reason", "late_cancelled", "closing",
    "arrived_at", "started_at", "completed_at",
)  # fmt: skip
_STATE = frozenset(
    {
        "id", "facility_id", "doctor_id", "location_id", "appointment_type_id", "status", "starts_at", "ends_at",
        "zone", "late_cancelled", "changed_at", "version",
    }
)  # fmt: skip

OWN = (
    "id", "facility_id", "patient_id", "doctor_id", "location_id", "appointment_type_id", "status", "starts_at",
    "ends_at", "zone", "minutes", "reason", "created_at", "created_as", "changed_at", "version",
)  # fmt: skip
"""What people see of their own appointments; whatever else there is or will be is for staff."""


def shown(of: model.Appointment, by: model.Acting) -> dict[str, Any]:
    """An appointment, as those see it who act as they do."""
    found = appointment(of)
    return found if by is model.Acting.STAFF else own(found)


def own(body: Mapping[str, Any]) -> dict[str, Any]:
    """What people see of an appointment; why it was made only where they have said so themselves."""
    is_theirs = body["created_as"] != model.Acting.STAFF.value
    return {**{name: body[name] for name in OWN}, "reason": body["reason"] if is_theirs else None}


def appointment(appointment: model.Appointment) -> dict[str, Any]:
    """An appointment."""
    zone, closing = ZoneInfo(appointment.zone), appointment.closing
    return {
        "id": str(appointment.id),
        "facility_id": str(appointment.facility_id),
        "patient_id": str(appointment.patient_id),
        "doctor_id": str(appointment.doctor_id),
        "location_id": str(appointment.location_id),
        "session_id": str(appointment.session_id),
        "resource_ids": [str(each) for each in appointment.resource_ids],
        "appointment_type_id": str(appointment.appointment_type_id),
        "status": appointment.status.value,
        "starts_at": local(appointment.starts_at, zone),
        "ends_at": local(appointment.ends_at, zone),
        "zone": appointment.zone,
        "minutes": int(appointment.time.length.total_seconds()) // 60,
        "seat": appointment.seat,
        "reason": appointment.reason,
        "overbook_reason": appointment.overbook_reason,
        "overlap_reason": appointment.overlap_reason,
        "retro_reason": appointment.retro_reason,
        "late_cancelled": appointment.late_cancelled,
        "closing": None if closing is None else {"reason_code": closing.reason_code, "note": closing.note},
        "arrived_at": stamp(appointment.arrived_at),
        "started_at": stamp(appointment.started_at),
        "completed_at": stamp(appointment.completed_at),
        "created_at": stamp(appointment.created_at),
        "created_by": appointment.created_by,
        "created_as": appointment.created_as.value,
        "changed_at": stamp(appointment.changed_at),
        "changed_by": appointment.changed_by,
        "changed_as": appointment.changed_as.value,
        "version": appointment.version,
    }


def state(of: model.Appointment) -> dict[str, Any]:
    """How an appointment stands, without whose it is."""
    return {name: value for name, value in appointment(of).items() if name in _STATE}


def change(change: model.Change) -> dict[str, Any]:
    """One version in the history of an appointment, with what differs from the one before."""
    new = appointment(change.after)
    old: Mapping[str, Any] = {} if change.before is None else appointment(change.before)
    fields = [
        {"field": name, "old": old.get(name), "new": new[name]} for name in _CHANGING if old.get(name) != new[name]
    ]
    return {
        "version": change.after.version,
        "at": stamp(change.after.changed_at),
        "by": change.after.changed_by,
        "as": change.after.changed_as.value,
        "what": change.operation,
        "reason": change.reason,
        "fields": fields,
    }


def place(place: model.Place) -> dict[str, Any]:
    """A free place."""
    session = place.opening.session
    zone = ZoneInfo(session.zone)
    return {
        "doctor_id": str(place.doctor_id),
        "location_id": str(session.location_id),
        "session_id": str(session.id),
        "appointment_type_id": str(place.type_id),
        "starts_at": local(moment_of(place.start), zone),
        "ends_at": local(moment_of(place.end), zone),
        "zone": session.zone,
        "places": place.places,
    }


def hold(spot: model.Spot, *, hold_id: UUID) -> dict[str, Any]:
    """A place that is kept; the store says until when."""
    start, end = (model.minutes_of(each) for each in (spot.time.start, spot.time.end))
    kept = model.Place(spot.plan.doctor_id, spot.opening, spot.type_id, start, end, 1)
    return {"id": str(hold_id), "place": place(kept), "expires_at": None}


def page(items: Sequence[Mapping[str, Any]], *, next_cursor: str | None) -> dict[str, Any]:
    """A page of a list."""
    return {"items": list(items), "next_cursor": next_cursor}


def worklist(day: model.Day, *, requests: model.Waiting | None, unresolved: model.Waiting | None) -> dict[str, Any]:
    """What waits at a desk."""
    return {
        "appointments": [appointment(each) for each in day.shown],
        "total": day.total,
        "arrived": day.arrived,
        "next": None if day.next is None else appointment(day.next),
        "requests": None if requests is None else waiting(requests),
        "unresolved": None if unresolved is None else waiting(unresolved),
    }


def waiting(of: model.Waiting) -> dict[str, Any]:
    """The first few of what waits, and how many there are."""
    return {"first": [appointment(each) for each in of.first], "count": of.count, "more": of.is_more}


def attendance(patient_id: UUID, counts: Mapping[str, int]) -> dict[str, Any]:
    """How often a patient came, did not come, and cancelled."""
    names = ("completed", "no_show", "cancelled", "late_cancelled")
    return {"patient_id": str(patient_id), **{name: counts.get(name, 0) for name in names}}


def applied(version: int, clashing: Sequence[model.Clash], *, more: bool) -> dict[str, Any]:
    """A plan that is the one of now, and what does not fit it."""
    return {
        "version": version,
        "clashing": [
            {
                "appointment_id": str(each.appointment_id),
                "doctor_id": str(each.doctor_id),
                "starts_at": stamp(each.time.start),
                "ends_at": stamp(each.time.end),
            }
            for each in clashing
        ],
        "more": more,
    }


def local(at: datetime, zone: ZoneInfo) -> str:
    """A moment as the clocks of a zone show it, with the offset."""
    return at.astimezone(zone).isoformat(timespec="seconds")


def stamp(at: datetime | None) -> str | None:
    """A moment in UTC."""
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

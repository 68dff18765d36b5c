"""What is decided about an appointment: the next version of it, and the step by which the store makes it true."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.appointments.model.appointment import (
    OPEN_SEAT,
    Appointment,
    Closing,
    Status,
    ensure_legal,
    illegal,
)
from services.appointments.model.errors import CallUs, NotStartedYet, PatientNotBookable
from services.appointments.model.placing import House, Limit, Spot
from services.appointments.model.reach import Acting, acting, ensure_staff, has_right, is_for_house
from services.kernel.access import Actor
from services.kernel.errors import Forbidden
from services.kernel.events import Event
from services.kernel.wall_clock import day_of

_RIGHTS = {"overbook_reason": "appointments.overbook", "overlap_reason": "appointments.overlap"}
_OF_STAFF = (*_RIGHTS, "retro_reason", "minutes", "resource_ids")
_OWN_TO_CANCEL = (Status.PENDING, Status.BOOKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of an appointment, whole: all of it becomes true, or nothing.

    after, before: the new version and the one that it follows. spot: the place that is taken with it; none is, when it
    is None. hold_id: a hold that this uses up. patient_limits: of the patient's appointments; open_limit: of those that
    are open; own_limit: of those among them that were made by self-service. reason: why, for the history.
    """

    after: Appointment
    event: Event
    before: Appointment | None = None
    spot: Spot | None = None
    hold_id: UUID | None = None
    patient_limits: tuple[Limit, ...] = ()
    open_limit: int | None = None
    own_limit: int | None = None
    reason: str | None = None


class Decision(Protocol):
    """A decision about a new appointment."""

    def __call__(
        self,
        body: Mapping[str, Any],
        spot: Spot,
        *,
        appointment_id: UUID,
        at: datetime,
        actor: Actor,
        house: House,
    ) -> Step:
        """The step that makes it true."""


def ensure_bookable(standing: str) -> None:
    """Refuse a record of somebody who has died, or that is out of use or was merged away.

    Raises:  PatientNotBookable.
    Source: none, plain arithmetic; the standing is that of `patients`.
    """
    if standing != "active":
        raise PatientNotBookable(facts={"standing": standing})


def ensure_plain(
    body: Mapping[str, Any], *, actor: Actor, facility_id: UUID, departments: Collection[UUID] = ()
) -> None:
    """Let what only staff decide through from those who may decide it there: reasons by right, lengths and devices.

    Raises:  Forbidden. NotFound: neither the facility nor any record is in reach.
    Source:  DECISIONS, D-101.
    """
    where: dict[str, Any] = {"facility_id": facility_id, "departments": departments}
    if not is_for_house(actor, **where):
        is_refused = any(name in body for name in _OF_STAFF)
    else:
        is_refused = any(name in body and not has_right(actor, right, **where) for name, right in _RIGHTS.items())
    if is_refused:
        raise Forbidden


def ensure_in_time(before: Appointment, *, at: datetime, actor: Actor, house: House) -> None:
    """Keep people from moving or cancelling themselves shortly before the start; what only waits may be taken back.

    Hours are those that pass: when the clock changes in the night, the same time of the day before is an hour nearer or
    farther.

    Raises:  CallUs. NotFound: the appointment is out of reach.
    Source:  DECISIONS, D-101.
    """
    notice = house.self_service.notice
    by = _acting_about(before, actor)
    if by is not Acting.STAFF and before.status is not Status.PENDING and before.starts_at - at < notice:
        raise CallUs(facts={"notice_hours": notice.total_seconds() / 3600})


def ensure_movable(before: Appointment, *, at: datetime, actor: Actor, house: House) -> None:
    """Let through what can be moved at all, before a new place for it is looked for.

    Raises:  IllegalMove: only what is booked is moved. CallUs, NotFound: as ensure_in_time.
    Source:  DECISIONS, D-101.
    """
    if before.status is not Status.BOOKED:
        raise illegal(before)
    ensure_in_time(before, at=at, actor=actor, house=house)


def book(
    body: Mapping[str, Any],
    spot: Spot,
    *,
    appointment_id: UUID,
    at: datetime,
    actor: Actor,
    house: House,
) -> Step:
    """Book a new appointment.

    Raises:  Forbidden: a reason is given for what the actor has no right to. NotFound: out of reach.
    Source:  DECISIONS, D-100 and D-101.
    """
    after = _new(body, spot, appointment_id=appointment_id, status=Status.BOOKED, at=at, actor=actor)
    placed = _placed(body, after, spot, house)
    return Step(
        after=after, event=happened("booked", after), reason=_why(body), own_limit=_own_limit(after, house), **placed
    )


def request(
    body: Mapping[str, Any],
    spot: Spot,
    *,
    appointment_id: UUID,
    at: datetime,
    actor: Actor,
    house: House,
) -> Step:
    """Ask for an appointment: it takes no place.

    Raises:  NotFound: out of reach.
    Source:  DECISIONS, D-100 and D-101.
    """
    after = _new(body, spot, appointment_id=appointment_id, status=Status.PENDING, at=at, actor=actor)
    event, own_limit = happened("requested", after), _own_limit(after, house)
    return Step(after=after, event=event, open_limit=house.open_per_patient, own_limit=own_limit)


def approve(before: Appointment, spot: Spot, *, at: datetime, actor: Actor, house: House) -> Step:
    """Approve a request, as if it were booked now.

    Raises:  IllegalMove: it does not wait for that. NotFound: out of reach.
    Source:  DECISIONS, D-100.
    """
    ensure_staff(actor, facility_id=before.facility_id, departments=before.department_ids)
    if before.status is not Status.PENDING:
        raise illegal(before)
    moved = before.next(at=at, by=actor.subject, status=Status.BOOKED, **_where({}, spot))
    placed = _placed({}, moved, spot, house) | {"open_limit": None}  # a request counts as open already
    return Step(after=moved, before=before, event=happened("booked", moved), **placed)


def reschedule(
    before: Appointment, body: Mapping[str, Any], spot: Spot, *, at: datetime, actor: Actor, house: House
) -> Step:
    """Move an appointment to another place.

    Raises:  IllegalMove: only what is booked is moved. CallUs: too late for that. Forbidden, NotFound: as book.
    Source:  DECISIONS, D-100 and D-101.
    """
    by = _acting_about(before, actor)
    ensure_movable(before, at=at, actor=actor, house=house)
    moved_to: dict[str, Any] = {"facility_id": before.facility_id, "departments": spot.plan.departments}
    acting(actor, patient_id=before.patient_id, **moved_to)
    ensure_plain(body, actor=actor, **moved_to)
    reasons = {name: body.get(name) for name in ("overbook_reason", "overlap_reason", "retro_reason")}
    where = _where(body, spot) | reasons
    moved = before.next(at=at, by=actor.subject, acting=by, appointment_type_id=spot.type_id, **where)
    placed = _placed(body, moved, spot, house) | {"open_limit": None}
    event = happened("rescheduled", moved, previous_starts_at=_iso(before.starts_at))
    return Step(after=moved, before=before, event=event, reason=body.get("reason"), **placed)


def cancel(before: Appointment, body: Mapping[str, Any], *, at: datetime, actor: Actor, house: House) -> Step:
    """Cancel an appointment or take a request back; late within a day before the start.

    Raises:  IllegalMove. CallUs: too late for people to do it themselves. NotFound: out of reach.
    Source:  the hours before the start are a setting of the house; DECISIONS, D-100 and D-101.
    """
    by = _acting_about(before, actor)
    ensure_legal(before, Status.CANCELLED)
    if by is not Acting.STAFF and before.status not in _OWN_TO_CANCEL:
        raise illegal(before)
    ensure_in_time(before, at=at, actor=actor, house=house)
    is_late = before.status is not Status.PENDING and before.starts_at - at < house.late
    closing = Closing(body["reason_code"], body.get("note"))
    done = {"status": Status.CANCELLED, "closing": closing, "late_cancelled": is_late, "seat": None}
    after = before.next(at=at, by=actor.subject, acting=by, **done)
    return Step(after=after, before=before, event=happened("cancelled", after, late=is_late), reason=body.get("note"))


def decline(before: Appointment, *, reason: str, at: datetime, actor: Actor) -> Step:
    """Decline a request.

    Raises:  IllegalMove. NotFound: out of reach.
    Source:  DECISIONS, D-100.
    """
    ensure_staff(actor, facility_id=before.facility_id, departments=before.department_ids)
    ensure_legal(before, Status.DECLINED)
    closing = Closing("declined", reason)
    after = before.next(at=at, by=actor.subject, status=Status.DECLINED, closing=closing)
    return Step(after=after, before=before, event=happened("declined", after), reason=reason)


def attend(before: Appointment, body: Mapping[str, Any], *, at: datetime, actor: Actor) -> Step:
    """Record where a patient is: arrived, seen, done, or did not come.

    Raises:  IllegalMove. NotStartedYet: nobody has failed to come before the start. NotFound: out of reach.
    Source:  DECISIONS, D-100.
    """
    ensure_staff(actor, facility_id=before.facility_id, departments=before.department_ids)
    to = Status(body["to"])
    if before.status is Status.PENDING:
        raise illegal(before)  # a request is approved, with every check
    ensure_legal(before, to)
    if to is Status.NO_SHOW and at < before.starts_at:
        raise NotStartedYet
    stamps: dict[Status, dict[str, Any]] = {
        Status.BOOKED: {"arrived_at": None},
        Status.ARRIVED: {"arrived_at": at},
        Status.IN_PROGRESS: {"started_at": at},
        Status.COMPLETED: {"completed_at": at},
        Status.NO_SHOW: {"seat": None},
    }
    after = before.next(at=at, by=actor.subject, status=to, **stamps[to])
    return Step(after=after, before=before, event=happened("status_changed", after), reason=body.get("note"))


def mark_in_error(before: Appointment, *, reason: str, at: datetime, actor: Actor) -> Step:
    """Mark an appointment that should never have been made; it stays, and takes no place.

    Raises:  IllegalMove: it is marked already. NotFound: out of reach.
    Source:  HL7 FHIR R4, AppointmentStatus entered-in-error; DECISIONS, D-100.
    """
    ensure_staff(actor, facility_id=before.facility_id, departments=before.department_ids)
    ensure_legal(before, Status.ENTERED_IN_ERROR)
    closing = Closing("entered_in_error", reason)
    after = before.next(at=at, by=actor.subject, status=Status.ENTERED_IN_ERROR, closing=closing, seat=None)
    return Step(after=after, before=before, event=happened("entered_in_error", after), reason=reason)


def happened(type: str, appointment: Appointment, **data: object) -> Event:  # noqa: A002 - the envelope's word
    """An event about one appointment: ids, codes and times only.

    Source: none, plain arithmetic.
    """
    return Event(
        type=f"appointments.{type}.v1",
        subject=str(appointment.id),
        version=appointment.version,
        data={
            "facility_id": str(appointment.facility_id),
            "patient_id": str(appointment.patient_id),
            "doctor_id": str(appointment.doctor_id),
            "appointment_type_id": str(appointment.appointment_type_id),
            "status": appointment.status.value,
            "starts_at": _iso(appointment.starts_at),
            "ends_at": _iso(appointment.ends_at),
            "zone": appointment.zone,
            "location_id": str(appointment.location_id),
            **data,
        },
    )


def _new(
    body: Mapping[str, Any],
    spot: Spot,
    *,
    appointment_id: UUID,
    status: Status,
    at: datetime,
    actor: Actor,
) -> Appointment:
    facility_id, patient_id = spot.plan.facility_id, UUID(body["patient_id"])
    departments = spot.plan.departments
    by = acting(actor, facility_id=facility_id, patient_id=patient_id, departments=departments)
    ensure_plain(body, actor=actor, facility_id=facility_id, departments=departments)
    where = _where(body, spot) if status is Status.BOOKED else {**_where(body, spot), "seat": None}
    return Appointment(
        id=appointment_id,
        facility_id=facility_id,
        patient_id=patient_id,
        appointment_type_id=spot.type_id,
        status=status,
        reason=body.get("reason"),
        overbook_reason=body.get("overbook_reason"),
        overlap_reason=body.get("overlap_reason"),
        retro_reason=body.get("retro_reason"),
        created_at=at,
        created_by=actor.subject,
        changed_at=at,
        changed_by=actor.subject,
        created_as=by,
        changed_as=by,
        **where,
    )


def _where(body: Mapping[str, Any], spot: Spot) -> dict[str, Any]:
    return {
        "doctor_id": spot.plan.doctor_id,
        "location_id": spot.opening.session.location_id,
        "session_id": spot.opening.session.id,
        "resource_ids": spot.resources,
        "added_resource_ids": spot.added,
        "department_ids": spot.plan.departments,
        "starts_at": spot.time.start,
        "ends_at": spot.time.end,
        "zone": spot.opening.session.zone,
        "capacity": spot.opening.session.capacity,
        "seat": None if "overbook_reason" in body else OPEN_SEAT,
    }


def _placed(body: Mapping[str, Any], after: Appointment, spot: Spot, house: House) -> dict[str, Any]:
    day = day_of(after.starts_at.astimezone(spot.plan.zone).date(), zone=spot.plan.zone)
    hold = body.get("hold_id")
    most = house.rules(is_staff=after.changed_as is Acting.STAFF).per_patient_day
    return {
        "spot": spot,
        "hold_id": None if hold is None else UUID(hold),
        "patient_limits": (Limit("patient_day", day, most),),
        "open_limit": house.open_per_patient if after.retro_reason is None else None,
    }


def _acting_about(before: Appointment, actor: Actor) -> Acting:
    departments = before.department_ids
    return acting(actor, facility_id=before.facility_id, patient_id=before.patient_id, departments=departments)


def _own_limit(after: Appointment, house: House) -> int | None:
    return None if after.created_as is Acting.STAFF else house.self_service.open_per_patient


def _why(body: Mapping[str, Any]) -> str | None:
    given = (body.get(name) for name in ("overbook_reason", "overlap_reason", "retro_reason"))
    return next((each for each in given if each is not None), None)


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")

"""Where an appointment would lie, and what must be true there when it is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.appointments.model.errors import DoctorNotBookable, OutsideSessions, PlaceClosed, TimeInvalid
from services.appointments.model.free import Place, Schedule, free_places, nearest
from services.appointments.model.plan import DoctorPlan, OfferedType, Opening
from services.appointments.model.reach import has_right, is_for_house
from services.appointments.model.times import minutes_of, read_start
from services.kernel.access import Actor
from services.kernel.errors import FieldError, Forbidden
from services.kernel.intervals import Interval
from services.kernel.wall_clock import day_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfService:
    """What people may book for themselves and for those in whose name they act.

    notice: up to how long before the start they move and cancel themselves. lead, horizon: how soon and how far ahead
    an appointment may begin. open_per_patient: appointments ahead that were made in this way. per_patient_day, holds:
    as those of the house, where those are not fewer.
    """

    notice: timedelta = timedelta(hours=24)
    lead: timedelta = timedelta(hours=2)
    horizon: timedelta = timedelta(days=90)
    open_per_patient: int = 3
    per_patient_day: int = 2
    holds: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a house has decided about booking.

    horizon: how far ahead is booked. hold: how long a place is kept for a form. late: a cancellation so shortly before
    the start is late. open_per_patient, per_patient_day, holds: limits of open appointments of one patient, of those on
    one day at one facility, and of the places that one account holds at a time. window: how long what is over stays in
    the schedules, and is read from the journal afterwards.
    """

    horizon: timedelta = timedelta(days=400)
    hold: timedelta = timedelta(minutes=5)
    late: timedelta = timedelta(hours=24)
    window: timedelta = timedelta(days=30)
    open_per_patient: int = 10
    per_patient_day: int = 5
    holds: int = 5
    lead: timedelta | None = None
    self_service: SelfService = SelfService()

    def rules(self, *, is_staff: bool) -> House:
        """The rules for those who ask: staff, or people who act for themselves.

        Source:  DECISIONS, D-101.
        """
        if is_staff:
            return self
        own = self.self_service
        return replace(
            self,
            horizon=min(self.horizon, own.horizon),
            per_patient_day=min(self.per_patient_day, own.per_patient_day),
            holds=min(self.holds, own.holds),
            lead=own.lead,
        )

    def shown(self, plan: DoctorPlan) -> DoctorPlan:
        """A plan as those see it for whom these rules are: a type for staff only is to the others as if it were none.

        Source:  DECISIONS, D-101.
        """
        return plan if self.lead is None else plan.for_everyone()

    def bookable(self, period: Interval, *, at: datetime) -> Interval | None:
        """The part of a period in which an appointment may begin; None where there is none.

        Source:  DECISIONS, D-101.
        """
        if self.lead is None:
            return period
        first, last = max(period.start, at + self.lead), min(period.end, at + self.horizon)
        return Interval(first, last) if first < last else None


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many that begin in a period."""

    name: str
    period: Interval
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place that was found in a plan, and what the store must check there in the same step as it writes.

    resources: rooms and devices that must be free: those of the session first, which the doctor's other appointments
    in it share, then those that this one takes for itself. limits: of the doctor's appointments. closed: ids of what
    can be closed over it: facility, location, resources.
    """

    plan: DoctorPlan
    opening: Opening
    type_id: UUID
    time: Interval
    resources: tuple[UUID, ...]
    limits: Sequence[Limit]

    @property
    def added(self) -> tuple[UUID, ...]:
        """The resources that are not the session's own."""
        return self.resources[len(self.opening.session.resources) :]

    @property
    def closed(self) -> tuple[UUID, ...]:
        """What may be closed at this place: the facility, the location, each room and device."""
        return (self.plan.facility_id, self.opening.session.location_id, *self.resources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The place that somebody wants, to look for others near it.

    resources: what it takes beside the session's rooms. moving: the appointment that would be moved there.
    """

    start: datetime
    minutes: int
    type_id: UUID
    patient_id: UUID | None = None
    resources: tuple[UUID, ...] = ()
    moving: UUID | None = None


def wish(
    plan: DoctorPlan,
    body: Mapping[str, Any],
    *,
    type_id: UUID,
    patient_id: UUID | None = None,
    start: datetime | None = None,
    moving: UUID | None = None,
) -> Wish:
    """The place that a body asks for.

    Raises:  TimeInvalid.
    Source: none, plain arithmetic.
    """
    type_ = plan.types.get(type_id)
    usual = 0 if type_ is None else type_.minutes
    begins = read_start(body, zone=plan.zone) if start is None else start
    return Wish(
        start=begins,
        minutes=body.get("minutes", usual) or 1,
        type_id=type_id,
        patient_id=patient_id,
        resources=tuple(UUID(each) for each in body.get("resource_ids", [])),
        moving=moving,
    )


def alternatives(
    plan: DoctorPlan, wish: Wish, *, schedule: Schedule, period: Interval, at: datetime, house: House, most: int
) -> list[Place]:
    """The free places that are nearest to a wanted one, and can be booked instead of it.

    Source: none, plain arithmetic.
    """
    found = free_places(
        plan,
        type_id=wish.type_id,
        minutes=wish.minutes,
        period=period,
        schedule=schedule if wish.moving is None else schedule.without(wish.moving),
        at=at,
        added=wish.resources,
        most_per_patient=house.per_patient_day,
    )
    return nearest(list(found), start=minutes_of(wish.start), most=most)


def offered(plan: DoctorPlan, type_id: UUID, *, is_for_patients: bool = False) -> OfferedType:
    """The type, when this doctor does it.

    Raises:  DoctorNotBookable: not active, or does not do this type.
    Source: none, plain arithmetic.
    """
    if not plan.is_active:
        raise DoctorNotBookable(facts={"why": "inactive"})
    found = plan.types.get(type_id)
    if found is None or (is_for_patients and not found.is_for_everyone):
        raise DoctorNotBookable(facts={"why": "type_not_offered"})
    return found


def find_spot(
    plan: DoctorPlan,
    body: Mapping[str, Any],
    *,
    type_id: UUID,
    house: House,
    at: datetime,
    actor: Actor,
    start: datetime | None = None,
) -> Spot:
    """The place in the plan that a body asks for; `start` where it is known already.

    It may begin at any minute of a session, also one that has begun; what is over needs the right and a reason. Who
    does not act for the house at this facility finds places for everyone only, within the times of self-service.

    Raises:  TimeInvalid, DoctorNotBookable, OutsideSessions, PlaceClosed; Forbidden: over, without the right; NotFound:
             the doctor's departments are out of reach.
    Source:  DECISIONS, D-100 and D-101.
    """
    where: dict[str, Any] = {"facility_id": plan.facility_id, "departments": plan.departments}
    is_staff = is_for_house(actor, **where)
    type_, house = offered(plan, type_id, is_for_patients=not is_staff), house.rules(is_staff=is_staff)
    begins = read_start(body, zone=plan.zone) if start is None else start
    time = Interval(begins, begins + timedelta(minutes=body.get("minutes", type_.minutes)))
    _ensure_near(time, body, house=house, at=at, may_be_over=has_right(actor, "appointments.retro", **where))
    opening = _opening(plan, time, type_id)
    if plan.licence_expires_on is not None and opening.day > plan.licence_expires_on:
        raise DoctorNotBookable(facts={"why": "licence_expired"})
    more = [UUID(each) for each in body.get("resource_ids", [])]
    if any(each.overlaps(time) for each in plan.closed(opening.session, more)):
        raise PlaceClosed
    resources = tuple(dict.fromkeys([*opening.session.resources, *more]))
    return Spot(
        plan=plan,
        opening=opening,
        type_id=type_id,
        time=time,
        resources=resources,
        limits=_limits(plan, opening, time),
    )


def _ensure_near(time: Interval, body: Mapping[str, Any], *, house: House, at: datetime, may_be_over: bool) -> None:
    pointer = "/starts_at" if "starts_at" in body else "/starts_local"
    if time.end <= at:
        if "retro_reason" not in body:
            raise TimeInvalid(errors=[FieldError("not_in_past", pointer=pointer)])
        if not may_be_over:
            raise Forbidden
        if time.start < at - house.window:
            raise TimeInvalid(errors=[FieldError("too_long_ago", pointer=pointer)])
    elif house.lead is not None and minutes_of(time.start) < minutes_of(at + house.lead):
        raise TimeInvalid(errors=[FieldError("too_soon", pointer=pointer)])
    if time.start > at + house.horizon:
        raise TimeInvalid(errors=[FieldError("too_far_ahead", pointer=pointer)])


def _opening(plan: DoctorPlan, time: Interval, type_id: UUID) -> Opening:
    for opening in plan.openings_at(time.start):
        if opening.hours.holds(time) and opening.session.takes(type_id):
            return opening
    raise OutsideSessions


def _limits(plan: DoctorPlan, opening: Opening, time: Interval) -> list[Limit]:
    found = []
    if opening.session.max_bookings is not None:
        found.append(Limit("session", opening.hours, opening.session.max_bookings))
    if plan.max_per_day is not None:
        day = day_of(time.start.astimezone(plan.zone).date(), zone=plan.zone)
        found.append(Limit("doctor_day", day, plan.max_per_day))
    return found

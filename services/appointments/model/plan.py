"""What may be booked: a doctor's sessions at a facility, what is closed, and the types that the doctor does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.kernel.intervals import Interval, merged, without
from services.kernel.wall_clock import Weekly

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Hours of a doctor that come every week, in a location, with a rhythm and a number of places at a time.

    resources: its room and devices, which every appointment in it takes. types: those that may be booked; none named,
    all.
    """

    id: UUID
    location_id: UUID
    resources: tuple[UUID, ...]
    hours: Weekly
    zone: str
    slot: timedelta
    capacity: int
    max_bookings: int | None
    types: frozenset[UUID]

    def takes(self, type_id: UUID) -> bool:
        """Whether appointments of this type are for this session."""
        return not self.types or type_id in self.types


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """A time at which a doctor is away, or a facility, location or resource is closed."""

    id: UUID
    scope: str
    scope_id: UUID
    time: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedType:
    """A type of appointment that a doctor does, and how long it takes there."""

    id: UUID
    minutes: int
    is_for_everyone: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """One occurrence of a session: the day on which it begins, and its hours."""

    session: Session
    day: date
    hours: Interval


@dataclass(frozen=True, kw_only=True)
class DoctorPlan:
    """The plan of one doctor at one facility, with the versions by which bookings name it."""

    doctor_id: UUID
    facility_id: UUID
    zone: ZoneInfo
    is_active: bool
    licence_expires_on: date | None
    max_per_day: int | None
    version: int
    facility_version: int
    sessions: tuple[Session, ...]
    closures: tuple[Closure, ...]
    types: Mapping[UUID, OfferedType]
    departments: tuple[UUID, ...] = ()

    def openings(self, period: Interval) -> list[Opening]:
        """The sessions that share a moment with a period, in the order of their start.

        Source: none, plain arithmetic; the calendar is kernel.wall_clock.
        """
        found = [Opening(each, day, hours) for each in self.sessions for day, hours in each.hours.within(period)]
        return sorted(found, key=lambda each: each.hours)

    def openings_at(self, at: datetime) -> list[Opening]:
        """The sessions that are open at a moment, in the order of their start; the plan keeps those of whole days.

        Source: none, plain arithmetic.
        """
        day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        known = self._of_days.get(day)
        if known is None:
            known = self._of_days[day] = self.openings(Interval(day, day + _DAY))
        return [each for each in known if each.hours.start <= at < each.hours.end]

    def closed(self, session: Session, added: Sequence[UUID] = ()) -> Sequence[Interval]:
        """When nothing can be booked in a session, with what is taken beside its rooms.

        Source: none, plain arithmetic.
        """
        shut = self._closed[session.id]
        more = [each.time for each in self.closures if each.scope == "resource" and each.scope_id in added]
        return merged([*shut, *more]) if more else shut

    def windows(self, period: Interval) -> Iterator[Interval]:
        """When the doctor can be booked at all: sessions without what is closed, in as few intervals as possible.

        Source: none, plain arithmetic.
        """
        if self.is_active:
            open_ = [left for each in self.openings(period) for left in without(each.hours, self.closed(each.session))]
            yield from merged(open_)

    def for_everyone(self) -> DoctorPlan:
        """The plan without the types that staff alone may book.

        Source:  DECISIONS, D-47.
        """
        return replace(self, types={key: each for key, each in self.types.items() if each.is_for_everyone})

    @cached_property
    def _of_days(self) -> dict[datetime, list[Opening]]:
        """Openings by day (UTC), as far as somebody has asked; a plan is known for seconds, so they stay few."""
        return {}

    @cached_property
    def _closed(self) -> dict[UUID, list[Interval]]:
        return {
            session.id: merged(each.time for each in self.closures if _concerns(each, session))
            for session in self.sessions
        }


def read_plan(body: Mapping[str, Any]) -> DoctorPlan:
    """A plan as the contract writes it.

    Raises:  KeyError, ValueError, ZoneInfoNotFoundError: it is not of the contract.
    Source: none, plain arithmetic.
    """
    expires = body["licence_expires_on"]
    return DoctorPlan(
        doctor_id=UUID(body["doctor_id"]),
        facility_id=UUID(body["facility_id"]),
        zone=ZoneInfo(body["zone"]),
        is_active=body["active"],
        licence_expires_on=None if expires is None else date.fromisoformat(expires),
        max_per_day=body["max_per_day"],
        version=body["version"],
        facility_version=body["facility_version"],
        sessions=tuple(_session(each) for each in body["sessions"]),
        closures=read_closures([*body["closures"], *body["facility_closures"]]),
        types={UUID(each["id"]): _type(each) for each in body["appointment_types"]},
        departments=tuple(UUID(each) for each in body.get("department_ids", [])),
    )


def read_closures(bodies: Sequence[Mapping[str, Any]]) -> tuple[Closure, ...]:
    """Closures as the contract writes them.

    Source: none, plain arithmetic.
    """
    return tuple(
        Closure(
            id=UUID(each["id"]),
            scope=each["scope"],
            scope_id=UUID(each["scope_id"]),
            time=Interval(_moment(each["starts_at"]), _moment(each["ends_at"])),
        )
        for each in bodies
    )


def _session(body: Mapping[str, Any]) -> Session:
    last = body["valid_to"]
    hours = Weekly(
        weekday=body["weekday"],
        starts=time.fromisoformat(body["starts"]),
        ends=time.fromisoformat(body["ends"]),
        zone=ZoneInfo(body["zone"]),
        first=date.fromisoformat(body["valid_from"]),
        last=None if last is None else date.fromisoformat(last),
    )
    return Session(
        id=UUID(body["id"]),
        location_id=UUID(body["location_id"]),
        resources=tuple(UUID(each) for each in body["resource_ids"]),
        hours=hours,
        zone=body["zone"],
        slot=timedelta(minutes=body["slot_minutes"]),
        capacity=body["capacity"],
        max_bookings=body["max_bookings"],
        types=frozenset(UUID(each) for each in body["appointment_type_ids"]),
    )


def _type(body: Mapping[str, Any]) -> OfferedType:
    return OfferedType(id=UUID(body["id"]), minutes=body["minutes"], is_for_everyone=body["audience"] == "everyone")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _concerns(closure: Closure, session: Session) -> bool:
    match closure.scope:
        case "location":
            return closure.scope_id == session.location_id
        case "resource":
            return closure.scope_id in session.resources
        case _:
            return True

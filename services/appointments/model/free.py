"""Free places: sessions without what is closed, booked and held. Times are whole minutes since 1970."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from services.appointments.model.plan import DoctorPlan, Opening
from services.appointments.model.times import MINUTE, minutes_of
from services.kernel.intervals import Interval
from services.kernel.wall_clock import day_of

_UP = MINUTE - timedelta(microseconds=1)
"""Added before seconds are cut off: the next whole minute."""


class Taking(StrEnum):
    """How something takes time: booked, held, booked over a full place; only asked for, or not any more."""

    BOOKED = "b"
    HELD = "h"
    OVER = "x"
    ASKED = "p"
    NOT = "n"


@dataclass(frozen=True, slots=True)
class Taken:
    """Something that stands in the schedule of a doctor, a room or a patient; `seat` is 0 where it has no number."""

    id: str
    start: int
    end: int
    seat: int
    taking: Taking

    @property
    def is_blocking(self) -> bool:
        """Whether it takes its time."""
        return self.taking not in {Taking.ASKED, Taking.NOT}


@dataclass(frozen=True, slots=True)
class Schedule:
    """What stands in the schedules that a search looks at.

    doctor: of the doctor. resources: of each room and device. patient: of the patient whom the place is for, if any.
    """

    doctor: Sequence[Taken]
    resources: Mapping[UUID, Sequence[Taken]]
    patient: Sequence[Taken] = ()

    def without(self, appointment_id: UUID) -> Schedule:
        """The same as if one appointment were not there."""

        def left(taken: Sequence[Taken]) -> list[Taken]:
            return [each for each in taken if each.id != appointment_id.hex]

        rooms = {room: left(taken) for room, taken in self.resources.items()}
        return Schedule(doctor=left(self.doctor), resources=rooms, patient=left(self.patient))


@dataclass(frozen=True, slots=True)
class Place:
    """A start at which an appointment fits; `places` says how many may be booked at it."""

    doctor_id: UUID
    opening: Opening
    type_id: UUID
    start: int
    end: int
    places: int


def free_seats(taken: Sequence[Taken], *, start: int, end: int, capacity: int) -> list[int]:
    """The numbers of the places that are free all through a time, lowest first.

    An appointment keeps its number from its start to its end. Each one that was booked over a full place takes away one
    of the places that are left, whatever its number.

    Source: none, plain arithmetic.
    """
    there = [each for each in taken if each.is_blocking and each.start < end and start < each.end]
    used = {each.seat for each in there}
    over = sum(each.taking is Taking.OVER for each in there)
    free = [seat for seat in range(1, capacity + 1) if seat not in used]
    return free[: max(0, len(free) - over)]


def free_places(
    plan: DoctorPlan,
    *,
    type_id: UUID,
    minutes: int,
    period: Interval,
    schedule: Schedule,
    at: datetime,
    added: Sequence[UUID] = (),
    most_per_patient: int | None = None,
) -> Iterator[Place]:
    """The free places of a doctor for one type, in the order of their start, at the session's own rhythm.

    A room of the session is shared by the doctor's own appointments: the places of the session say how many there are.
    added: what must be free beside. most_per_patient: how many the patient may have on one day.
    Nothing begins before `at`. A doctor who is not active, or whose licence has run out by the day, has none.

    Source: none, plain arithmetic.
    """
    first = minutes_of(max(period.start, at + _UP))
    last = minutes_of(period.end)
    days = _Days(plan.zone, schedule.doctor, plan.max_per_day)
    patient = _Days(plan.zone, schedule.patient, most_per_patient)
    for opening in plan.openings(period) if plan.is_active else []:
        if not opening.session.takes(type_id) or not _is_licensed(plan, opening) or _is_full(opening, schedule.doctor):
            continue
        for place in _in(plan, opening, type_id=type_id, minutes=minutes, schedule=schedule, added=added):
            if first <= place.start < last and not days.is_full(place.start) and not patient.is_full(place.start):
                yield place


def first_free(
    plans: Sequence[DoctorPlan],
    schedules: Mapping[UUID, Schedule],
    *,
    type_id: UUID,
    period: Interval,
    at: datetime,
) -> Place | None:
    """The earliest free place over some doctors; between equal starts the doctor with fewer appointments on that day.

    Source: none, plain arithmetic.
    """
    firsts = []
    for plan in plans:
        type_ = plan.types.get(type_id)
        if type_ is None:
            continue
        schedule = schedules[plan.doctor_id]
        found = free_places(plan, type_id=type_id, minutes=type_.minutes, period=period, schedule=schedule, at=at)
        place = next(found, None)
        if place is not None:
            day = day_of(datetime.fromtimestamp(place.start * 60, plan.zone).date(), zone=plan.zone)
            firsts.append((place.start, count_starting(schedule.doctor, day), str(plan.doctor_id), place))
    return min(firsts, key=lambda each: each[:3])[3] if firsts else None


def nearest(places: Sequence[Place], *, start: int, most: int = 3) -> list[Place]:
    """Those that are nearest to a wanted start; between two as near, the earlier.

    Source: none, plain arithmetic.
    """
    by_distance = sorted(places, key=lambda each: (abs(each.start - start), each.start))
    return sorted(by_distance[:most], key=lambda each: each.start)


def _in(
    plan: DoctorPlan, opening: Opening, *, type_id: UUID, minutes: int, schedule: Schedule, added: Sequence[UUID]
) -> Iterator[Place]:
    session = opening.session
    begins, ends = minutes_of(opening.hours.start), minutes_of(opening.hours.end)
    shut = [(minutes_of(each.start), minutes_of(each.end + _UP)) for each in plan.closed(session, added)]
    doctor = [each for each in schedule.doctor if each.is_blocking and each.start < ends and begins < each.end]
    own = {each.id for each in doctor}
    rooms = [each for name in session.resources for each in schedule.resources.get(name, ()) if each.id not in own]
    others = [*rooms, *(each for name in added for each in schedule.resources.get(name, ())), *schedule.patient]
    busy = shut + [(each.start, each.end) for each in others if each.is_blocking]
    for start in range(begins, ends - minutes + 1, int(session.slot.total_seconds()) // 60):
        end = start + minutes
        if any(a < end and start < b for a, b in busy):
            continue
        seats = free_seats(doctor, start=start, end=end, capacity=session.capacity)
        if seats:
            yield Place(plan.doctor_id, opening, type_id, start, end, len(seats))


def _is_full(opening: Opening, taken: Sequence[Taken]) -> bool:
    most = opening.session.max_bookings
    return most is not None and count_starting(taken, opening.hours) >= most


def _is_licensed(plan: DoctorPlan, opening: Opening) -> bool:
    return plan.licence_expires_on is None or opening.day <= plan.licence_expires_on


def count_starting(taken: Sequence[Taken], period: Interval) -> int:
    """How many appointments begin in a period.

    Source: none, plain arithmetic.
    """
    first, last = minutes_of(period.start), minutes_of(period.end)
    return sum(each.is_blocking and first <= each.start < last for each in taken)


class _Days:
    """Which calendar days of the facility have as many appointments of a doctor or a patient as there may be."""

    def __init__(self, zone: ZoneInfo, taken: Sequence[Taken], most: int | None) -> None:
        self._zone, self._taken, self._most = zone, taken, most
        self._full: dict[date, bool] = {}

    def is_full(self, start: int) -> bool:
        if self._most is None:
            return False
        day = datetime.fromtimestamp(start * 60, self._zone).date()
        if day not in self._full:
            self._full[day] = count_starting(self._taken, day_of(day, zone=self._zone)) >= self._most
        return self._full[day]

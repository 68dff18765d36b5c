"""Weekly sessions of a doctor: added, changed from a day on, ended, and never two at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from services.doctors.model.errors import SessionsOverlap, TooMany
from services.doctors.model.listed import ids
from services.doctors.model.places import Place, clock
from services.doctors.model.records import following, refuse
from services.kernel.errors import FieldError, Invalid
from services.kernel.wall_clock import Weekly, first_clash

EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2199, 12, 31)
MOST: Final = 200
"""Sessions of one doctor that are not over: as many as a plan holds."""
_DAY: Final = timedelta(days=1)
_MINUTES_OF_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Weekly hours of a doctor at a location, by the clock there; an end not after the start is on the next day.

    capacity: places in each slot. max_bookings: in all slots of one day. valid_from, valid_to: the first and the last
    day on which it can begin. follows: the session that it took over from. is_withdrawn: it was taken back before it
    ever began.
    """

    id: UUID
    doctor_id: UUID
    facility_id: UUID
    location_id: UUID
    zone: str
    resource_ids: tuple[UUID, ...] = ()
    weekday: int
    starts: time
    ends: time
    slot_minutes: int
    capacity: int = 1
    max_bookings: int | None = None
    valid_from: date
    valid_to: date | None = None
    appointment_type_ids: tuple[UUID, ...] = ()
    follows: UUID | None = None
    is_withdrawn: bool = False
    version: int = 1
    created_at: datetime
    changed_at: datetime

    @property
    def weekly(self) -> Weekly:
        """Its hours."""
        zone = clock(self.zone, pointer="/location_id")
        return Weekly(
            weekday=self.weekday,
            starts=self.starts,
            ends=self.ends,
            zone=zone,
            first=self.valid_from,
            last=self.valid_to,
        )

    def is_over(self, today: date) -> bool:
        """Whether none of it can still go on: it was withdrawn, or its last day is more than two days ago.

        Two days, because a session may end on the day after it began, and days of zones differ.
        """
        return self.is_withdrawn or (self.valid_to is not None and self.valid_to < today - 2 * _DAY)


def add(body: Mapping[str, Any], *, id: UUID, doctor_id: UUID, at: Place, made_at: datetime) -> Session:  # noqa: A002
    """New weekly hours at a location.

    Raises:  Invalid: times or days that cannot be.
    Source:  DECISIONS, D-43.
    """
    session = Session(
        id=id,
        doctor_id=doctor_id,
        facility_id=at.facility_id,
        location_id=at.id,
        zone=at.zone,
        resource_ids=ids(body.get("resource_ids", ())),
        weekday=body["weekday"],
        starts=time.fromisoformat(body["starts"]),
        ends=time.fromisoformat(body["ends"]),
        slot_minutes=body["slot_minutes"],
        capacity=body.get("capacity", 1),
        max_bookings=body.get("max_bookings"),
        valid_from=date.fromisoformat(body["valid_from"]),
        valid_to=_maybe_day(body.get("valid_to")),
        appointment_type_ids=ids(body.get("appointment_type_ids", ())),
        created_at=made_at,
        changed_at=made_at,
    )
    return _possible(session, first="/valid_from")


def change(
    now: Session,
    body: Mapping[str, Any],
    *,
    id: UUID,  # noqa: A002 - the field's name
    at: Place | None,
    made_at: datetime,
) -> tuple[Session, Session]:
    """The old hours with their last day, and the new ones from the day after on.

    at: the new location, None when it stays.
    Raises:  Invalid: the day lies outside the old session or in the past, or times or days that cannot be.
    Source:  DECISIONS, D-43.
    """
    first = date.fromisoformat(body["applies_from"])
    for broken, rule in (
        (first < _today(now, made_at), "in_the_past"),
        (first < now.valid_from, "before_start"),
        (now.valid_to is not None and first > now.valid_to, "after_end"),
    ):
        if broken:
            raise refuse(rule, "/applies_from")
    fresh = dataclasses.replace(
        now,
        id=id,
        follows=now.id,
        version=1,
        created_at=made_at,
        changed_at=made_at,
        location_id=now.location_id if at is None else at.id,
        zone=now.zone if at is None else at.zone,
        resource_ids=ids(body.get("resource_ids", now.resource_ids)),
        weekday=body.get("weekday", now.weekday),
        starts=time.fromisoformat(body["starts"]) if "starts" in body else now.starts,
        ends=time.fromisoformat(body["ends"]) if "ends" in body else now.ends,
        slot_minutes=body.get("slot_minutes", now.slot_minutes),
        capacity=body.get("capacity", now.capacity),
        max_bookings=body.get("max_bookings", now.max_bookings),
        valid_from=first,
        valid_to=_maybe_day(body["valid_to"]) if "valid_to" in body else now.valid_to,
        appointment_type_ids=ids(body.get("appointment_type_ids", now.appointment_type_ids)),
    )
    return _until(now, first - _DAY, at=made_at), _possible(fresh, first="/applies_from")


def end(now: Session, *, last: date, at: datetime) -> Session:
    """The hours with their last day; hours that would never begin are withdrawn.

    Raises:  Invalid: what has been cannot be ended, nor can an end be put off.
    Source:  DECISIONS, D-43.
    """
    if last < _today(now, at) - _DAY:
        raise Invalid(errors=[FieldError(rule="in_the_past", parameter="last")])
    if last > LATEST or (now.valid_to is not None and last > now.valid_to):
        raise Invalid(errors=[FieldError(rule="after_end", parameter="last")])
    return _until(now, last, at=at)


def moved_zone(now: Session, *, zone: str, at: datetime) -> Session:
    """The hours by the new clock of their location.

    Source:  DECISIONS, D-44.
    """
    return following(now, dataclasses.replace(now, zone=zone), at=at)


def ensure_possible_beside(session: Session, others: Iterable[Session]) -> None:
    """Refuse hours that share a moment with others of the doctor, wherever those are.

    Raises:  SessionsOverlap: names the other session and the first day. TooMany.
    Source: none, plain arithmetic.
    """
    beside = [each for each in others if each.id != session.id and not each.is_withdrawn]
    if len(beside) >= MOST:
        raise TooMany
    for other in beside:
        day = None if _never_meet(session, other) else first_clash(session.weekly, other.weekly)
        if day is not None:
            raise SessionsOverlap(facts={"session_id": str(other.id), "first_day": day.isoformat()})


def _never_meet(one: Session, other: Session) -> bool:
    """By one clock, hours that begin two days apart never meet: none is longer than a day."""
    apart = (one.weekday - other.weekday) % 7
    return one.zone == other.zone and 2 <= apart <= 5


def _until(now: Session, last: date, *, at: datetime) -> Session:
    if last < now.valid_from:
        return following(now, dataclasses.replace(now, is_withdrawn=True), at=at)
    return following(now, dataclasses.replace(now, valid_to=last), at=at)


def _possible(session: Session, *, first: str) -> Session:
    minutes = (_minute(session.ends) - _minute(session.starts)) % _MINUTES_OF_DAY
    broken = [
        (session.starts == session.ends, "same_as_start", "/ends"),
        (0 < minutes < session.slot_minutes, "no_slot_fits", "/slot_minutes"),
        (not EARLIEST <= session.valid_from <= LATEST, "out_of_range", first),
        (session.valid_to is not None and session.valid_to < session.valid_from, "before_start", "/valid_to"),
        (session.valid_to is not None and session.valid_to > LATEST, "out_of_range", "/valid_to"),
    ]
    errors = [FieldError(rule=rule, pointer=pointer) for is_broken, rule, pointer in broken if is_broken]
    if errors:
        raise Invalid(errors=errors)
    return session


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _today(session: Session, at: datetime) -> date:
    return at.astimezone(clock(session.zone, pointer="/location_id")).date()


def _maybe_day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)

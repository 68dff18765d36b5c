"""Free places once more, slowly and from the definition alone: minute by minute, on plans as the contract writes them.

Nothing of the service and nothing of its calendar is used here: a wall-clock time is found by walking along the minutes
until the clock of the zone shows it, or has been put forward over it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


class Standing(NamedTuple):
    """Something in a schedule: who, from which minute to which, its number, and b, h, x, p or n."""

    id: str
    first: int
    last: int
    seat: int
    how: str


class Free(NamedTuple):
    """A free place."""

    start: int
    end: int
    session: str
    places: int


def minute_of(text: str) -> int:
    """Minutes since 1970 of a moment."""
    return int(datetime.fromisoformat(text).timestamp()) // 60


@cache
def shown(minute: int, zone: str) -> tuple[date, int]:
    """What the clock of a zone shows in a minute: the day and the minutes since its midnight."""
    local = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(zone))
    return local.date(), local.hour * 60 + local.minute


@cache
def when(day: date, clock: str, zone: str) -> int:
    """The first minute in which the clock shows a time, or is past it because it was put forward."""
    hours, minutes = map(int, clock.split(":"))
    wanted = (day, hours * 60 + minutes)
    minute = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 60 - 16 * 60
    while shown(minute, zone) < wanted:
        minute += 1
    return minute


def occurrences(session: dict[str, Any], first: int, last: int) -> Iterator[tuple[date, int, int]]:
    """Each time that a session takes place and touches a period: its day, its first minute, the one behind its last."""
    day = datetime.fromtimestamp(first * 60, UTC).date() - 3 * DAY
    while day <= datetime.fromtimestamp(last * 60, UTC).date() + 3 * DAY:
        is_valid = day >= date.fromisoformat(session["valid_from"])
        is_valid = is_valid and (session["valid_to"] is None or day <= date.fromisoformat(session["valid_to"]))
        if is_valid and day.isoweekday() == session["weekday"]:
            until = day if session["ends"] > session["starts"] else day + DAY
            begins, ends = when(day, session["starts"], session["zone"]), when(until, session["ends"], session["zone"])
            if begins < ends and begins < last and first < ends:
                yield day, begins, ends
        day += DAY


def free(
    plan: dict[str, Any],
    *,
    type_id: str,
    minutes: int,
    first: int,
    last: int,
    now: int,
    doctor: list[Standing],
    rooms: dict[str, list[Standing]],
) -> list[Free]:
    """All free places of a doctor that begin in a period."""
    if not plan["active"]:
        return []
    taking = [each for each in doctor if each.how in "bhx"]
    found = []
    for session in plan["sessions"]:
        if session["appointment_type_ids"] and type_id not in session["appointment_type_ids"]:
            continue
        for day, begins, ends in occurrences(session, first, last):
            if plan["licence_expires_on"] and day > date.fromisoformat(plan["licence_expires_on"]):
                continue
            within = sum(begins <= each.first < ends for each in taking)
            if session["max_bookings"] is not None and within >= session["max_bookings"]:
                continue
            for start in range(begins, ends - minutes + 1, session["slot_minutes"]):
                left = 0 if start < now else _left(plan, session, range(start, start + minutes), doctor, rooms)
                if first <= start < last and left > 0:
                    found.append(Free(start, start + minutes, session["id"], left))
    return sorted(found)


def _left(
    plan: dict[str, Any],
    session: dict[str, Any],
    place: range,
    doctor: list[Standing],
    rooms: dict[str, list[Standing]],
) -> int:
    """How many can still be booked at a place."""
    taking = [each for each in doctor if each.how in "bhx"]
    if any(_is_shut(minute, plan, session) for minute in place) or _is_full_day(place.start, plan, taking):
        return 0
    if any(_is_in_use(place, rooms.get(room, []), doctor) for room in session["resource_ids"]):
        return 0
    return _places(place, session["capacity"], taking)


def _is_shut(minute: int, plan: dict[str, Any], session: dict[str, Any]) -> bool:
    concerned = {plan["doctor_id"], plan["facility_id"], session["location_id"], *session["resource_ids"]}
    closures = plan["closures"] + plan["facility_closures"]
    return any(
        each["scope_id"] in concerned and minute_of(each["starts_at"]) <= minute < minute_of(each["ends_at"])
        for each in closures
    )


def _is_full_day(start: int, plan: dict[str, Any], taking: list[Standing]) -> bool:
    day = shown(start, plan["zone"])[0]
    return plan["max_per_day"] is not None and (
        sum(shown(each.first, plan["zone"])[0] == day for each in taking) >= plan["max_per_day"]
    )


def _is_in_use(place: range, room: list[Standing], doctor: list[Standing]) -> bool:
    own = {each.id for each in doctor}
    return any(
        each.first <= minute < each.last
        for minute in place for each in room if each.how in "bhx" and each.id not in own
    )  # fmt: skip


def _places(place: range, capacity: int, taking: list[Standing]) -> int:
    used: set[int] = set()
    over: set[str] = set()
    for minute in place:
        for each in taking:
            if each.first <= minute < each.last:
                used.add(each.seat)
                over |= {each.id} if each.how == "x" else set()
    return len(set(range(1, capacity + 1)) - used) - len(over)

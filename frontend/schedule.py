"""A calendar as it is drawn: open hours, what is closed, and appointments, all by the clock of one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.kernel.intervals import Interval, merged, without
from services.kernel.wall_clock import Weekly, day_of

MOST_DAYS: Final = 31
"""So many days are asked for at once; the API takes no more."""
GONE: Final = ("cancelled", "declined", "entered_in_error")
"""What takes no place any more."""
_WHOLE: Final = {"doctor", "facility"}
Drawn = dict[str, Any]


def days(first: date, count: int, *, zone: ZoneInfo) -> Interval:
    """So many calendar days of a place."""
    return Interval(day_of(first, zone=zone).start, day_of(first + timedelta(days=count - 1), zone=zone).end)


def parts(period: Interval) -> Iterator[Interval]:
    """The same time in parts that the API takes."""
    start, step = period.start, timedelta(days=MOST_DAYS)
    while start < period.end:
        end = min(start + step, period.end)
        yield Interval(start, end)
        start = end


def wall(at: datetime, zone: ZoneInfo) -> str:
    """A moment as the clock of a place shows it, without its zone: how the calendar in the browser takes times."""
    return at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def moment_of(local: str, zone: ZoneInfo) -> datetime | None:
    """The moment that a time on the clock of a place means: the first of two; None where this is no time."""
    try:
        found = datetime.fromisoformat(local)
    except ValueError:
        return None
    return (found.replace(tzinfo=zone) if found.tzinfo is None else found).astimezone(UTC)


def backdrop(
    plans: Sequence[Mapping[str, Any]], period: Interval, *, zone: ZoneInfo, location: str = ""
) -> list[Drawn]:
    """When doctors have sessions, and when they or the house are away; behind the appointments.

    location: sessions there only, when it is given.
    """
    made: list[Drawn] = []
    for plan in plans:
        shut, doctor = _closures(plan), str(plan["doctor_id"])
        made += [_behind(each, doctor, "hours", zone) for each in merged(_open(plan, period, shut, location))]
        whole = merged(hours for scope, _, hours in shut if scope in _WHOLE and hours.overlaps(period))
        made += [_behind(each, doctor, "away", zone) for each in whole]
    return made


def drawn(appointment: Mapping[str, Any], *, title: str, more: str, zone: ZoneInfo) -> Drawn:
    """An appointment in the calendar. title, more: what stands in it."""
    starts, ends = (datetime.fromisoformat(str(appointment[name])) for name in ("starts_at", "ends_at"))
    start, end = wall(starts, zone), wall(ends, zone)
    if end <= start:  # the clock was put back over it
        end = (datetime.fromisoformat(start) + (ends - starts)).isoformat(timespec="seconds")
    status, over = str(appointment["status"]), bool(appointment.get("overbook_reason"))
    return {
        "id": appointment["id"],
        "start": start,
        "end": end,
        "resourceIds": [appointment["doctor_id"]],
        "title": title,
        "classNames": ["booked-here", f"is-{status.replace('_', '-')}", *(["is-over"] if over else [])],
        "editable": status == "booked",
        "extendedProps": {"more": more, "version": appointment["version"], "doctor": appointment["doctor_id"]},
    }


def hours_of_day(events: Iterable[Drawn]) -> tuple[str, str]:
    """From when until when the day is drawn: what happens in it and a little more, never less than seven to seven."""
    first, last = time(7), time(19)
    for each in events:
        start, end = (datetime.fromisoformat(each[name]) for name in ("start", "end"))
        if each.get("extendedProps", {}).get("kind") == "away":
            continue
        if start.date() != end.date():
            return "00:00", "24:00"
        first, last = min(first, start.time()), max(last, end.time())
    return f"{first.hour:02}:00", f"{min(24, last.hour + bool(last.minute)):02}:00"


def _open(
    plan: Mapping[str, Any], period: Interval, shut: Sequence[tuple[str, str, Interval]], location: str
) -> Iterator[Interval]:
    for session in plan["sessions"] if plan["active"] else ():
        if location and session["location_id"] != location:
            continue
        beside = {session["location_id"], *session["resource_ids"]}
        taken = [hours for scope, of, hours in shut if scope in _WHOLE or of in beside]
        for _, hours in _weekly(session).within(period):
            yield from without(hours, taken)


def _closures(plan: Mapping[str, Any]) -> list[tuple[str, str, Interval]]:
    return [
        (str(each["scope"]), str(each["scope_id"]), _time(each))
        for each in (*plan["closures"], *plan["facility_closures"])
    ]


def _time(thing: Mapping[str, Any]) -> Interval:
    return Interval(datetime.fromisoformat(str(thing["starts_at"])), datetime.fromisoformat(str(thing["ends_at"])))


def _weekly(session: Mapping[str, Any]) -> Weekly:
    last = session["valid_to"]
    return Weekly(
        weekday=session["weekday"],
        starts=time.fromisoformat(session["starts"]),
        ends=time.fromisoformat(session["ends"]),
        zone=ZoneInfo(session["zone"]),
        first=date.fromisoformat(session["valid_from"]),
        last=date.fromisoformat(last) if last else None,
    )


def _behind(hours: Interval, doctor: str, kind: str, zone: ZoneInfo) -> Drawn:
    return {
        "start": wall(hours.start, zone),
        "end": wall(hours.end, zone),
        "resourceIds": [doctor],
        "display": "background",
        "classNames": [f"has-{kind}"],
        "extendedProps": {"kind": kind},
    }

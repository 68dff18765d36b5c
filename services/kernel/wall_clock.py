"""Times as clocks on a wall show them, and the moments that they mean: days of 23 and 25 hours, weekly hours.

A clock that is put forward skips times, one that is put back shows some twice. Weekly hours are kept by the clock on
the wall: what begins at 09:00 begins at 09:00 on every day. A time that is skipped means the moment at which the clock
was put forward, and a time that comes twice means the first. So neighbouring hours meet on those days too, without a
gap and without an overlap. What a person asks for is not guessed: there such times are refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from services.kernel.intervals import Interval

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_YEAR = timedelta(weeks=54)


class SkippedTime(Exception):
    """The clock never shows this time: it was put forward over it."""


class RepeatedTime(Exception):
    """The clock shows this time twice: it was put back over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """Hours that come every week.

    weekday: 1 is Monday, 7 Sunday (ISO 8601). starts, ends: by the clock on the wall; an end that is not after the
    start is on the next day. first, last: the days between which it holds, both belong to it; no `last`, no end.
    """

    weekday: int
    starts: time
    ends: time
    zone: tzinfo
    first: date
    last: date | None = None

    def on(self, day: date) -> Interval | None:
        """The hours that begin on a day; None when there are none, or the clock skips all of them."""
        if day.isoweekday() != self.weekday or day < self.first or (self.last is not None and day > self.last):
            return None
        until = day if self.ends > self.starts else day + _DAY
        start, end = moment(day, self.starts, zone=self.zone), moment(until, self.ends, zone=self.zone)
        return Interval(start, end) if start < end else None

    def within(self, period: Interval) -> Iterator[tuple[date, Interval]]:
        """The days on which they begin, and the hours of each, that share a moment with a period; in order."""
        day = period.start.astimezone(self.zone).date() - _DAY
        day += timedelta(days=(self.weekday - day.isoweekday()) % 7)
        while day <= period.end.astimezone(self.zone).date():
            hours = self.on(day)
            if hours is not None and hours.overlaps(period):
                yield day, hours
            day += timedelta(weeks=1)


def moment(day: date, at: time, *, zone: tzinfo) -> datetime:
    """The moment in UTC at which the clock of a zone shows a time, as weekly hours are meant.

    Source:  RFC 5545, section 3.3.5, for times that come twice; for skipped ones the moment of the change, so that
             neighbouring hours meet.
    """
    found = datetime.combine(day, at, zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, at):
        return found
    early = datetime.combine(day, at, zone).replace(fold=1).astimezone(UTC)
    return _change(early, found, zone=zone)


def exact(local: datetime, *, zone: tzinfo) -> datetime:
    """The one moment in UTC at which the clock of a zone shows a time.

    Raises:  SkippedTime, RepeatedTime: there is none, or there are two. ValueError: `local` has a zone of its own.
    Source:  PEP 495.
    """
    if local.tzinfo is not None:
        raise ValueError("the time has a zone already")
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) != local:
        raise SkippedTime
    if local.replace(tzinfo=zone, fold=1).astimezone(UTC) != first:
        raise RepeatedTime
    return first


def day_of(day: date, *, zone: tzinfo) -> Interval:
    """A calendar day of a zone, from midnight to midnight: 23, 24 or 25 hours.

    Source: none, plain arithmetic.
    """
    return Interval(moment(day, time(0), zone=zone), moment(day + _DAY, time(0), zone=zone))


def first_clash(one: Weekly, other: Weekly) -> date | None:
    """The first day on which two weekly hours overlap, by the calendar of the first; None when they never do.

    A year is looked at, in which every change of the clocks comes: hours that never met in it do not meet later.

    Source: none, plain arithmetic.
    """
    first = max(one.first, other.first) - _DAY
    lasts = [each.last for each in (one, other) if each.last is not None]
    last = min([*lasts, first + _YEAR]) + _DAY
    if last < first:
        return None
    period = Interval(moment(first, time(0), zone=one.zone), moment(last + _DAY, time(0), zone=one.zone))
    theirs = [hours for _, hours in other.within(period)]
    for day, hours in one.within(period):
        if any(hours.overlaps(each) for each in theirs):
            return day
    return None


def _change(early: datetime, late: datetime, *, zone: tzinfo) -> datetime:
    """The moment between two, to the minute, at which the clock of a zone is changed."""
    before = early.astimezone(zone).utcoffset()
    while late - early > _MINUTE:
        middle = early + (late - early) // 2 // _MINUTE * _MINUTE
        if middle == early:
            break
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late

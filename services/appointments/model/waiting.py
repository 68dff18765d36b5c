"""What waits at a desk: the day as it stands, who is next, and lists of which the first few are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.appointments.model.appointment import Appointment, Status

ON_A_DAY = frozenset({Status.BOOKED, Status.ARRIVED, Status.IN_PROGRESS, Status.COMPLETED, Status.NO_SHOW})
"""What stands in the list of a day: all but what was only asked for, given up, or never should have been made."""
_HERE = frozenset({Status.ARRIVED, Status.IN_PROGRESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day at a moment: the appointments to show, how many there are, how many patients wait, and who is called."""

    shown: Sequence[Appointment]
    total: int
    arrived: int
    next: Appointment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The first few of what waits, and how many there are; is_more: so many were counted, and there are others."""

    first: Sequence[Appointment]
    count: int
    is_more: bool


def day(found: Sequence[Appointment], *, at: datetime, most: int) -> Day:
    """The appointments of a day, by their start, as they stand at a moment.

    A day of at most `most` appointments is shown whole; of a longer one those whose patients are here and those that
    are not over.

    Source:  DECISIONS, D-194.
    """
    shown = (
        found if len(found) <= most else [each for each in found if each.status in _HERE or each.ends_at > at][:most]
    )
    return Day(
        shown=shown,
        total=len(found),
        arrived=sum(each.status is Status.ARRIVED for each in found),
        next=_next(found, at),
    )


def waiting(found: Sequence[Appointment], *, shown: int, counted: int) -> Waiting:
    """The first of a list that was read as far as it is counted, and one more.

    Source: none, plain arithmetic.
    """
    return Waiting(first=found[:shown], count=min(len(found), counted), is_more=len(found) > counted)


def _next(found: Sequence[Appointment], at: datetime) -> Appointment | None:
    """The first who is here, else the first who is to come."""
    here = (each for each in found if each.status is Status.ARRIVED)
    to_come = (each for each in found if each.status is Status.BOOKED and each.ends_at > at)
    return next(here, None) or next(to_come, None)

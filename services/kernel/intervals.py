"""Half-open intervals of time: what is free, what is taken, what overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """From `start`, which belongs to it, to `end`, which does not; both aware, never empty or turned round."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse what has no zone or no length."""
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("an interval has no zone")
        if self.end <= self.start:
            raise ValueError("an interval ends before it begins")

    @property
    def length(self) -> timedelta:
        """How long it is, in elapsed time."""
        return self.end - self.start

    def overlaps(self, other: Interval) -> bool:
        """Whether they share a moment; two that only touch do not."""
        return self.start < other.end and other.start < self.end

    def holds(self, other: Interval) -> bool:
        """Whether all of the other lies in it."""
        return self.start <= other.start and other.end <= self.end


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time in as few intervals as possible, in order; those that touch become one.

    Source: none, plain arithmetic.
    """
    found: list[Interval] = []
    for each in sorted(intervals):
        if found and each.start <= found[-1].end:
            found[-1] = Interval(found[-1].start, max(found[-1].end, each.end))
        else:
            found.append(each)
    return found


def without(interval: Interval, taken: Iterable[Interval]) -> Iterator[Interval]:
    """What is left of an interval when others are taken out of it, in order.

    Source: none, plain arithmetic.
    """
    start = interval.start
    for each in merged(taken):
        if each.end <= start:
            continue
        if each.start >= interval.end:
            break
        if each.start > start:
            yield Interval(start, each.start)
        start = each.end
        if start >= interval.end:
            return
    yield Interval(start, interval.end)

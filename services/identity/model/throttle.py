"""How often a password may be tried: by account, by source and in all, with waits that grow and end by themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from services.kernel.errors import TooMany


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """free: failures in a row without a wait; first, longest: the wait, doubled with each further failure.

    Without a failure for `forgets_after` the count begins anew. most: after so many in a row it is shut for a month,
    to those who come that way. window: failures are counted in it and not in a row, and it ends the wait.
    """

    free: int
    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(hours=1)
    forgets_after: timedelta = timedelta(hours=24)
    most: int | None = None
    window: timedelta | None = None


SHUT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Failures in a row for one account or one source; tries that are still running count as failures."""

    failures: int = 0
    last_at: datetime | None = None
    closed_until: datetime | None = None


def counted(counter: Counter, *, rule: Rule, at: datetime) -> Counter:
    """The counter with one more try. It counts before the password is looked at, so that tries at once gain nothing.

    Raises:  TooMany: the wait is not over; this try is not counted and its password not looked at.
    Source:  NIST SP 800-63B-4, section 3.2.2 (at most 100 failures in a row, waits that grow); for the window OWASP
             Authentication Cheat Sheet (many accounts tried a little each).
    """
    if counter.closed_until is not None and at < counter.closed_until:
        raise TooMany(retry_after_s=max(1, ceil((counter.closed_until - at).total_seconds())))
    if rule.window is not None:
        return _in_window(counter, rule, rule.window, at)
    is_old = counter.last_at is not None and at - counter.last_at > rule.forgets_after
    failures = 1 if is_old else counter.failures + 1
    return Counter(failures=failures, last_at=at, closed_until=_closed_until(failures, rule, at))


def given_back(counter: Counter, *, rule: Rule) -> Counter:
    """The counter without one try that turned out right.

    Source:  none, plain arithmetic.
    """
    failures = max(0, counter.failures - 1)
    return replace(counter, failures=failures, closed_until=counter.closed_until if failures >= rule.free else None)


def _in_window(counter: Counter, rule: Rule, window: timedelta, at: datetime) -> Counter:
    """`last_at` is the beginning of the window here."""
    began = counter.last_at
    if began is None or at >= began + window:
        return Counter(failures=1, last_at=at)
    failures = counter.failures + 1
    return Counter(failures=failures, last_at=began, closed_until=began + window if failures >= rule.free else None)


def _closed_until(failures: int, rule: Rule, at: datetime) -> datetime | None:
    if failures < rule.free:
        return None
    if rule.most is not None and failures >= rule.most:
        return at + SHUT
    doublings = min(failures - rule.free, 30)
    return at + min(rule.first * float(2**doublings), rule.longest)

"""The times that people send: moments with an offset, or times on the facility's clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.appointments.model.errors import TimeInvalid
from services.kernel.errors import FieldError
from services.kernel.intervals import Interval
from services.kernel.wall_clock import RepeatedTime, SkippedTime, exact

MINUTE = timedelta(minutes=1)
_FIRST, _LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9990, 1, 1, tzinfo=UTC)
"""Between them every zone can show a moment, and weeks can be added to it; the store counts minutes from 1970."""


def is_given(body: Mapping[str, Any]) -> bool:
    """Whether a body names a time at all.

    Source: none, plain arithmetic.
    """
    return "starts_at" in body or "starts_local" in body


def read_start(body: Mapping[str, Any], *, zone: ZoneInfo) -> datetime:
    """The start that is meant, in UTC: `starts_at` with an offset, or `starts_local` on the clock of a zone.

    Raises:  TimeInvalid: both or none are given, it is not a whole minute, the clock skips it or shows it twice.
    Source:  RFC 3339; PEP 495 for times that come twice.
    """
    if ("starts_at" in body) == ("starts_local" in body):
        raise TimeInvalid(errors=[FieldError("one_of_starts_at_and_starts_local", pointer="/starts_at")])
    if "starts_at" in body:
        return whole_minute(body["starts_at"], pointer="/starts_at")
    try:
        return _near(exact(datetime.fromisoformat(body["starts_local"]), zone=zone))
    except SkippedTime:
        raise _wrong("skipped_time", "/starts_local") from None
    except RepeatedTime:
        raise _wrong("repeated_time", "/starts_local") from None
    except (ValueError, OverflowError):
        raise _wrong("format", "/starts_local") from None


def whole_minute(text: str, *, pointer: str | None = None, parameter: str | None = None) -> datetime:
    """A moment in UTC.

    Raises:  TimeInvalid: not a moment of this calendar, or not a whole minute.
    Source:  RFC 3339.
    """
    try:
        found = _near(datetime.fromisoformat(text).astimezone(UTC))
    except (ValueError, OverflowError):
        raise TimeInvalid(errors=[FieldError("format", pointer=pointer, parameter=parameter)]) from None
    if found.second or found.microsecond:
        raise TimeInvalid(errors=[FieldError("whole_minutes", pointer=pointer, parameter=parameter)])
    return found


def period(start: str | None, end: str | None, *, at: datetime, usual: timedelta, longest: timedelta) -> Interval:
    """The period that a list is asked for: from now on, and so long as is usual, where nothing is said.

    Raises:  TimeInvalid: it ends before it begins, or is longer than it may be.
    Source: none, plain arithmetic.
    """
    begins = at if start is None else whole_minute(start, parameter="since")
    ends = begins + usual if end is None else whole_minute(end, parameter="until")
    if ends <= begins:
        raise TimeInvalid(errors=[FieldError("not_after_since", parameter="until")])
    if ends - begins > longest:
        raise TimeInvalid(errors=[FieldError("period_too_long", parameter="until")])
    return Interval(begins, ends)


def minutes_of(at: datetime) -> int:
    """Whole minutes since 1970: the form in which the store counts.

    Source: none, plain arithmetic.
    """
    return int(at.timestamp()) // 60


def moment_of(minutes: int) -> datetime:
    """The moment of a number of minutes since 1970.

    Source: none, plain arithmetic.
    """
    return datetime.fromtimestamp(minutes * 60, UTC)


def _near(at: datetime) -> datetime:
    if not _FIRST <= at < _LAST:
        raise OverflowError
    return at


def _wrong(rule: str, pointer: str) -> TimeInvalid:
    return TimeInvalid(errors=[FieldError(rule, pointer=pointer)])

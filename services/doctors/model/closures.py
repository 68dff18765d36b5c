"""When a doctor is away, and when a facility, a location, a room or a device is closed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.doctors.model.records import following, refuse
from services.kernel.errors import FieldError, Invalid
from services.kernel.intervals import Interval
from services.kernel.wall_clock import RepeatedTime, SkippedTime, exact

LONGEST: Final = timedelta(days=400)
MOST: Final = 1000
"""Closures of one plan that are not over: as many as a plan holds."""
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """When a doctor is away, at every facility."""

    id: UUID
    doctor_id: UUID
    starts_at: datetime
    ends_at: datetime
    reason: str | None = None
    is_removed: bool = False
    version: int = 1
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """When something of a facility is closed: all of it, a location, a room or a device."""

    id: UUID
    facility_id: UUID
    scope: str
    scope_id: UUID
    starts_at: datetime
    ends_at: datetime
    reason: str | None = None
    is_removed: bool = False
    version: int = 1
    created_at: datetime
    changed_at: datetime


def leave(body: Mapping[str, Any], *, id: UUID, doctor_id: UUID, period: Interval, at: datetime) -> Leave:  # noqa: A002
    """New leave of a doctor.

    Source: none, plain arithmetic.
    """
    return Leave(
        id=id,
        doctor_id=doctor_id,
        starts_at=period.start,
        ends_at=period.end,
        reason=body.get("reason"),
        created_at=at,
        changed_at=at,
    )


def closure(body: Mapping[str, Any], *, id: UUID, facility_id: UUID, period: Interval, at: datetime) -> Closure:  # noqa: A002
    """A new closure of something at a facility.

    Raises:  Invalid: it does not say of what.
    Source: none, plain arithmetic.
    """
    return Closure(
        id=id,
        facility_id=facility_id,
        scope=body["scope"],
        scope_id=closed_id(body, facility_id=facility_id),
        starts_at=period.start,
        ends_at=period.end,
        reason=body.get("reason"),
        created_at=at,
        changed_at=at,
    )


def closed_id(body: Mapping[str, Any], *, facility_id: UUID) -> UUID:
    """What a body says is to be closed.

    Raises:  Invalid: nothing, or another facility.
    Source: none, plain arithmetic.
    """
    if body["scope"] == "facility":
        if body.get("scope_id", str(facility_id)) != str(facility_id):
            raise refuse("other_facility", "/scope_id")
        return facility_id
    if "scope_id" not in body:
        raise refuse("required", "/scope_id")
    return UUID(body["scope_id"])


def removed_leave(now: Leave, *, at: datetime) -> Leave:
    """Leave that was taken back.

    Source: none, plain arithmetic.
    """
    return following(now, dataclasses.replace(now, is_removed=True), at=at)


def removed_closure(now: Closure, *, at: datetime) -> Closure:
    """A closure that was taken back.

    Source: none, plain arithmetic.
    """
    return following(now, dataclasses.replace(now, is_removed=True), at=at)


def period(body: Mapping[str, Any], *, zone: ZoneInfo | None, at: datetime) -> Interval:
    """The time that a body means, as moments or by the clock of a zone.

    zone: whose clock is meant; None when the body does not say.
    Raises:  Invalid: no such time, or one that cannot be closed.
    Source:  DECISIONS, D-44.
    """
    ending = _ending(body)
    if ending == "local" and zone is None:
        raise refuse("required", "/facility_id")
    start, end = (_moment(body, f"{name}_{ending}", zone=zone) for name in ("starts", "ends"))
    pointer = f"/ends_{ending}"
    for broken, rule in (
        (end <= start, "after_start"),
        (end > _LATEST, "out_of_range"),
        (end <= at, "not_all_past"),
        (end - start > LONGEST, "at_most_400_days"),
    ):
        if broken:
            raise refuse(rule, pointer)
    return Interval(start, end)


def _ending(body: Mapping[str, Any]) -> str:
    """Whether moments or times of a clock are given: both of one kind, and none of the other."""
    given = {name for name in ("starts_at", "ends_at", "starts_local", "ends_local") if name in body}
    ending = "local" if given & {"starts_local", "ends_local"} else "at"
    wanted = {f"starts_{ending}", f"ends_{ending}"}
    errors = [FieldError(rule="required", pointer=f"/{name}") for name in sorted(wanted - given)]
    errors += [FieldError(rule="not_with_local", pointer=f"/{name}") for name in sorted(given - wanted)]
    if errors:
        raise Invalid(errors=errors)
    return ending


def _moment(body: Mapping[str, Any], name: str, *, zone: ZoneInfo | None) -> datetime:
    pointer = f"/{name}"
    try:
        given = datetime.fromisoformat(body[name])
        if given.tzinfo is not None:
            return given.astimezone(UTC)
        if zone is not None:
            return exact(given, zone=zone)
    except SkippedTime:
        raise refuse("skipped_time", pointer) from None
    except RepeatedTime:
        raise refuse("repeated_time", pointer) from None
    except (ValueError, OverflowError):
        raise refuse("format", pointer) from None
    raise refuse("format", pointer)

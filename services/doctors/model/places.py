"""What is known of a facility or a location: that it is there, whose it is, and the time on its clocks."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from services.doctors.model.listed import Resource
from services.doctors.model.records import refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A facility, or a location of one, as `identity` said last."""

    id: UUID
    facility_id: UUID
    zone: str
    is_active: bool
    version: int


_Anything = TypeVar("_Anything", Place, Resource)


def place(said: Mapping[str, Any], *, id: UUID, version: int) -> Place:  # noqa: A002 - the field's name
    """A place from what `identity` says of it; a facility is its own.

    Source: none, plain arithmetic.
    """
    return Place(
        id=id,
        facility_id=UUID(str(said.get("facility_id", id))),
        zone=str(said["zone"]),
        is_active=bool(said["active"]),
        version=version,
    )


def clock(zone: str, *, pointer: str) -> ZoneInfo:
    """The zone by its name.

    Raises:  Invalid: the time zone database has no such zone.
    Source:  IANA Time Zone Database (RFC 6557).
    """
    try:
        return ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise refuse("unknown_zone", pointer) from None


def usable(found: Place | None, *, facility_id: UUID, pointer: str) -> Place:
    """A place that may be planned for: it is there, open, and of the facility.

    Raises:  Invalid.
    Source: none, plain arithmetic.
    """
    place = _in_use(found, facility_id=facility_id, pointer=pointer)
    clock(place.zone, pointer=pointer)
    return place


def ensure_usable_resources(wanted: tuple[UUID, ...], known: Mapping[UUID, Resource], *, facility_id: UUID) -> None:
    """Let only rooms and devices through that are in use at the facility.

    Raises:  Invalid.
    Source: none, plain arithmetic.
    """
    for number, each in enumerate(wanted):
        _in_use(known.get(each), facility_id=facility_id, pointer=f"/resource_ids/{number}")


def _in_use(found: _Anything | None, *, facility_id: UUID, pointer: str) -> _Anything:
    if found is None:
        raise refuse("unknown", pointer)
    if found.facility_id != facility_id:
        raise refuse("other_facility", pointer)
    if not found.is_active:
        raise refuse("closed", pointer)
    return found

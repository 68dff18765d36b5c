"""Facilities, their locations with a time zone, and departments."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from services.kernel.errors import Conflict, FieldError, Invalid, NotFound
from services.kernel.events import Event


class UnknownPlace(NotFound):
    """No facility, location or department has this id."""


class NameTaken(Conflict):
    """A neighbour has this name; two places of one name are mistaken for each other."""

    code = "name_taken"
    title = "This name is taken"


class FacilityClosed(Conflict):
    """A closed facility gets no new places."""

    code = "facility_closed"
    title = "The facility is closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """A site of the hospital. `zone` is the IANA name of the time on its clocks, `phone` the number to call it by."""

    id: UUID
    name: str
    zone: str
    created_at: datetime
    changed_at: datetime
    phone: str | None = None
    is_active: bool = True
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A building or ward of a facility, with the time on its own clocks."""

    id: UUID
    facility_id: UUID
    name: str
    zone: str
    created_at: datetime
    changed_at: datetime
    is_active: bool = True
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A department of a facility, and where it is found."""

    id: UUID
    facility_id: UUID
    name: str
    created_at: datetime
    changed_at: datetime
    location_id: UUID | None = None
    is_active: bool = True
    version: int = 1


Place = Facility | Location | Department
P = TypeVar("P", Facility, Location, Department)


def comparable(name: str) -> str:
    """The form in which names of places are compared: without case, doubled blanks and ways of writing one sign.

    Source:  Unicode Standard, section 3.13, caseless matching; UAX 15 (NFKC).
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def known_zone(zone: str, *, zones: frozenset[str], pointer: str = "/zone") -> str:
    """The zone, when the time zone database has it.

    Raises:  Invalid.
    Source:  IANA Time Zone Database (RFC 6557).
    """
    if zone not in zones:
        raise Invalid(errors=[FieldError("unknown_zone", pointer=pointer)])
    return zone


def facility(*, place_id: UUID, body: Mapping[str, Any], zones: frozenset[str], at: datetime) -> Facility:
    """A new facility.

    Raises:  Invalid: unknown zone.
    Source:  none, plain arithmetic.
    """
    zone = known_zone(body["zone"], zones=zones)
    name, phone = body["name"].strip(), body.get("phone")
    return Facility(id=place_id, name=name, zone=zone, phone=phone, created_at=at, changed_at=at)


def location(
    *, place_id: UUID, body: Mapping[str, Any], within: Facility, zones: frozenset[str], at: datetime
) -> Location:
    """A new location; without a zone of its own it has the facility's.

    Raises:  Invalid: unknown zone. FacilityClosed.
    Source:  none, plain arithmetic.
    """
    refuse_closed(within)
    zone = known_zone(body.get("zone", within.zone), zones=zones)
    return Location(
        id=place_id, facility_id=within.id, name=body["name"].strip(), zone=zone, created_at=at, changed_at=at
    )


def department(
    *, place_id: UUID, body: Mapping[str, Any], within: Facility, found_at: Location | None, at: datetime
) -> Department:
    """A new department; its location is one of the same facility.

    Raises:  Invalid: a location of elsewhere. FacilityClosed.
    Source:  none, plain arithmetic.
    """
    refuse_closed(within)
    return Department(
        id=place_id,
        facility_id=within.id,
        name=body["name"].strip(),
        location_id=_within(found_at, facility_id=within.id),
        created_at=at,
        changed_at=at,
    )


def changed_facility(now: Facility, *, change: Mapping[str, Any], zones: frozenset[str], at: datetime) -> Facility:
    """The facility with another name, zone or telephone number, closed, or open again.

    Raises:  Invalid: unknown zone.
    Source:  none, plain arithmetic.
    """
    zone = known_zone(change.get("zone", now.zone), zones=zones)
    return _next(now, _named(replace(now, zone=zone, phone=change.get("phone", now.phone)), change), at=at)


def changed_location(now: Location, *, change: Mapping[str, Any], zones: frozenset[str], at: datetime) -> Location:
    """The location with another name or zone, closed, or open again.

    Raises:  Invalid: unknown zone.
    Source:  none, plain arithmetic.
    """
    zone = known_zone(change.get("zone", now.zone), zones=zones)
    return _next(now, _named(replace(now, zone=zone), change), at=at)


def changed_department(
    now: Department, *, change: Mapping[str, Any], found_at: Location | None, at: datetime
) -> Department:
    """The department with another name or location, closed, or open again.

    Raises:  Invalid: a location of elsewhere.
    Source:  none, plain arithmetic.
    """
    where = _within(found_at, facility_id=now.facility_id) if "location_id" in change else now.location_id
    return _next(now, _named(replace(now, location_id=where), change), at=at)


def refuse_closed(within: Facility) -> None:
    """Refuse new places in a closed facility.

    Raises:  FacilityClosed.
    Source:  none, plain arithmetic.
    """
    if not within.is_active:
        raise FacilityClosed


def state(place: Place) -> dict[str, Any]:
    """What the history of a place keeps of one version.

    Source:  none, plain arithmetic.
    """
    values = {each.name: getattr(place, each.name) for each in fields(place) if each.name not in {"id", "version"}}
    return {name: value if isinstance(value, bool | None) else _text(value) for name, value in values.items()}


def event(name: str, *, place: Place) -> Event:
    """What happened to a place, for other services: ids, and the zone where it has one.

    Source:  none, plain arithmetic.
    """
    data: dict[str, object] = {f"{type(place).__name__.lower()}_id": str(place.id), "active": place.is_active}
    if not isinstance(place, Facility):
        data["facility_id"] = str(place.facility_id)
    if not isinstance(place, Department):
        data["zone"] = place.zone
    return Event(type=f"identity.{name}.v1", subject=str(place.id), version=place.version, data=data)


def _within(found_at: Location | None, *, facility_id: UUID) -> UUID | None:
    if found_at is not None and found_at.facility_id != facility_id:
        raise Invalid(errors=[FieldError("other_facility", pointer="/location_id")])
    return None if found_at is None else found_at.id


def _named(place: P, change: Mapping[str, Any]) -> P:
    name = change.get("name", place.name).strip()
    return replace(place, name=name, is_active=change.get("active", place.is_active))


def _next(now: P, fresh: P, *, at: datetime) -> P:
    return now if fresh == now else replace(fresh, version=now.version + 1, changed_at=at)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

"""The managed lists: specializations, appointment types, rooms and devices."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.doctors.model.errors import TooMany
from services.doctors.model.records import following
from services.kernel.errors import FieldError, Invalid
from services.kernel.events import Event

MOST_TYPES: Final = 500
"""Appointment types in use: as many as a plan holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Specialization:
    """What a doctor can be a specialist in."""

    id: UUID
    name: str
    is_active: bool = True
    version: int = 1
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentType:
    """What can be booked. Without specializations every doctor may do it; `preparation` is for the patient to read."""

    id: UUID
    name: str
    minutes: int
    color: str
    preparation: str | None = None
    audience: str
    specialization_ids: tuple[UUID, ...] = ()
    is_active: bool = True
    version: int = 1
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A room or a device of a facility; one that goes around has no location."""

    id: UUID
    kind: str
    name: str
    facility_id: UUID
    location_id: UUID | None = None
    is_active: bool = True
    version: int = 1
    created_at: datetime
    changed_at: datetime


def specialization(body: Mapping[str, Any], *, id: UUID, at: datetime) -> Specialization:  # noqa: A002 - the field's name
    """A new specialization.

    Source: none, plain arithmetic.
    """
    return Specialization(id=id, name=body["name"].strip(), created_at=at, changed_at=at)


def changed_specialization(now: Specialization, change: Mapping[str, Any], *, at: datetime) -> Specialization:
    """The specialization with another name, in use or not.

    Source: none, plain arithmetic.
    """
    fresh = dataclasses.replace(
        now, name=change.get("name", now.name).strip(), is_active=change.get("active", now.is_active)
    )
    return following(now, fresh, at=at)


def appointment_type(body: Mapping[str, Any], *, id: UUID, at: datetime) -> AppointmentType:  # noqa: A002
    """A new appointment type.

    Source: none, plain arithmetic.
    """
    return AppointmentType(
        id=id,
        name=body["name"].strip(),
        minutes=body["minutes"],
        color=body["color"],
        preparation=body.get("preparation"),
        audience=body["audience"],
        specialization_ids=ids(body.get("specialization_ids", ())),
        created_at=at,
        changed_at=at,
    )


def changed_type(now: AppointmentType, change: Mapping[str, Any], *, at: datetime) -> AppointmentType:
    """The appointment type as a change leaves it; what is booked keeps its length.

    Source: none, plain arithmetic.
    """
    fresh = dataclasses.replace(
        now,
        name=change.get("name", now.name).strip(),
        minutes=change.get("minutes", now.minutes),
        color=change.get("color", now.color),
        preparation=change.get("preparation", now.preparation),
        audience=change.get("audience", now.audience),
        specialization_ids=ids(change.get("specialization_ids", now.specialization_ids)),
        is_active=change.get("active", now.is_active),
    )
    return following(now, fresh, at=at)


def resource(body: Mapping[str, Any], *, id: UUID, at: datetime) -> Resource:  # noqa: A002
    """A new room or device.

    Source: none, plain arithmetic.
    """
    return Resource(
        id=id,
        kind=body["kind"],
        name=body["name"].strip(),
        facility_id=UUID(body["facility_id"]),
        location_id=maybe_id(body.get("location_id")),
        created_at=at,
        changed_at=at,
    )


def changed_resource(now: Resource, change: Mapping[str, Any], *, at: datetime) -> Resource:
    """The room or device with another name or place, in use or not.

    Source: none, plain arithmetic.
    """
    fresh = dataclasses.replace(
        now,
        name=change.get("name", now.name).strip(),
        location_id=maybe_id(change.get("location_id", now.location_id)),
        is_active=change.get("active", now.is_active),
    )
    return following(now, fresh, at=at)


def ensure_known(
    body: Mapping[str, Any],
    field: str,
    known: Mapping[UUID, Specialization] | Mapping[UUID, AppointmentType],
    *,
    had: Sequence[UUID] = (),
) -> None:
    """Let only those through that are there, and in use unless the record had them before.

    Raises:  Invalid: names each of the others by its place.
    Source: none, plain arithmetic.
    """
    errors = []
    for number, each in enumerate(body.get(field, ())):
        found = known.get(UUID(each))
        if found is None or not (found.is_active or found.id in had):
            rule = "unknown" if found is None else "out_of_use"
            errors.append(FieldError(rule=rule, pointer=f"/{field}/{number}"))
    if errors:
        raise Invalid(errors=errors)


def wanted(body: Mapping[str, Any], field: str) -> list[UUID]:
    """The ids that a body names in a list.

    Source: none, plain arithmetic.
    """
    return [UUID(each) for each in body.get(field, ())]


def ids(given: Any) -> tuple[UUID, ...]:
    """Ids as a body has them, in one order.

    Source: none, plain arithmetic.
    """
    return tuple(sorted(UUID(str(each)) for each in given))


def maybe_id(given: object) -> UUID | None:
    """An id, where there is one.

    Source: none, plain arithmetic.
    """
    return None if given is None else UUID(str(given))


def ensure_room(in_use: Sequence[AppointmentType], fresh: AppointmentType) -> None:
    """Keep the types in use as few as a plan can hold.

    Raises:  TooMany.
    Source: none, plain arithmetic.
    """
    if fresh.is_active and sum(each.id != fresh.id for each in in_use) >= MOST_TYPES:
        raise TooMany


def specialization_event(record: Specialization, *, is_deleted: bool = False) -> Event:
    """That a specialization was made, changed or deleted.

    Source: none, plain arithmetic.
    """
    active = record.is_active and not is_deleted
    version = record.version + is_deleted
    return Event(
        type="doctors.specialization_changed.v1", subject=str(record.id), version=version, data={"active": active}
    )


def type_event(record: AppointmentType, *, doctor_id: UUID | None = None) -> Event:
    """That an appointment type was made or changed, or how long it takes with one doctor.

    Source: none, plain arithmetic.
    """
    data: dict[str, object] = {"active": record.is_active}
    if doctor_id is not None:
        data["doctor_id"] = str(doctor_id)
    return Event(type="doctors.type_changed.v1", subject=str(record.id), version=record.version, data=data)

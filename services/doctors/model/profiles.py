"""Profiles of doctors and their photos."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from services.doctors.model.errors import AccountTaken, AlreadyActive, AlreadyInactive, LicenceTaken
from services.doctors.model.listed import ids, maybe_id
from services.doctors.model.records import differing, following, refuse
from services.kernel.events import Event

LARGEST_PHOTO: Final = 512 * 1024
_FIRST_BYTES: Final = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
# What a plan says of the doctor; a change of any of these is a change of every plan.
_IN_PLANS = ("licence_expires_on", "specialization_ids", "max_per_day", "is_active")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """A doctor of the house. `user_id` is the account with which the doctor signs in."""

    id: UUID
    family_name: str
    given_name: str
    title: str | None = None
    licence_number: str
    licence_authority: str
    licence_expires_on: date | None = None
    languages: tuple[str, ...] = ()
    phone: str | None = None
    email: str | None = None
    department_ids: tuple[UUID, ...] = ()
    specialization_ids: tuple[UUID, ...] = ()
    max_per_day: int | None = None
    user_id: UUID | None = None
    is_active: bool = True
    version: int = 1
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A picture of a doctor."""

    doctor_id: UUID
    media_type: str
    data: bytes
    changed_at: datetime


def comparable_licence(number: str) -> str:
    """The form in which licence numbers are compared: without case, blanks and the signs between groups.

    Source:  DECISIONS, D-45.
    """
    return "".join(each for each in number.casefold() if each.isalnum())


def claims(doctor: Doctor) -> dict[str, type[LicenceTaken | AccountTaken]]:
    """What belongs to one doctor only: keys, and the rule that each breaks when another has it.

    Source:  DECISIONS, D-45.
    """
    found: dict[str, type[LicenceTaken | AccountTaken]] = {
        f"licence {comparable_licence(doctor.licence_number)}": LicenceTaken
    }
    if doctor.user_id is not None:
        found[f"account {doctor.user_id}"] = AccountTaken
    return found


def create(body: Mapping[str, Any], *, id: UUID, at: datetime) -> Doctor:  # noqa: A002 - the field's name
    """The first version of a profile.

    Source: none, plain arithmetic.
    """
    licence = body["licence"]
    blank = Doctor(
        id=id,
        family_name=body["family_name"].strip(),
        given_name=body["given_name"].strip(),
        licence_number=licence["number"],
        licence_authority=licence["authority"].strip(),
        created_at=at,
        changed_at=at,
    )
    return _filled(blank, body)


def changed(now: Doctor, change: Mapping[str, Any], *, at: datetime) -> Doctor:
    """The profile as a change leaves it; the same version when nothing differs.

    Source:  RFC 7396.
    """
    return following(now, _filled(now, change), at=at)


def deactivated(now: Doctor, *, at: datetime) -> Doctor:
    """The doctor out of service.

    Raises:  AlreadyInactive.
    Source: none, plain arithmetic.
    """
    if not now.is_active:
        raise AlreadyInactive
    return following(now, dataclasses.replace(now, is_active=False), at=at)


def activated(now: Doctor, *, at: datetime) -> Doctor:
    """The doctor in service again.

    Raises:  AlreadyActive.
    Source: none, plain arithmetic.
    """
    if now.is_active:
        raise AlreadyActive
    return following(now, dataclasses.replace(now, is_active=True), at=at)


def touches_plans(before: Doctor, after: Doctor) -> bool:
    """Whether a change of the profile is one of the doctor's plans.

    Source:  DECISIONS, D-41.
    """
    return any(getattr(before, name) != getattr(after, name) for name in _IN_PLANS)


def photo(body: Mapping[str, Any], *, doctor_id: UUID, at: datetime) -> Photo:
    """A photo, when it is one: of the kind that it says, by its first bytes, and not too large.

    Raises:  Invalid: at /data.
    Source:  ISO/IEC 10918-1 (SOI and the marker after it); W3C PNG, section 5.2.
    """
    try:
        data = base64.b64decode(body["data"], validate=True)
    except (binascii.Error, ValueError):
        raise refuse("base64", "/data") from None
    if len(data) > LARGEST_PHOTO:
        raise refuse("too_large", "/data")
    if not data.startswith(_FIRST_BYTES[body["media_type"]]):
        raise refuse("not_an_image", "/data")
    return Photo(doctor_id=doctor_id, media_type=body["media_type"], data=data, changed_at=at)


def events(before: Doctor | None, after: Doctor) -> list[Event]:
    """What has happened to a profile.

    Source: none, plain arithmetic.
    """
    if before is None:
        return [_event("doctors.created.v1", after)]
    found = []
    if before.is_active != after.is_active:
        found.append(_event("doctors.activated.v1" if after.is_active else "doctors.deactivated.v1", after))
    fields = [name for name in differing(before, after) if name != "active"]
    return [*found, _event("doctors.changed.v1", after, fields=fields)] if fields else found


def _filled(doctor: Doctor, body: Mapping[str, Any]) -> Doctor:
    licence, contacts = body.get("licence", {}), body.get("contacts", {})
    expires = licence.get("expires_on", doctor.licence_expires_on)
    title = body.get("title", doctor.title)
    return dataclasses.replace(
        doctor,
        family_name=body.get("family_name", doctor.family_name).strip(),
        given_name=body.get("given_name", doctor.given_name).strip(),
        title=None if title is None else title.strip(),
        licence_number=licence.get("number", doctor.licence_number),
        licence_authority=licence.get("authority", doctor.licence_authority).strip(),
        licence_expires_on=date.fromisoformat(expires) if isinstance(expires, str) else expires,
        languages=tuple(body.get("languages", doctor.languages)),
        phone=contacts.get("phone", doctor.phone),
        email=contacts.get("email", doctor.email),
        department_ids=ids(body.get("department_ids", doctor.department_ids)),
        specialization_ids=ids(body.get("specialization_ids", doctor.specialization_ids)),
        max_per_day=body.get("max_per_day", doctor.max_per_day),
        user_id=maybe_id(body.get("user_id", doctor.user_id)),
    )


def _event(type: str, doctor: Doctor, **data: object) -> Event:  # noqa: A002 - the envelope's word
    return Event(type=type, subject=str(doctor.id), version=doctor.version, data=data)

"""What figures are made of: how appointments stand, and what doctors do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo


class Status(StrEnum):
    """Where an appointment is on its way, as `appointments` says."""

    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    NO_SHOW = "no_show"
    ENTERED_IN_ERROR = "entered_in_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """How one appointment stands, without its patient.

    zone: what clocks show where it takes place. is_late: it was cancelled late; never so of another status.
    """

    id: UUID
    facility_id: UUID
    doctor_id: UUID
    location_id: UUID
    appointment_type_id: UUID
    status: Status
    starts_at: datetime
    ends_at: datetime
    zone: str
    is_late: bool
    changed_at: datetime
    version: int

    @property
    def day(self) -> date:
        """The day on which it starts, by the clocks where it takes place."""
        return self.starts_at.astimezone(ZoneInfo(self.zone)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """What figures need of a doctor. `user_id` is the account with which the doctor signs in."""

    id: UUID
    name: str
    user_id: UUID | None
    specialization_ids: tuple[UUID, ...]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Specialization:
    """A specialization; one that was deleted stays as a mark, so that late news cannot bring it back."""

    id: UUID
    name: str
    version: int
    is_deleted: bool = False


def told(data: Mapping[str, Any], *, id: UUID, version: int, at: datetime) -> Appointment | None:  # noqa: A002 - the field's name
    """How an appointment stands by an event; None when the event does not say where and when it ends.

    Source:  DECISIONS, D-60.
    """
    if not {"zone", "location_id", "ends_at"} <= data.keys():
        return None
    return _appointment({**data, "id": str(id)}, is_late=bool(data.get("late")), at=at, version=version)


def stated(body: Mapping[str, Any]) -> Appointment:
    """How an appointment stands by an answer of `appointments`.

    Source:  DECISIONS, D-60.
    """
    at = datetime.fromisoformat(body["changed_at"]).astimezone(UTC)
    return _appointment(body, is_late=bool(body["late_cancelled"]), at=at, version=body["version"])


def doctor(body: Mapping[str, Any]) -> Doctor:
    """A doctor by an answer of `doctors`.

    Source: none, plain arithmetic.
    """
    words = (body["title"], body["given_name"], body["family_name"])
    return Doctor(
        id=UUID(body["id"]),
        name=" ".join(each for each in words if each),
        user_id=None if body["user_id"] is None else UUID(body["user_id"]),
        specialization_ids=tuple(sorted(UUID(each) for each in body["specialization_ids"])),
        version=body["version"],
    )


def specialization(body: Mapping[str, Any]) -> Specialization:
    """A specialization by an answer of `doctors`.

    Source: none, plain arithmetic.
    """
    return Specialization(id=UUID(body["id"]), name=body["name"], version=body["version"])


def _appointment(body: Mapping[str, Any], *, is_late: bool, at: datetime, version: int) -> Appointment:
    status = Status(body["status"])
    return Appointment(
        id=UUID(body["id"]),
        facility_id=UUID(body["facility_id"]),
        doctor_id=UUID(body["doctor_id"]),
        location_id=UUID(body["location_id"]),
        appointment_type_id=UUID(body["appointment_type_id"]),
        status=status,
        starts_at=datetime.fromisoformat(body["starts_at"]).astimezone(UTC),
        ends_at=datetime.fromisoformat(body["ends_at"]).astimezone(UTC),
        zone=body["zone"],
        is_late=is_late and status is Status.CANCELLED,
        changed_at=at,
        version=version,
    )

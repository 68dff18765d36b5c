"""What has happened to an appointment, as its event tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.notifications.model.words import Topic

TOPICS: Final[Mapping[str, Topic]] = {
    "appointments.booked.v1": Topic.BOOKED,
    "appointments.rescheduled.v1": Topic.MOVED,
    "appointments.cancelled.v1": Topic.CANCELLED,
    "appointments.declined.v1": Topic.DECLINED,
}
_MAY_LACK = ("ends_at", "zone", "location_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """As much of an appointment as messages say, in one of its versions. Times in UTC; `zone` is that of the place."""

    id: UUID
    version: int
    facility_id: UUID
    location_id: UUID
    patient_id: UUID
    doctor_id: UUID
    type_id: UUID
    starts_at: datetime
    ends_at: datetime
    zone: str
    was_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event about one appointment. id: that of the event, once for each; at: when it happened."""

    id: UUID
    topic: Topic
    at: datetime
    appointment: Appointment

    @property
    def is_past(self) -> bool:
        """Whether the appointment had begun when it happened: what is entered afterwards is news to nobody."""
        return self.appointment.starts_at <= self.at

    @property
    def next_start(self) -> datetime:
        """When somebody who is not told would come next: of a moved appointment perhaps at the old time."""
        starts_at, was_at = self.appointment.starts_at, self.appointment.was_at
        return min(starts_at, was_at) if was_at is not None and was_at > self.at else starts_at


def is_whole(data: Mapping[str, Any]) -> bool:
    """Whether an event says all that is needed; those of older senders leave out where it is and when it ends.

    Source: none, plain arithmetic.
    """
    return all(name in data for name in _MAY_LACK)


def happening(
    topic: Topic,
    data: Mapping[str, Any],
    *,
    event_id: UUID,
    at: datetime,
    appointment_id: UUID,
    version: int,
    asked: Mapping[str, Any] | None = None,
) -> Happening:
    """What an event says; `asked` is the appointment as its service has it now, for what the event leaves out.

    The length is kept when the appointment was moved since.

    Source: none, plain arithmetic.
    """
    starts_at = _moment(data["starts_at"])
    more = data if asked is None else {**_lacking(asked, starts_at=starts_at), **data}
    return Happening(
        id=event_id,
        topic=topic,
        at=at,
        appointment=Appointment(
            id=appointment_id,
            version=version,
            facility_id=UUID(data["facility_id"]),
            location_id=UUID(more["location_id"]),
            patient_id=UUID(data["patient_id"]),
            doctor_id=UUID(data["doctor_id"]),
            type_id=UUID(data["appointment_type_id"]),
            starts_at=starts_at,
            ends_at=_moment(more["ends_at"]),
            zone=more["zone"],
            was_at=_moment(data["previous_starts_at"]) if "previous_starts_at" in data else None,
        ),
    )


def _lacking(asked: Mapping[str, Any], *, starts_at: datetime) -> dict[str, Any]:
    length: timedelta = _moment(asked["ends_at"]) - _moment(asked["starts_at"])
    return {"ends_at": (starts_at + length).isoformat(), "zone": asked["zone"], "location_id": asked["location_id"]}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)

"""An appointment, its status, and the moves that its status allows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.appointments.model.errors import IllegalMove
from services.appointments.model.reach import Acting
from services.kernel.intervals import Interval


class Status(StrEnum):
    """Where an appointment is on its way.

    Source:  HL7 FHIR R4, AppointmentStatus; `in_progress`, `completed` and `declined` after Encounter and
             AppointmentResponse, which FHIR keeps apart.
    """

    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    NO_SHOW = "no_show"
    ENTERED_IN_ERROR = "entered_in_error"


_AFTER: Mapping[Status, Sequence[Status]] = {
    Status.PENDING: (Status.BOOKED, Status.DECLINED, Status.CANCELLED, Status.ENTERED_IN_ERROR),
    Status.BOOKED: (Status.ARRIVED, Status.CANCELLED, Status.NO_SHOW, Status.ENTERED_IN_ERROR),
    Status.ARRIVED: (Status.BOOKED, Status.IN_PROGRESS, Status.CANCELLED, Status.ENTERED_IN_ERROR),
    Status.IN_PROGRESS: (Status.COMPLETED, Status.ENTERED_IN_ERROR),
    Status.COMPLETED: (Status.ENTERED_IN_ERROR,),
    Status.CANCELLED: (Status.ENTERED_IN_ERROR,),
    Status.DECLINED: (Status.ENTERED_IN_ERROR,),
    Status.NO_SHOW: (Status.ENTERED_IN_ERROR,),
    Status.ENTERED_IN_ERROR: (),
}
BLOCKING = frozenset({Status.BOOKED, Status.ARRIVED, Status.IN_PROGRESS, Status.COMPLETED})
"""Those that take their place. One that is done keeps it: that time was used, and is not offered again."""
OPEN = frozenset({Status.PENDING, Status.BOOKED, Status.ARRIVED})
"""Those that still want somebody to do something."""
OPEN_SEAT = 999_999_937
"""Stands for the number of a place until the store has found one."""


@dataclass(frozen=True, slots=True)
class Closing:
    """Why it was cancelled, declined, or marked as entered in error."""

    reason_code: str
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """One version of an appointment.

    Times are in UTC; `zone` is the one in which people read them. `resource_ids` are all rooms and devices that it
    takes, those of the session too. `capacity` is how many the session takes at a time, as it was when this was
    booked, and `department_ids` are those of the doctor then. `added_resource_ids` are those of the resources that are
    not the session's; they go along when it is moved. `created_as`, `changed_as`: as what those acted who made it and
    who changed it last. `series_id` and `queue_number` are there for series and walk-in queues.
    """

    id: UUID
    facility_id: UUID
    patient_id: UUID
    doctor_id: UUID
    location_id: UUID
    session_id: UUID
    resource_ids: tuple[UUID, ...]
    appointment_type_id: UUID
    status: Status
    starts_at: datetime
    ends_at: datetime
    zone: str
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    created_as: Acting = Acting.STAFF
    changed_as: Acting = Acting.STAFF
    capacity: int = 1
    seat: int | None = None
    added_resource_ids: tuple[UUID, ...] = ()
    department_ids: tuple[UUID, ...] = ()
    reason: str | None = None
    overbook_reason: str | None = None
    overlap_reason: str | None = None
    retro_reason: str | None = None
    late_cancelled: bool = False
    closing: Closing | None = None
    arrived_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    series_id: UUID | None = None
    queue_number: int | None = None
    version: int = 1

    @property
    def time(self) -> Interval:
        """From its start to its end."""
        return Interval(self.starts_at, self.ends_at)

    @property
    def is_overbooked(self) -> bool:
        """Whether it lies over a place that was full."""
        return self.overbook_reason is not None

    @property
    def is_blocking(self) -> bool:
        """Whether it takes its place."""
        return self.status in BLOCKING

    def next(self, *, at: datetime, by: str, acting: Acting = Acting.STAFF, **changes: Any) -> Appointment:
        """The next version."""
        return dataclasses.replace(
            self, version=self.version + 1, changed_at=at, changed_by=by, changed_as=acting, **changes
        )


def legal_moves(status: Status) -> Sequence[Status]:
    """The statuses that may follow.

    Source:  HL7 FHIR R4, AppointmentStatus and EncounterStatus, without the states of planning.
    """
    return _AFTER[status]


def ensure_legal(appointment: Appointment, to: Status) -> None:
    """Refuse a move that the status does not allow.

    Raises:  IllegalMove: names the status and the legal moves.
    Source:  as legal_moves.
    """
    if to not in _AFTER[appointment.status]:
        raise illegal(appointment)


def illegal(appointment: Appointment) -> IllegalMove:
    """What to say of a move that is not legal.

    Source:  as legal_moves.
    """
    legal = [each.value for each in _AFTER[appointment.status]]
    return IllegalMove(facts={"status": appointment.status.value, "legal": legal})

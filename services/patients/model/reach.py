"""Whose records an account reaches: where a patient is known, who has them in care, and who is linked to them.

This is the one place of the house where that is decided. Other services ask how a record stands, and say for which
permission; what is not in reach is not there for them either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.kernel.access import Actor, Area
from services.kernel.errors import FieldError
from services.patients.model.errors import DemographicsInvalid
from services.patients.model.person import House

_NOT_HELD: Final = frozenset({"cancelled", "declined", "entered_in_error"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One reason why a patient is known at a facility: the registration, or an appointment.

    facility_id: None where a desk of the whole house registered and named no place. doctor_id, account: with whom the
    appointment is, and how that doctor signs in. ends_at: when the appointment is over; a registration never is.
    """

    id: UUID
    patient_id: UUID
    facility_id: UUID | None
    doctor_id: UUID | None = None
    account: UUID | None = None
    since: datetime
    ends_at: datetime | None = None
    is_taken_back: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorAccount:
    """The account with which a doctor signs in, as `doctors` says."""

    doctor_id: UUID
    account: UUID | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far an account reaches at a moment.

    known_since: appointments that were over before it count no more. open_since: who was registered since is in the
    care of everybody on duty there.
    """

    account: str
    areas: tuple[Area, ...]
    records: frozenset[UUID]
    known_since: datetime
    open_since: datetime

    @property
    def is_everywhere(self) -> bool:
        """Whether every record is reached."""
        return Area() in self.areas


KnownOf = Callable[[Sequence[UUID]], Sequence[Known]]
"""Why patients are known, as the store says; asked only where it decides."""


def reach(actor: Actor, *, house: House, at: datetime, permission: str | None = None) -> Reach:
    """How far an account reaches: with the permission that the operation asks for, or with another one.

    Source:  GDPR, article 9(2)(h) and 9(3), and article 25(2): those whose work is care or its administration, and no
             more of them than the work needs; DECISIONS, D-95.
    """
    scope = (actor if permission is None else actor.under(permission)).scope
    holds = permission is None or actor.may(permission)
    return Reach(
        account=actor.subject,
        areas=scope.areas if holds else (),
        records=frozenset(map(UUID, scope.records)) if holds else frozenset(),
        known_since=at - house.known_for,
        open_since=at - house.open_for,
    )


def reached(patient_ids: Sequence[UUID], *, within: Reach, known: KnownOf) -> frozenset[UUID]:
    """Those of the records that are within reach.

    Source:  as reach.
    """
    if within.is_everywhere:
        return frozenset(patient_ids)
    found = within.records & frozenset(patient_ids)
    others = [each for each in patient_ids if each not in found]
    if not others or not within.areas:
        return found
    return found | {
        each.patient_id for each in known(others) if any(_opens(each, area, within) for area in within.areas)
    }


def visit(data: Mapping[str, Any], *, id: UUID, version: int, at: datetime) -> Known:  # noqa: A002 - the field's name
    """Why a patient is known by an appointment, as its event says; one that was not held is no reason any more.

    Source:  DECISIONS, D-95.
    """
    return Known(
        id=id,
        patient_id=UUID(data["patient_id"]),
        facility_id=UUID(data["facility_id"]),
        doctor_id=UUID(data["doctor_id"]),
        since=at,
        ends_at=datetime.fromisoformat(data.get("ends_at", data["starts_at"])),
        is_taken_back=data["status"] in _NOT_HELD,
        version=version,
    )


def desks(actor: Actor, *, said: UUID | None) -> tuple[UUID | None, ...]:
    """Where a new patient is known from the start: at the place that was said, else wherever the desk is.

    None stands for a desk of the whole house that names no place.

    Raises:  DemographicsInvalid: the place is not one of the desk's.
    Source:  DECISIONS, D-95.
    """
    if said is not None:
        if not actor.covers_facility(str(said)):
            raise unknown_desk()
        return (said,)
    within = actor.scope.facilities
    return (None,) if within is None else tuple(sorted(map(UUID, within)))


def unknown_desk() -> DemographicsInvalid:
    """What to say when there is no such facility for who registers.

    Source: none, plain arithmetic.
    """
    return DemographicsInvalid(errors=[FieldError(rule="unknown", pointer="/facility_id")])


def _opens(known: Known, area: Area, within: Reach) -> bool:
    if known.is_taken_back or (known.ends_at is not None and known.ends_at < within.known_since):
        return False
    if area.facilities is not None and str(known.facility_id) not in area.facilities:
        return False
    if not area.is_assigned:
        return True
    if known.doctor_id is None:
        return known.since >= within.open_since
    return str(known.account) == within.account

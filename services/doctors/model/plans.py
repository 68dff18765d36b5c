"""Plans: what may be booked, made from all that is known of a doctor or a facility."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from services.doctors.model.closures import MOST, Closure, Leave
from services.doctors.model.errors import TooMany
from services.doctors.model.listed import AppointmentType
from services.doctors.model.profiles import Doctor
from services.doctors.model.sessions import Session

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where a plan stands. plan_id: the doctor, or the facility itself. zone: of the facility.

    version: the effective one, 0 before the first. last_version: the highest that was ever offered to `appointments`.
    """

    plan_id: UUID
    facility_id: UUID
    zone: str
    version: int = 0
    last_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """All that the plans of one doctor are made of.

    minutes: how long types take with this doctor where that is not as usual. closures, facility_versions: of the
    facilities at which the doctor has a plan.
    """

    doctor: Doctor
    sessions: tuple[Session, ...] = ()
    leave: tuple[Leave, ...] = ()
    plans: tuple[Plan, ...] = ()
    closures: tuple[Closure, ...] = ()
    facility_versions: Mapping[UUID, int] = field(default_factory=dict)
    types: tuple[AppointmentType, ...] = ()
    minutes: Mapping[UUID, int] = field(default_factory=dict)

    def plan_at(self, facility_id: UUID) -> Plan | None:
        """The plan at one facility, when there is one or was to be one."""
        return next((each for each in self.plans if each.facility_id == facility_id), None)

    @property
    def effective(self) -> list[Plan]:
        """The plans that are in force."""
        return [each for each in self.plans if each.version]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorPlan:
    """What may be booked with a doctor at a facility, at one version."""

    doctor: Doctor
    facility_id: UUID
    zone: str
    version: int
    facility_version: int
    sessions: tuple[Session, ...]
    leave: tuple[Leave, ...]
    closures: tuple[Closure, ...]
    types: tuple[AppointmentType, ...]

    @property
    def id(self) -> UUID:
        """The doctor's id is that of the plan."""
        return self.doctor.id


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityPlan:
    """What is closed at a facility, at one version."""

    facility_id: UUID
    version: int
    closures: tuple[Closure, ...]


def doctor_plan(known: Holdings, plan: Plan, *, version: int, at: datetime) -> DoctorPlan:
    """The plan of a doctor at a facility: what is over is not in it.

    Raises:  TooMany: a plan holds no more leave.
    Source: none, plain arithmetic.
    """
    facility_id, today = plan.facility_id, at.date()
    return DoctorPlan(
        doctor=known.doctor,
        facility_id=facility_id,
        zone=plan.zone,
        version=version,
        facility_version=known.facility_versions.get(facility_id, 0),
        sessions=tuple(s for s in known.sessions if s.facility_id == facility_id and not s.is_over(today)),
        leave=_coming(known.leave, at=at),
        closures=_coming([each for each in known.closures if each.facility_id == facility_id], at=at),
        types=offered(known),
    )


def facility_plan(closures: Sequence[Closure], plan: Plan, *, version: int, at: datetime) -> FacilityPlan:
    """The plan of a facility: what is over is not in it.

    Raises:  TooMany: a plan holds no more closures.
    Source: none, plain arithmetic.
    """
    return FacilityPlan(facility_id=plan.facility_id, version=version, closures=_coming(closures, at=at))


def offered(known: Holdings) -> tuple[AppointmentType, ...]:
    """The types that a doctor may do, each with the minutes that it takes with this doctor.

    Source:  DECISIONS, D-42.
    """
    own = set(known.doctor.specialization_ids)
    return tuple(
        dataclasses.replace(each, minutes=known.minutes.get(each.id, each.minutes))
        for each in known.types
        if each.is_active and (not each.specialization_ids or own & set(each.specialization_ids))
    )


def with_minutes(kind: AppointmentType, minutes: int) -> AppointmentType:
    """A type as it is with a doctor who takes so long.

    Source: none, plain arithmetic.
    """
    return dataclasses.replace(kind, minutes=minutes)


def with_records(known: Holdings, records: Sequence[Any]) -> Holdings:
    """The holdings as some new versions would leave them.

    Source: none, plain arithmetic.
    """
    doctors = [each for each in records if isinstance(each, Doctor)]
    return dataclasses.replace(
        known,
        doctor=doctors[-1] if doctors else known.doctor,
        sessions=_replaced(known.sessions, [each for each in records if isinstance(each, Session)]),
        leave=_replaced(known.leave, [each for each in records if isinstance(each, Leave)]),
    )


def _replaced(known: Sequence[R], fresh: Sequence[R]) -> tuple[R, ...]:
    by_id = {each.id: each for each in [*known, *fresh]}  # type: ignore[attr-defined]
    return tuple(by_id.values())


C = TypeVar("C", Leave, Closure)


def _coming(closures: Sequence[C], *, at: datetime) -> tuple[C, ...]:
    found = tuple(each for each in closures if not each.is_removed and each.ends_at > at)
    if len(found) > MOST:
        raise TooMany
    return found

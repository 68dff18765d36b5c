"""Whose plan it is: the object rules, asked after the permission of the operation has been checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from services.doctors.model.listed import AppointmentType
from services.doctors.model.profiles import Doctor
from services.kernel.access import Actor
from services.kernel.errors import Forbidden, NotFound


def ensure_may_plan(doctor: Doctor, *, actor: Actor, facilities: Collection[UUID]) -> None:
    """Let those through who plan for everybody, and doctors to their own plan: at all places that are touched.

    facilities: those of the hours that are planned, or all where the doctor works; none where that is nowhere yet.

    Raises:  Forbidden.
    Source:  DECISIONS, D-46 and D-99.
    """
    is_own = doctor.user_id is not None and str(doctor.user_id) == actor.subject
    if is_own and _reaches(doctor, facilities, actor=actor.under("schedules.manage_own")):
        return
    if not actor.may("schedules.manage") or not _reaches(doctor, facilities, actor=actor.under("schedules.manage")):
        raise Forbidden


def ensure_may_manage(doctor: Doctor, *, actor: Actor, facilities: Collection[UUID]) -> None:
    """Let those through whose role holds wherever the doctor works; a doctor who works nowhere yet is anybody's.

    Raises:  Forbidden.
    Source:  DECISIONS, D-99.
    """
    if not _reaches(doctor, facilities, actor=actor):
        raise Forbidden


def ensure_may_place(department_id: UUID, *, facility_id: UUID, actor: Actor) -> None:
    """Let those through whose role holds in a department: who belongs to it is in the hands of those who keep it.

    Raises:  Forbidden.
    Source:  DECISIONS, D-99.
    """
    if not actor.covers_department(str(department_id), facility_id=str(facility_id)):
        raise Forbidden


def ensure_runs(facility_id: UUID, *, actor: Actor) -> None:
    """Let those through whose role holds for all of a facility: its rooms and devices, and what is closed there.

    Raises:  Forbidden.
    Source:  DECISIONS, D-99.
    """
    if not actor.covers_whole(str(facility_id)):
        raise Forbidden


def ensure_runs_the_house(actor: Actor) -> None:
    """Let those through whose role holds everywhere: the managed lists are those of every facility.

    Raises:  Forbidden.
    Source:  DECISIONS, D-99.
    """
    if not actor.scope.is_everywhere:
        raise Forbidden


def ensure_may_see_change(
    doctor: Doctor | None, *, actor: Actor, subject_id: UUID, facilities: Collection[UUID]
) -> None:
    """Let those through who may plan for the doctor; for what is closed at a facility, those who plan or close there.

    A change stands in no directory: for everybody else there is none.

    Raises:  NotFound.
    Source:  DECISIONS, D-46 and D-99.
    """
    try:
        if doctor is not None:
            ensure_may_plan(doctor, actor=actor, facilities=facilities)
        elif not any(_holds(each, subject_id, actor=actor) for each in ("schedules.manage", "closures.manage")):
            raise NotFound
    except Forbidden:
        raise NotFound from None


def _holds(permission: str, facility_id: UUID, *, actor: Actor) -> bool:
    return actor.may(permission) and actor.under(permission).covers_facility(str(facility_id))


def _reaches(doctor: Doctor, facilities: Collection[UUID], *, actor: Actor) -> bool:
    """Whether all of the facilities are in reach, where a role is narrowed to departments as the doctor's are."""
    departments = list(map(str, doctor.department_ids))
    return all(
        actor.covers_whole(where) or any(actor.covers_department(each, facility_id=where) for each in departments)
        for where in map(str, facilities)
    )


def shown_types(types: Iterable[AppointmentType], *, actor: Actor) -> list[AppointmentType]:
    """The appointment types that the actor may see.

    Source:  DECISIONS, D-47.
    """
    return [each for each in types if each.audience == "everyone" or sees_staff_types(actor)]


def sees_staff_types(actor: Actor) -> bool:
    """Whether appointment types for staff are shown: to all but those who are patients and nothing else.

    Source:  DECISIONS, D-47.
    """
    return bool(actor.roles - {"patient"})

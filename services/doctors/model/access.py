"""Whose plan it is: the object rules, asked after the permission of the operation has been checked."""

from __future__ import annotations

from collections.abc import Iterable

from services.doctors.model.listed import AppointmentType
from services.doctors.model.profiles import Doctor
from services.kernel.access import Actor
from services.kernel.errors import Forbidden


def ensure_may_plan(doctor: Doctor, *, actor: Actor) -> None:
    """Let those through who plan for everybody, and doctors to their own plan.

    Raises:  Forbidden.
    Source:  DECISIONS, D-46.
    """
    is_own = doctor.user_id is not None and str(doctor.user_id) == actor.subject
    if not (is_own or actor.may("schedules.manage")):
        raise Forbidden


def ensure_may_see_change(doctor: Doctor | None, *, actor: Actor) -> None:
    """Let those through who may plan for the doctor; for what is closed at a facility, those who plan or close.

    Raises:  Forbidden.
    Source:  DECISIONS, D-46.
    """
    if doctor is not None:
        ensure_may_plan(doctor, actor=actor)
    elif not (actor.may("schedules.manage") or actor.may("closures.manage")):
        raise Forbidden


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

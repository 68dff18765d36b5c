"""Whose appointment it is: the object rules, asked after the permission of the operation has been checked.

An appointment lies in a facility, and in the departments of its doctor; where a doctor has none, in the facility alone.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from uuid import UUID

from services.kernel.access import Actor, Area
from services.kernel.errors import NotFound


class Acting(StrEnum):
    """As what an account acts: for the house, about its own record, or in the name of somebody else."""

    STAFF = "staff"
    SELF = "self"
    GUARDIAN = "guardian"


def covers(actor: Actor, *, facility_id: UUID, departments: Collection[UUID] = ()) -> bool:
    """Whether a facility, or one of some departments in it, is in the area of a role.

    Source:  DECISIONS, D-100.
    """
    facility = str(facility_id)
    if not departments:
        return actor.covers_facility(facility)
    return any(actor.covers_department(str(each), facility_id=facility) for each in departments)


def acting(actor: Actor, *, facility_id: UUID, patient_id: UUID, departments: Collection[UUID] = ()) -> Acting:
    """As what an account acts about a patient at a facility; what is in its area it does for the house.

    Raises:  NotFound: neither the place nor the record is in reach.
    Source:  DECISIONS, D-100.
    """
    if covers(actor, facility_id=facility_id, departments=departments):
        return Acting.STAFF
    return _linked(actor, patient_id)


def acting_for(actor: Actor, *, patient_id: UUID) -> Acting:
    """As what an account asks for all appointments of a patient; one's own records are asked for as such.

    Raises:  NotFound: the record is not linked, and no area is held.
    Source:  DECISIONS, D-100.
    """
    if not actor.is_about(str(patient_id)) and actor.scope.areas:
        return Acting.STAFF
    return _linked(actor, patient_id)


def ensure_staff(actor: Actor, *, facility_id: UUID, departments: Collection[UUID] = ()) -> None:
    """Let only those through who act for the house at a place.

    Raises:  NotFound: the place is out of reach; it answers as one that does not exist.
    Source:  DECISIONS, D-100.
    """
    if not covers(actor, facility_id=facility_id, departments=departments):
        raise NotFound


def is_for_house(actor: Actor, *, facility_id: UUID, departments: Collection[UUID] = ()) -> bool:
    """Whether places are looked for and kept by staff; by people with a linked record otherwise.

    Raises:  NotFound: neither.
    Source:  DECISIONS, D-100.
    """
    is_staff = covers(actor, facility_id=facility_id, departments=departments)
    if not is_staff and not actor.scope.records:
        raise NotFound
    return is_staff


def has_right(actor: Actor, right: str, *, facility_id: UUID, departments: Collection[UUID] = ()) -> bool:
    """Whether a further right is held at a place.

    Source:  DECISIONS, D-100.
    """
    return actor.may(right) and covers(actor.under(right), facility_id=facility_id, departments=departments)


def is_within(areas: Collection[Area], *, facility_id: UUID, departments: Collection[UUID]) -> bool:
    """Whether an appointment lies in one of some areas.

    Source:  DECISIONS, D-100.
    """
    ids = {str(each) for each in departments}
    return any(
        (area.facilities is None or str(facility_id) in area.facilities)
        and (area.departments is None or not ids or bool(ids & area.departments))
        for area in areas
    )


def _linked(actor: Actor, patient_id: UUID) -> Acting:
    if not actor.is_about(str(patient_id)):
        raise NotFound
    return Acting.SELF if actor.scope.own == str(patient_id) else Acting.GUARDIAN

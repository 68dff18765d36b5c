"""Whose appointment it is: the object rules, asked after the permission of the operation has been checked."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from services.kernel.access import Actor
from services.kernel.errors import NotFound


class Acting(StrEnum):
    """As what an account acts: for the house, about its own record, or in the name of somebody else."""

    STAFF = "staff"
    SELF = "self"
    GUARDIAN = "guardian"


def acting(actor: Actor, *, facility_id: UUID, patient_id: UUID) -> Acting:
    """As what an account acts about a patient at a facility; what is in its area it does for the house.

    Raises:  NotFound: neither the facility nor the record is in reach.
    Source:  DECISIONS, D-100.
    """
    if actor.covers_facility(str(facility_id)):
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


def ensure_staff(actor: Actor, *, facility_id: UUID) -> None:
    """Let only those through who act for the house at a facility.

    Raises:  NotFound: the facility is out of reach; it answers as one that does not exist.
    Source:  DECISIONS, D-100.
    """
    if not actor.covers_facility(str(facility_id)):
        raise NotFound


def is_for_house(actor: Actor, *, facility_id: UUID) -> bool:
    """Whether places of a facility are looked for and kept by staff; by people with a linked record otherwise.

    Raises:  NotFound: neither.
    Source:  DECISIONS, D-100.
    """
    is_staff = actor.covers_facility(str(facility_id))
    if not is_staff and not actor.scope.records:
        raise NotFound
    return is_staff


def has_right(actor: Actor, right: str, *, facility_id: UUID) -> bool:
    """Whether a further right is held at a facility.

    Source:  DECISIONS, D-100.
    """
    return actor.may(right) and actor.under(right).covers_facility(str(facility_id))


def facilities(actor: Actor) -> frozenset[UUID] | None:
    """The facilities whose appointments an account sees for the house; None: all.

    Source:  DECISIONS, D-100.
    """
    known = actor.scope.facilities
    return None if known is None else frozenset(map(UUID, known))


def _linked(actor: Actor, patient_id: UUID) -> Acting:
    if not actor.is_about(str(patient_id)):
        raise NotFound
    return Acting.SELF if actor.scope.own == str(patient_id) else Acting.GUARDIAN

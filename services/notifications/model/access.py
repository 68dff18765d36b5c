"""Whose messages and whose rules: the object rules, asked after the permission of the operation has been checked.

A message belongs to the facility that it comes from: who works there may see what was sent. A person sees what was sent
to that person, or to whom it speaks for. Preferences and browsers of patients are reached by whom `patients` lets.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.kernel.access import Actor
from services.kernel.errors import Forbidden, NotFound
from services.notifications.model.deliveries import Delivery
from services.notifications.model.words import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """What an account sees of deliveries: those of facilities (None: of all), and those that went to records."""

    facilities: frozenset[UUID] | None
    records: frozenset[UUID]


def within(actor: Actor) -> Within:
    """Which deliveries the actor may see.

    Source:  DECISIONS, D-97.
    """
    facilities = actor.scope.facilities
    return Within(
        facilities=None if facilities is None else frozenset(map(UUID, facilities)),
        records=frozenset(map(UUID, actor.scope.records)),
    )


def in_reach(delivery: Delivery, *, actor: Actor) -> Delivery:
    """The delivery, for one who may see it.

    Raises:  NotFound: the same as for a delivery that does not exist.
    Source:  DECISIONS, D-97.
    """
    seen = within(actor)
    is_of_facility = seen.facilities is None or delivery.facility_id in seen.facilities
    if not is_of_facility and not (delivery.kind is Kind.PATIENT and delivery.patient_id in seen.records):
        raise NotFound
    return delivery


def ensure_runs(facility_id: UUID, *, actor: Actor) -> None:
    """Let only those through whose role holds for the whole facility.

    Raises:  NotFound: the same as for a facility that does not exist.
    Source:  DECISIONS, D-97.
    """
    if not actor.covers_whole(str(facility_id)):
        raise NotFound


def ensure_runs_the_house(actor: Actor) -> None:
    """Let only those through whose role holds everywhere: the words of messages are those of every facility.

    Raises:  Forbidden.
    Source:  DECISIONS, D-97.
    """
    if not actor.scope.is_everywhere:
        raise Forbidden

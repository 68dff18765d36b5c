"""What is asked of a report, and what of it the asker may see."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.kernel.access import Actor
from services.kernel.errors import FieldError, Forbidden, Invalid, NotFound
from services.reports.model.facts import Status

LONGEST_DAYS: Final = 366


class Group(StrEnum):
    """What rows can be made for, in the order of their columns."""

    DAY = "day"
    DOCTOR = "doctor"
    SPECIALIZATION = "specialization"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which appointments are counted, and what for. No doctors: all; no specializations: whatever they are."""

    facility_id: UUID
    first_day: date
    last_day: date
    groups: tuple[Group, ...]
    doctors: tuple[UUID, ...]
    specializations: tuple[UUID, ...]
    statuses: tuple[Status, ...]
    is_own_only: bool = False

    @property
    def adds_up(self) -> bool:
        """Whether rows add up to the total; by specialization they need not, where a doctor has several."""
        return Group.SPECIALIZATION not in self.groups


def asked(
    facility_id: str,
    first_day: str,
    last_day: str,
    *,
    groups: Sequence[str] | None = None,
    doctors: Sequence[str] | None = None,
    specializations: Sequence[str] | None = None,
    statuses: Sequence[str] | None = None,
) -> Asked:
    """What a request asks for: of a facility, from a day to a day.

    Raises:  Invalid: a day is none, or the period ends before it begins or is too long.
    Source:  DECISIONS, D-63, for what is left out when nothing is said.
    """
    first, last = _day("first_day", first_day), _day("last_day", last_day)
    if last < first:
        raise _refused("last_day", "before_first_day")
    if (last - first).days >= LONGEST_DAYS:
        raise _refused("last_day", "period_too_long")
    usual = [each for each in Status if each is not Status.ENTERED_IN_ERROR]
    return Asked(
        facility_id=UUID(facility_id),
        first_day=first,
        last_day=last,
        groups=tuple(each for each in Group if each.value in (groups or ())),
        doctors=_ids(doctors),
        specializations=_ids(specializations),
        statuses=tuple(sorted({Status(each) for each in statuses})) if statuses else tuple(usual),
    )


def described(what: Asked) -> dict[str, str]:
    """What is asked, for the trail: days, ids and words of the contract.

    Source: none, plain arithmetic.
    """
    told = {
        "facility_id": str(what.facility_id),
        "first_day": what.first_day.isoformat(),
        "last_day": what.last_day.isoformat(),
        "group_by": _listed(what.groups),
        "doctor_id": _listed(what.doctors),
        "specialization_id": _listed(what.specializations),
        "status": _listed(what.statuses),
    }
    return {name: text for name, text in told.items() if text}


def narrowed(what: Asked, *, actor: Actor, own: UUID | None) -> Asked:
    """What the actor may see of it: everything, or the figures of the doctor who the actor is.

    own: that doctor; None when the account belongs to none.
    Raises:  NotFound: the facility is not in reach. Forbidden: the figures of others are asked for, or there are no own
             ones.
    Source:  DECISIONS, D-62 and D-97.
    """
    if not actor.covers_facility(str(what.facility_id)):
        raise NotFound
    if _holds(actor, "reports.read", what):
        return what
    if own is None or not _holds(actor, "reports.read_own", what) or set(what.doctors) - {own}:
        raise Forbidden
    return dataclasses.replace(what, doctors=(own,), is_own_only=True)


def sees_names(actor: Actor) -> bool:
    """Whether names of doctors and specializations are shown: to those who may read them in `doctors`.

    Source:  DECISIONS, D-62.
    """
    return actor.may("doctors.read")


def too_many_rows() -> Invalid:
    """What to say when more rows are asked for than are given at once.

    Source: none, plain arithmetic.
    """
    return _refused("group_by", "too_many_rows")


def _holds(actor: Actor, permission: str, what: Asked) -> bool:
    return actor.may(permission) and actor.under(permission).covers_facility(str(what.facility_id))


def _day(parameter: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _refused(parameter, "format") from None


def _refused(parameter: str, rule: str) -> Invalid:
    return Invalid(errors=[FieldError(rule, parameter=parameter)])


def _ids(given: Sequence[str] | None) -> tuple[UUID, ...]:
    return tuple(sorted({UUID(each) for each in given or ()}))


def _listed(values: Sequence[object]) -> str:
    return ",".join(str(each) for each in values)

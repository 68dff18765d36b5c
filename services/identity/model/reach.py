"""How far an account reaches: places that its roles are narrowed to, and records that it is linked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from services.identity.model.places import Department, Facility
from services.kernel.errors import Conflict, FieldError, Invalid, NotFound

MOST_PLACES: Final = 64
"""Places that all areas of one account may name together: they travel in every token of it."""
MOST_LINKS: Final = 16


class Relation(StrEnum):
    """What the person of an account is to the record it is linked to."""

    SELF = "self"
    GUARDIAN = "guardian"


class UnknownLink(NotFound):
    """The account has no such link."""


class LinkedAlready(Conflict):
    """The account has this link, or is the own account of another record."""

    code = "linked_already"
    title = "The account is linked already"


class TooManyLinks(Conflict):
    """An account speaks for a family, not for a ward."""

    code = "too_many_links"
    title = "The account has as many links as it may have"


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Where one role of an account holds: whole facilities, or departments of them."""

    facilities: tuple[str, ...]
    departments: tuple[str, ...] = ()


Areas = Mapping[str, Area]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A record that an account may act about, with who made the link, when, and until when it holds."""

    id: UUID
    patient_id: UUID
    relation: Relation
    made_by: str
    made_at: datetime
    until: datetime | None = None


def areas(
    given: Sequence[Mapping[str, Any]],
    *,
    roles: Sequence[str],
    facilities: Mapping[UUID, Facility],
    departments: Mapping[UUID, Department],
) -> dict[str, Area]:
    """The areas that a body asks for, by role; a department brings its facility along.

    facilities, departments: the places that exist, of those that the body names.

    Raises:  Invalid: names each place that is unknown, closed, of another facility, or of a role that is not given.
    Source:  NIST SP 800-53 Rev. 5, AC-6 (least privilege).
    """
    errors: list[FieldError] = []
    found: dict[str, Area] = {}
    for number, each in enumerate(given):
        where = f"/areas/{number}"
        if each["role"] not in roles or each["role"] in found:
            errors.append(FieldError("unknown_role", pointer=f"{where}/role"))
        wanted = [UUID(text) for text in each.get("facilities", ())]
        parts = [UUID(text) for text in each.get("departments", ())]
        errors += _unknown(wanted, facilities, f"{where}/facilities")
        errors += _unknown(parts, departments, f"{where}/departments")
        named = {departments[part].facility_id for part in parts if part in departments}
        if wanted and named - set(wanted):
            errors.append(FieldError("other_facility", pointer=f"{where}/departments"))
        whole = tuple(sorted(str(place) for place in {*wanted, *named}))
        found[each["role"]] = Area(facilities=whole, departments=tuple(sorted(map(str, parts))))
    if sum(len(area.facilities) + len(area.departments) for area in found.values()) > MOST_PLACES:
        errors.append(FieldError("max_items", pointer="/areas"))
    if errors:
        raise Invalid(errors=errors)
    return found


def _unknown(wanted: Sequence[UUID], known: Mapping[UUID, Any], where: str) -> list[FieldError]:
    wrong = [n for n, place in enumerate(wanted) if place not in known or not known[place].is_active]
    return [FieldError("unknown", pointer=f"{where}/{n}") for n in wrong]


def named(given: Sequence[Mapping[str, Any]]) -> tuple[set[UUID], set[UUID]]:
    """The facilities and departments that a body names.

    Source:  none, plain arithmetic.
    """
    facilities = {UUID(text) for each in given for text in each.get("facilities", ())}
    return facilities, {UUID(text) for each in given for text in each.get("departments", ())}


def all_facilities(roles: Sequence[str], held: Areas) -> set[UUID] | None:
    """The facilities that an account is narrowed to with all of its roles; None: one of them holds everywhere.

    Source:  none, plain arithmetic.
    """
    if not roles or any(role not in held for role in roles):
        return None
    return {UUID(facility) for role in roles for facility in held[role].facilities}


def linked(links: Sequence[Link], *, new: Link) -> tuple[Link, ...]:
    """The links with one more.

    Raises:  LinkedAlready, TooManyLinks.
    Source:  none, plain arithmetic.
    """
    alive = [each for each in links if each.until is None or each.until > new.made_at]
    is_double = any(each.patient_id == new.patient_id for each in alive)
    has_own = new.relation is Relation.SELF and any(each.relation is Relation.SELF for each in alive)
    if is_double or has_own:
        raise LinkedAlready
    if len(alive) >= MOST_LINKS:
        raise TooManyLinks
    return (*alive, new)


def without(links: Sequence[Link], *, link_id: UUID) -> tuple[Link, ...]:
    """The links without one.

    Raises:  UnknownLink.
    Source:  none, plain arithmetic.
    """
    if link_id not in {each.id for each in links}:
        raise UnknownLink
    return tuple(each for each in links if each.id != link_id)


def areas_said(held: Areas) -> dict[str, dict[str, list[str]]]:
    """Areas as tokens and the policy carry them.

    Source:  none, plain arithmetic.
    """
    return {
        role: {"facilities": list(area.facilities), "departments": list(area.departments)}
        for role, area in sorted(held.items())
    }


def links_said(held: Sequence[Link], *, at: datetime) -> list[list[Any]]:
    """Links as tokens and the policy carry them: those that hold, each with its end in seconds since 1970.

    Source:  none, plain arithmetic.
    """
    alive = [each for each in held if each.until is None or each.until > at]
    return [
        [
            str(each.patient_id),
            "own" if each.relation is Relation.SELF else "linked",
            None if each.until is None else int(each.until.timestamp()),
        ]
        for each in alive
    ]

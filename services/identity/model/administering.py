"""What an administrator decides about: accounts and places within the own areas, and never more than is held there.

Asked after the permission of the operation has been checked. Whoever is narrowed to facilities decides about accounts
that work there and nowhere else; what holds in the whole house is decided by those whose role does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from services.identity.model.accounts import Account, UnknownAccount
from services.identity.model.places import Department, Facility, Place, UnknownPlace
from services.identity.model.reach import Area
from services.kernel.access import Actor
from services.kernel.errors import Forbidden

P = TypeVar("P", bound=Place)


class AreaNotHeld(Forbidden):
    """Who gives a role cannot give it for more than the own places."""

    code = "area_not_held"
    title = "You cannot give a role for more than your own places"


def administers(roles: Sequence[str], areas: Mapping[str, Area], *, by: Actor) -> bool:
    """Whether all that these roles hold lies within the areas of who acts.

    Source:  OWASP ASVS 5.0, 8.2 (no way to rights above one's own); DECISIONS, D-98.
    """
    if by.scope.is_everywhere:
        return True
    return bool(roles) and all(role in areas and _holds(areas[role], by=by) for role in roles)


def administered(account: Account, *, by: Actor) -> Account:
    """The account, for one who decides about it.

    Raises:  UnknownAccount: the same as for an account that does not exist.
    Source:  as administers.
    """
    if not administers(account.roles, account.areas, by=by):
        raise UnknownAccount
    return account


def refuse_wider(roles: Sequence[str], areas: Mapping[str, Area], *, by: Actor) -> None:
    """Refuse to give roles for more than the places of who gives them.

    Raises:  AreaNotHeld.
    Source:  as administers.
    """
    if not administers(roles, areas, by=by.under("roles.assign")):
        raise AreaNotHeld


def refuse_narrowed(by: Actor) -> None:
    """Refuse whoever is narrowed to places what holds in the whole house: roles, keys, programs, groups, facilities.

    Raises:  Forbidden.
    Source:  as administers.
    """
    if not by.scope.is_everywhere:
        raise Forbidden


def in_charge_of(place: P, *, by: Actor) -> P:
    """The place, for one who keeps it.

    Raises:  UnknownPlace: the same as for a place that does not exist.
    Source:  as administers.
    """
    if isinstance(place, Department):
        is_kept = by.covers_department(str(place.id), facility_id=str(place.facility_id))
    else:
        is_kept = by.covers_whole(str(place.id if isinstance(place, Facility) else place.facility_id))
    if not is_kept:
        raise UnknownPlace
    return place


def _holds(area: Area, *, by: Actor) -> bool:
    return all(
        by.covers_whole(facility)
        or (
            bool(area.departments)
            and all(by.covers_department(each, facility_id=facility) for each in area.departments)
        )
        for facility in area.facilities
    )

"""How far an account reaches, in the form in which tokens and the policy carry it.

    areas   {"<role>": {"facilities": [ids], "departments": [ids]}}    roles that hold in some places only
    links   [["<record id>", "own" | "linked", until or null], …]      records that the account may act about

A role that is not among the areas holds everywhere; a facility without its departments is meant whole. `until` is in
seconds since 1970: a link ends by itself, without a word of anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.kernel.access import Area, Grant, Scope

_KINDS = frozenset({"own", "linked"})
_MOST_IDS = 64
EVERYWHERE = Area()


def refuse_malformed(areas: Any, links: Any) -> None:
    """Refuse what is not of the form.

    Raises:  ValueError, TypeError, KeyError.
    """
    if not isinstance(areas, Mapping) or not isinstance(links, list):
        raise TypeError("reach")
    for area in areas.values():
        ids = [*area["facilities"], *area["departments"]]
        if len(ids) > _MOST_IDS or not area["facilities"] or not all(isinstance(each, str) for each in ids):
            raise ValueError("area")
    if len(links) > _MOST_IDS:
        raise ValueError("links")
    for record, kind, until in links:
        if not isinstance(record, str) or kind not in _KINDS or not (until is None or type(until) is int):
            raise ValueError("link")


def scope(
    roles: Iterable[str], *, areas: Mapping[str, Any], links: Sequence[Any], by_link: frozenset[str], now: float
) -> Scope:
    """The scope of an account over all its roles.

    by_link: roles that hold about linked records only.
    """
    own = next((record for record, kind, until in links if kind == "own" and _lives(until, now)), None)
    linked = frozenset(record for record, _, until in links if _lives(until, now) and record != own)
    found = tuple(dict.fromkeys(area(areas.get(role)) for role in roles if role not in by_link))
    return Scope(areas=found, own=own, linked=linked)


def grants(
    allowed: Mapping[str, frozenset[str]],
    *,
    areas: Mapping[str, Any],
    by_link: frozenset[str],
    assigned: Mapping[str, frozenset[str]],
) -> tuple[Grant, ...]:
    """What each role allows and where; nothing when all of them hold everywhere.

    allowed: permissions by role. assigned: those that a role holds about what is assigned to the account only.
    """
    if not areas and not (by_link | assigned.keys()) & allowed.keys():
        return ()
    found = []
    for role, permissions in allowed.items():
        where = None if role in by_link else area(areas.get(role))
        narrow = assigned.get(role, frozenset()) & permissions
        found.append(Grant(permissions=permissions - narrow, area=where))
        if narrow and where is not None:
            found.append(Grant(permissions=narrow, area=replace(where, is_assigned=True)))
    return tuple(found)


def area(said: Mapping[str, Any] | None) -> Area:
    """One area; all of the house where nothing is said."""
    if said is None:
        return EVERYWHERE
    departments = frozenset(said["departments"])
    return Area(facilities=frozenset(said["facilities"]), departments=departments or None)


def _lives(until: int | None, now: float) -> bool:
    return until is None or now < until

"""Who acts, how far, and about whom: the words in which object rules are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Where a role holds: these facilities, and there these departments; None stands for all.

    is_assigned: only about what is assigned to the account there; by whom and how, the owner of the records knows.
    """

    facilities: frozenset[str] | None = None
    departments: frozenset[str] | None = None
    is_assigned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """How far an actor reaches: areas in which roles hold, and records that the account is linked to.

    own: the record of the person who acts; linked: those of others in whose name that person acts. Areas and links are
    two ways in: whoever has no area reaches the linked records and nothing else. has_links: whether links count here;
    they give what a role by link holds, and not what the same person may do at work.
    """

    areas: tuple[Area, ...] = (Area(),)
    own: str | None = None
    linked: frozenset[str] = frozenset()
    has_links: bool = True

    @property
    def records(self) -> frozenset[str]:
        """The records that are reached by a link."""
        own = frozenset() if self.own is None else frozenset({self.own})
        return own | self.linked if self.has_links else frozenset()

    @property
    def is_everywhere(self) -> bool:
        """Whether some area is the whole house, with all that is in it."""
        return Area() in self.areas

    @property
    def facilities(self) -> frozenset[str] | None:
        """The facilities that are reached, whole or in part; None: all."""
        return _joined(area.facilities for area in self.areas)

    @property
    def departments(self) -> frozenset[str] | None:
        """The departments that areas are narrowed to; None: some area has all of its departments."""
        return _joined(area.departments for area in self.areas)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one role allows, and where; None: only about linked records."""

    permissions: frozenset[str]
    area: Area | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The account that acts, with what its roles allow at this moment.

    `roles` and `permissions` are those of the policy now, not those of the day the token was made. `scope` is that of
    the permission which the operation asks for; `under` gives that of another one. needs_second_factor: one of the
    roles wants it; second_factor_at: when it was shown last in this session, in seconds since 1970.
    """

    subject: str
    session: str = ""
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    scope: Scope = Scope()
    grants: tuple[Grant, ...] = ()
    needs_second_factor: bool = False
    second_factor_at: int | None = None

    @property
    def is_at_work(self) -> bool:
        """Whether the actor gets here by a role that holds at a place, and not about linked records alone."""
        return bool(self.scope.areas)

    def may(self, permission: str) -> bool:
        """Whether one of the roles holds the permission."""
        return permission in self.permissions

    def under(self, permission: str) -> Actor:
        """The same actor with the scope in which it holds this permission."""
        if not self.grants:
            return self
        held = dict.fromkeys(grant.area for grant in self.grants if permission in grant.permissions)
        areas = tuple(each for each in held if each is not None)
        return replace(self, scope=replace(self.scope, areas=areas, has_links=None in held))

    def covers_facility(self, facility_id: str) -> bool:
        """Whether the facility, or a part of it, is within reach."""
        return any(area.facilities is None or facility_id in area.facilities for area in self.scope.areas)

    def covers_whole(self, facility_id: str) -> bool:
        """Whether all of the facility is within reach, and not a part of it only."""
        return any(
            area.departments is None and (area.facilities is None or facility_id in area.facilities)
            for area in self.scope.areas
        )

    def covers_department(self, department_id: str, *, facility_id: str) -> bool:
        """Whether the department of a facility is within reach."""
        return any(
            (area.facilities is None or facility_id in area.facilities)
            and (area.departments is None or department_id in area.departments)
            for area in self.scope.areas
        )

    def is_about(self, record_id: str) -> bool:
        """Whether the record is the actor's own, or one in whose name the actor acts."""
        return record_id in self.scope.records


NOBODY = Actor(subject="anonymous")


def _joined(parts: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    found: frozenset[str] = frozenset()
    for part in parts:
        if part is None:
            return None
        found |= part
    return found

"""Roles: sets of permissions. Those of the system are fixed; a house makes its own beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.kernel.access import Actor
from services.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound

SUPER_ADMIN: Final = "super_admin"
SERVICE: Final = "service"
FIRST_SIGN_IN: Final = "first_sign_in"
PATIENT: Final = "patient"
_EVERYTHING = "*"
_GIVEN_BY_THE_SYSTEM = frozenset({SERVICE, FIRST_SIGN_IN})
SHOWN = ("title", "description", "requires_second_factor", "permissions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of permissions; `is_assignable` says whether people may be given it.

    id: of a role that the store knows: one of the house's own, or a fixed one with a setting. A deleted role keeps its
    row, so that its version goes on when the name comes back.
    """

    name: str
    title: str
    description: str
    permissions: tuple[str, ...]
    is_assignable: bool = True
    is_own: bool = False
    requires_second_factor: bool = False
    is_deleted: bool = False
    id: UUID | None = None
    version: int = 1
    created_at: datetime | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One thing that may be done, in a sentence."""

    name: str
    description: str


class UnknownRole(Invalid):
    """A role that does not exist, or that people cannot be given."""

    code = "unknown_role"
    title = "There is no such role to give"


class NoSuchRole(NotFound):
    """There is no role of this name."""


class UnknownPermission(Invalid):
    """A permission that does not exist."""

    code = "unknown_permission"
    title = "There is no such permission"


class PermissionNotHeld(Forbidden):
    """Who makes a role cannot put into it what he may not do himself."""

    code = "permission_not_held"
    title = "You cannot give what you do not hold"


class RoleTaken(Conflict):
    """There is a role of this name."""

    code = "role_taken"
    title = "There is a role of this name"


class RoleInUse(Conflict):
    """Accounts or groups hold the role."""

    code = "role_in_use"
    title = "Somebody holds this role"


class FixedRole(Conflict):
    """A role of the system: what it allows is the same in every house."""

    code = "fixed_role"
    title = "This role is fixed"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All permissions and roles that there are."""

    permissions: tuple[Permission, ...]
    roles: tuple[Role, ...]

    def refuse_unknown(self, names: Sequence[str], *, pointer: str) -> None:
        """Refuse roles that nobody can be given, and name each place.

        Raises:  UnknownRole.
        Source:  NIST RBAC (INCITS 359-2012), user assignment: only roles that are defined can be assigned.
        """
        known = {role.name for role in self.roles if role.is_assignable}
        wrong = [place for place, name in enumerate(names) if name not in known]
        if wrong:
            raise UnknownRole(errors=[FieldError("unknown_role", pointer=f"{pointer}/{place}") for place in wrong])

    def permissions_of(self, roles: Iterable[str]) -> tuple[str, ...]:
        """What these roles allow together, sorted.

        Source:  NIST RBAC (INCITS 359-2012), core: permissions of a session are the union over its roles.
        """
        held = set(roles)
        return tuple(sorted({each for role in self.roles if role.name in held for each in role.permissions}))

    def with_kept(self, kept: Sequence[Role]) -> Catalogue:
        """The catalogue with what the store knows: roles of the house's own, and settings of fixed ones.

        Source:  none, plain arithmetic.
        """
        settings = {role.name: role for role in kept if not role.is_own}
        known = {each.name for each in self.permissions}
        fixed = [_with_setting(role, settings[role.name]) if role.name in settings else role for role in self.roles]
        own = [
            replace(role, permissions=tuple(each for each in role.permissions if each in known))
            for role in kept
            if role.is_own and not role.is_deleted
        ]
        return Catalogue(permissions=self.permissions, roles=(*fixed, *sorted(own, key=lambda role: role.name)))

    def role(self, name: str) -> Role:
        """The role of this name.

        Raises:  NoSuchRole.
        Source:  none, plain arithmetic.
        """
        found = next((role for role in self.roles if role.name == name), None)
        if found is None:
            raise NoSuchRole
        return found

    def with_factor(self) -> frozenset[str]:
        """The roles that want a second factor.

        Source:  none, plain arithmetic.
        """
        return frozenset(role.name for role in self.roles if role.requires_second_factor)


def catalogue(document: Mapping[str, Any]) -> Catalogue:
    """The catalogue from the published list of permissions and roles; `*` stands for every permission.

    Source:  none, plain arithmetic.
    """
    permissions = tuple(Permission(name=name, description=text) for name, text in document["permissions"].items())
    every = tuple(sorted(each.name for each in permissions))
    roles = tuple(
        Role(
            name=name,
            title=role["title"],
            description=role["description"],
            permissions=every if _EVERYTHING in role["permissions"] else tuple(sorted(role["permissions"])),
            is_assignable=name not in _GIVEN_BY_THE_SYSTEM,
        )
        for name, role in document["roles"].items()
    )
    return Catalogue(permissions=permissions, roles=roles)


def made(
    body: Mapping[str, Any], *, role_id: UUID, known: Catalogue, before: Role | None, by: Actor, at: datetime
) -> Role:
    """A role of the house's own; `before`: a deleted one of this name, whose place it takes.

    Raises:  RoleTaken, UnknownPermission, PermissionNotHeld.
    Source:  NIST RBAC (INCITS 359-2012), administrative functions: AddRole, GrantPermission.
    """
    if any(role.name == body["name"] for role in known.roles):
        raise RoleTaken
    return Role(
        name=body["name"],
        title=body["title"].strip(),
        description=body["description"].strip(),
        permissions=_permissions(body["permissions"], held=(), known=known, by=by),
        is_own=True,
        requires_second_factor=body.get("requires_second_factor", False),
        id=role_id if before is None else before.id,
        version=1 if before is None else before.version + 1,
        created_at=at,
        changed_at=at,
    )


def changed(role: Role, *, change: Mapping[str, Any], role_id: UUID, known: Catalogue, by: Actor, at: datetime) -> Role:
    """The role with another title, description, set of permissions or setting; of a fixed one the setting only.

    role_id: for a fixed role that has no row yet.

    Raises:  FixedRole, UnknownPermission, PermissionNotHeld: adding what the actor does not hold.
    Source:  NIST RBAC (INCITS 359-2012), administrative functions.
    """
    if not role.is_own and set(change) - {"requires_second_factor"}:
        raise FixedRole
    if role.name == SUPER_ADMIN:
        refuse_not_held(role.permissions, by=by)  # nobody below decides how those above are recognised
    held = role.permissions
    permissions = (
        _permissions(change["permissions"], held=held, known=known, by=by) if "permissions" in change else held
    )
    fresh = replace(
        role,
        title=change.get("title", role.title).strip(),
        description=change.get("description", role.description).strip(),
        permissions=permissions,
        requires_second_factor=change.get("requires_second_factor", role.requires_second_factor),
    )
    if fresh == role:
        return role
    return replace(
        fresh, id=role.id or role_id, version=role.version + 1, created_at=role.created_at or at, changed_at=at
    )


def deleted(role: Role, *, holders: int, at: datetime) -> Role:
    """The role, gone; its row stays for its version.

    Raises:  FixedRole. RoleInUse: somebody holds it.
    Source:  NIST RBAC (INCITS 359-2012), administrative functions: DeleteRole.
    """
    if not role.is_own:
        raise FixedRole
    if holders:
        raise RoleInUse
    return replace(role, is_deleted=True, permissions=(), version=role.version + 1, changed_at=at)


def refuse_not_held(permissions: Collection[str], *, by: Actor) -> None:
    """Refuse to give what the actor may not do himself.

    Raises:  PermissionNotHeld.
    Source:  OWASP ASVS 5.0, 8.2 (no way to rights above one's own).
    """
    if not set(permissions) <= by.permissions:
        raise PermissionNotHeld


def permissions_changed(before: Role | None, *, after: Role) -> tuple[frozenset[str], frozenset[str]]:
    """Names of the permissions that a role got, and of those that it lost.

    Source:  NIST SP 800-53 Rev. 5, AU-3 (content of audit records) and AC-6 (9).
    """
    held, given = frozenset(before.permissions if before else ()), frozenset(after.permissions)
    return given - held, held - given


def state(role: Role) -> dict[str, Any]:
    """What the history of a role keeps of one version.

    Source:  none, plain arithmetic.
    """
    names = ("name", "title", "description", "is_own", "requires_second_factor", "is_deleted")
    return {**{name: getattr(role, name) for name in names}, "permissions": list(role.permissions)}


def _permissions(given: Sequence[str], *, held: Collection[str], known: Catalogue, by: Actor) -> tuple[str, ...]:
    names = {each.name for each in known.permissions}
    wrong = [place for place, name in enumerate(given) if name not in names]
    if wrong:
        errors = [FieldError("unknown_permission", pointer=f"/permissions/{place}") for place in wrong]
        raise UnknownPermission(errors=errors)
    refuse_not_held(set(given) - set(held), by=by)
    return tuple(sorted(given))


def _with_setting(role: Role, kept: Role) -> Role:
    return replace(
        role,
        requires_second_factor=kept.requires_second_factor,
        id=kept.id,
        version=kept.version,
        created_at=kept.created_at,
        changed_at=kept.changed_at,
    )

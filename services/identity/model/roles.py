"""Roles: sets of permissions. Those of the system are fixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.kernel.errors import FieldError, Invalid

SUPER_ADMIN = "super_admin"
SERVICE = "service"
FIRST_SIGN_IN = "first_sign_in"
_EVERYTHING = "*"
_GIVEN_BY_THE_SYSTEM = frozenset({SERVICE, FIRST_SIGN_IN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of permissions; `is_assignable` says whether people may be given it."""

    name: str
    title: str
    description: str
    permissions: tuple[str, ...]
    is_assignable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One thing that may be done, in a sentence."""

    name: str
    description: str


class UnknownRole(Invalid):
    """A role that does not exist, or that people cannot be given."""

    code = "unknown_role"
    title = "There is no such role to give"


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

"""What every process must know at once: changed roles, closed accounts, ended sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.identity.model import reach
from services.identity.model.accounts import Account
from services.identity.model.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectNow:
    """An account with what holds for it from now on, whatever its tokens say."""

    subject: UUID
    roles: tuple[str, ...]
    is_active: bool
    version: int
    areas: Mapping[str, Any] = field(default_factory=dict)
    links: Sequence[Any] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleNow:
    """A role of the house's own as it is now, and of any role whether it wants a second factor."""

    role: str
    permissions: tuple[str, ...]
    second_factor: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWithdrawn:
    """A signing key whose tokens count no more."""

    kid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded:
    """A session whose tokens count no more."""

    session: UUID


Change = SubjectNow | SessionEnded | RoleNow | KeyWithdrawn


def of_account(account: Account, *, at: datetime) -> SubjectNow:
    """What holds for the account now.

    Source:  NIST RBAC (INCITS 359-2012), core: what a session may do follows the assignments of the moment.
    """
    return SubjectNow(
        subject=account.id,
        roles=account.effective_roles,
        is_active=account.is_active,
        version=account.version,
        areas=reach.areas_said(account.areas),
        links=reach.links_said(account.links, at=at),
    )


def of_role(role: Role) -> RoleNow:
    """What the role allows now; nothing when it was deleted.

    Source:  NIST RBAC (INCITS 359-2012), permission assignment.
    """
    return RoleNow(
        role=role.name,
        permissions=role.permissions if role.is_own and not role.is_deleted else (),
        second_factor=role.requires_second_factor and not role.is_deleted,
        version=role.version,
    )

"""What every process must know at once: changed roles, closed accounts, ended sessions."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.identity.model.accounts import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectNow:
    """An account with what holds for it from now on, whatever its tokens say."""

    subject: UUID
    roles: tuple[str, ...]
    is_active: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded:
    """A session whose tokens count no more."""

    session: UUID


Change = SubjectNow | SessionEnded


def of_account(account: Account) -> SubjectNow:
    """What holds for the account now.

    Source:  NIST RBAC (INCITS 359-2012), core: what a session may do follows the assignments of the moment.
    """
    return SubjectNow(
        subject=account.id, roles=account.effective_roles, is_active=account.is_active, version=account.version
    )

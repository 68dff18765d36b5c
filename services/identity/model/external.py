"""Sign-in by an outside provider (OpenID Connect): one try, what the provider says, and which roles follow from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from services.identity.model.accounts import Account, Kind, canonical
from services.identity.model.roles import SUPER_ADMIN
from services.kernel.errors import Conflict, FieldError, Invalid, NotSignedIn

LIFE: Final = timedelta(minutes=10)
TABLE_ID: Final = UUID("00000000-0000-7000-8000-000000000001")
"""The id of the one table of groups, for its history."""
_NOT_A_NAME: Final = re.compile(r"[^a-z0-9._-]+")


class ExternalRefused(NotSignedIn):
    """What the provider sent back does not open an account. One answer for every reason."""

    code = "external_sign_in_refused"
    title = "This sign-in cannot be completed"


class NoProvider(Conflict):
    """No outside provider is set up here."""

    code = "no_provider"
    title = "No outside provider is set up here"


class NotByGroup(Invalid):
    """Who manages everything is decided in the house, not by a group elsewhere."""

    code = "not_by_group"
    title = "This role is not given by a group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One sign-in that was begun. State and binding are kept as digests, the verifier sealed; it counts once."""

    state_digest: bytes
    binding_digest: bytes
    nonce: str
    sealed_verifier: bytes
    made_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a checked id token says of a person."""

    issuer: str
    subject: str
    username: str
    display_name: str
    email: str | None
    groups: tuple[str, ...]
    has_second_factor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRoles:
    """Which roles a group of the provider gives."""

    entries: Mapping[str, tuple[str, ...]]
    created_at: datetime
    changed_at: datetime
    id: UUID = TABLE_ID
    version: int = 1


class Provider(Protocol):
    """The outside provider that is set up."""

    def begin(self, *, state: str, nonce: str, verifier: str) -> str:
        """The address to send the person to.

        Raises:  Unavailable.
        """

    def complete(self, *, code: str, nonce: str, verifier: str, at: datetime) -> Said:
        """Exchange the code and check what comes back.

        Raises:  ExternalRefused, Unavailable.
        """

    def seal(self, verifier: str, *, state_digest: bytes) -> bytes:
        """The verifier, unreadable in the store."""

    def unseal(self, sealed: bytes, *, state_digest: bytes) -> str:
        """The verifier in clear."""


def is_open(attempt: Attempt, *, binding_digest: bytes, at: datetime) -> bool:
    """Whether an attempt may be completed now, by whoever began it.

    Source:  RFC 9700, section 4.7 (CSRF: state bound to the user agent), single use.
    """
    is_same = attempt.binding_digest == binding_digest
    return is_same and attempt.used_at is None and at < attempt.made_at + LIFE


def roles_of(table: GroupRoles | None, *, groups: Iterable[str]) -> tuple[str, ...]:
    """The roles that these groups give.

    Source:  NIST RBAC (INCITS 359-2012), user assignment, here by membership elsewhere.
    """
    entries = {} if table is None else table.entries
    return tuple(sorted({role for group in groups for role in entries.get(group, ())}))


def changed(table: GroupRoles, *, entries: Sequence[Mapping[str, object]], at: datetime) -> GroupRoles:
    """The table with exactly these entries.

    Raises:  NotByGroup: super admins are made in the house only. Invalid: a group stands twice.
    Source:  NIST SP 800-53 Rev. 5, AC-6 (5): privileged accounts are given one by one.
    """
    fresh: dict[str, tuple[str, ...]] = {}
    for number, each in enumerate(entries):
        group, given = str(each["group"]).strip(), each["roles"]
        given = tuple(sorted(map(str, given if isinstance(given, Sequence) else ())))
        if SUPER_ADMIN in given:
            raise NotByGroup(errors=[FieldError("not_by_group", pointer=f"/entries/{number}/roles")])
        if group in fresh:
            raise Invalid(errors=[FieldError("repeated", pointer=f"/entries/{number}/group")])
        fresh[group] = given
    if fresh == table.entries:
        return table
    return replace(table, entries=fresh, version=table.version + 1, changed_at=at)


def username(said: Said, *, is_taken: Iterable[str]) -> str:
    """A user name for a new account, made from what the provider calls the person; never one that is taken.

    An account that has the name already is not the same person's for that reason: names and mail addresses of a
    provider can be chosen or given away again.

    Source:  OpenID Connect Core 1.0, section 5.7 (only issuer and subject identify).
    """
    taken = set(is_taken)
    return next(name for name in _names(base_name(said)) if name not in taken)


def base_name(said: Said) -> str:
    """What a user name for this person begins with.

    Source:  none, plain arithmetic.
    """
    local = canonical(said.username.partition("@")[0])
    base = _NOT_A_NAME.sub("-", local).strip("-._")[:48].strip("-._") or "user"
    return base if len(base) >= 3 else f"{base}-user"


def _names(base: str) -> Iterable[str]:
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def roles_changed(before: GroupRoles, *, after: GroupRoles) -> tuple[frozenset[str], frozenset[str]]:
    """What groups give more, and what they give less: each role after the group that gives it.

    Source:  NIST SP 800-53 Rev. 5, AU-3 (content of audit records).
    """
    held = frozenset(f"{group}: {role}" for group, given in before.entries.items() for role in given)
    now = frozenset(f"{group}: {role}" for group, given in after.entries.items() for role in given)
    return now - held, held - now


def new_account(said: Said, *, account_id: UUID, name: str, roles: Sequence[str], at: datetime) -> Account:
    """The account of somebody whom the provider sends for the first time; it has no password here.

    Source:  OpenID Connect Core 1.0, section 5.7.
    """
    return Account(
        id=account_id,
        kind=Kind.PERSON,
        username=name,
        display_name=said.display_name,
        email=said.email,
        roles=tuple(roles),
        created_at=at,
        changed_at=at,
    )


def followed(account: Account, *, roles: Sequence[str], at: datetime) -> Account:
    """The account with the roles that its groups give now; areas of roles that it keeps stay.

    A super admin of the house stays one, whatever a provider says.

    Source:  NIST SP 800-53 Rev. 5, AC-2 (accounts follow changes of employment).
    """
    given = tuple(sorted({*roles, *({SUPER_ADMIN} & set(account.roles))}))
    if given == account.roles:
        return account
    areas = {role: area for role, area in account.areas.items() if role in given}
    return replace(account, roles=given, areas=areas, version=account.version + 1, changed_at=at)

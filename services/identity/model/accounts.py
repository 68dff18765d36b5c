"""Accounts of people and of services: who may sign in, and with which roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from services.identity.model import reach
from services.identity.model.reach import Area, Link
from services.identity.model.roles import FIRST_SIGN_IN, PATIENT, SUPER_ADMIN
from services.kernel.access import Actor
from services.kernel.errors import Conflict, Forbidden, NotFound, Stale
from services.kernel.events import Event

ONE_TIME_LIFE: Final = timedelta(days=14)


class Kind(StrEnum):
    """Who stands behind an account."""

    PERSON = "person"
    SERVICE = "service"


class UnknownAccount(NotFound):
    """No account has this id."""


class UsernameTaken(Conflict):
    """Another account has this user name."""

    code = "username_taken"
    title = "This user name is taken"


class LastSuperAdmin(Conflict):
    """Nobody could manage the house any more."""

    code = "last_super_admin"
    title = "The last active super admin stays one"


class NotAPerson(Conflict):
    """A service has no password and no other role: its secret comes with its deployment."""

    code = "not_a_person"
    title = "This is the account of a service"


class OwnRoles(Forbidden):
    """Nobody gives roles to himself; a super admin holds them all."""

    code = "own_roles"
    title = "Your own roles are given by somebody else"


class NoPassword(Conflict):
    """The account has no password here: its owner signs in by an outside provider."""

    code = "no_password"
    title = "This account has no password here"


class SuperAdminOnly(Forbidden):
    """Only a super admin decides about super admins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account. `password_hash` is of a person, `secret_digest` of a service; neither ever leaves the store.

    one_time_until: how long a password that was given out still opens the door; None: no end. areas: where roles hold
    that do not hold everywhere. links: records that it may act about. second_factor_since: None: it has none.
    """

    id: UUID
    kind: Kind
    username: str
    display_name: str
    roles: tuple[str, ...]
    created_at: datetime
    changed_at: datetime
    email: str | None = None
    is_active: bool = True
    must_change_password: bool = False
    one_time_until: datetime | None = None
    password_hash: str | None = None
    secret_digest: bytes | None = None
    areas: Mapping[str, Area] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    second_factor_since: datetime | None = None
    version: int = 1

    @property
    def effective_roles(self) -> tuple[str, ...]:
        """What tokens carry: nothing but the way to a password of one's own, until there is one."""
        if self.must_change_password or not self.roles:
            return (FIRST_SIGN_IN,)
        return self.roles

    @property
    def is_super_admin(self) -> bool:
        """Whether it manages everything."""
        return SUPER_ADMIN in self.roles

    def may_sign_in(self, at: datetime) -> bool:
        """Whether the right password opens the door."""
        is_in_time = not self.must_change_password or self.one_time_until is None or at < self.one_time_until
        return self.kind is Kind.PERSON and self.is_active and is_in_time


_SHOWN = (
    "username",
    "display_name",
    "email",
    "roles",
    "is_active",
    "must_change_password",
    "areas",
    "links",
    "second_factor_since",
)
_NAMES = {"is_active": "active", "second_factor_since": "second_factor"}


def canonical(username: str) -> str:
    """The form in which user names are compared: no blanks around, no difference between large and small letters.

    Source:  RFC 8265 (UsernameCaseMapped), for the ASCII names that accounts have.
    """
    return username.strip().lower()


def create(
    *,
    account_id: UUID,
    body: Mapping[str, Any],
    password_hash: str,
    by: Actor,
    at: datetime,
    areas: Mapping[str, Area] | None = None,
) -> Account:
    """A new account of a person, with a password that must be changed at the first sign-in.

    Raises:  SuperAdminOnly: the actor may not give that role. Forbidden: the actor may not give roles.
    Source:  NIST SP 800-63B-4, section 3.1.1.2 (a password given out by others is temporary).
    """
    if not by.may("roles.assign"):
        raise Forbidden
    account = Account(
        id=account_id,
        kind=Kind.PERSON,
        username=canonical(body["username"]),
        display_name=body["display_name"].strip(),
        email=body.get("email"),
        roles=tuple(sorted(body["roles"])),
        created_at=at,
        changed_at=at,
        must_change_password=True,
        one_time_until=at + ONE_TIME_LIFE,
        password_hash=password_hash,
        areas=areas or {},
    )
    refuse_unless_above(account, by=by)
    return account


def refuse_unless_above(account: Account, *, by: Actor) -> None:
    """Let only a super admin touch a super admin: whoever could reset that password would be one.

    Raises:  SuperAdminOnly.
    Source:  OWASP ASVS 5.0, 8.2 (no way to rights above one's own).
    """
    if account.is_super_admin and SUPER_ADMIN not in by.roles:
        raise SuperAdminOnly


def changed(account: Account, *, change: Mapping[str, Any], by: Actor, at: datetime) -> Account:
    """The account with another name or e-mail address.

    Raises:  NotAPerson, SuperAdminOnly.
    Source:  none, plain arithmetic.
    """
    refuse_service(account)
    refuse_unless_above(account, by=by)
    fresh = replace(
        account,
        display_name=change.get("display_name", account.display_name).strip(),
        email=change.get("email", account.email),
    )
    return _next(account, fresh=fresh, at=at)


def with_roles(
    account: Account, *, roles: Sequence[str], by: Actor, at: datetime, areas: Mapping[str, Area] | None = None
) -> Account:
    """The account with exactly these roles, each in its area.

    Raises:  NotAPerson, SuperAdminOnly: giving or taking that role. OwnRoles: the actor's own account.
    Source:  NIST RBAC (INCITS 359-2012), user assignment; NIST SP 800-53 Rev. 5, AC-5 (separation of duties).
    """
    refuse_service(account)
    if str(account.id) == by.subject and SUPER_ADMIN not in by.roles:
        raise OwnRoles
    fresh = replace(account, roles=tuple(sorted(roles)), areas=areas or {})
    refuse_unless_above(account, by=by)
    refuse_unless_above(fresh, by=by)
    return _next(account, fresh=fresh, at=at)


def disabled(account: Account, *, by: Actor, at: datetime) -> Account:
    """The account, closed: no sign-in, and no token of it counts any more.

    Raises:  SuperAdminOnly.
    Source:  HIPAA 45 CFR 164.308(a)(3)(ii)(C), termination procedures.
    """
    refuse_unless_above(account, by=by)
    return _next(account, fresh=replace(account, is_active=False), at=at)


def enabled(account: Account, *, by: Actor, at: datetime) -> Account:
    """The account, open again, with the roles that it had.

    Raises:  SuperAdminOnly.
    Source:  none, plain arithmetic.
    """
    refuse_unless_above(account, by=by)
    return _next(account, fresh=replace(account, is_active=True), at=at)


def with_one_time_password(account: Account, *, password_hash: str, by: Actor, at: datetime) -> Account:
    """The account with a password that was given out and must be changed.

    Raises:  NotAPerson, SuperAdminOnly.
    Source:  NIST SP 800-63B-4, section 3.1.1.2 (a password given out by others is temporary).
    """
    refuse_service(account)
    refuse_unless_above(account, by=by)
    fresh = replace(account, password_hash=password_hash, must_change_password=True, one_time_until=at + ONE_TIME_LIFE)
    return _next(account, fresh=fresh, at=at, always=True)


def with_own_password(account: Account, *, password_hash: str, at: datetime) -> Account:
    """The account with a password that its owner chose.

    Source:  NIST SP 800-63B-4, section 3.1.1.2.
    """
    fresh = replace(account, password_hash=password_hash, must_change_password=False, one_time_until=None)
    return _next(account, fresh=fresh, at=at, always=True)


def with_link(account: Account, *, link: Link, at: datetime) -> Account:
    """The account with one more record that it may act about, and the role for it.

    Raises:  LinkedAlready, TooManyLinks.
    Source:  NIST SP 800-53 Rev. 5, AC-3 (11): access by relation to the record.
    """
    roles = tuple(sorted({*account.roles, PATIENT}))
    return _next(account, fresh=replace(account, links=reach.linked(account.links, new=link), roles=roles), at=at)


def without_link(account: Account, *, link_id: UUID, at: datetime) -> Account:
    """The account without a link.

    Raises:  UnknownLink.
    Source:  none, plain arithmetic.
    """
    return _next(account, fresh=replace(account, links=reach.without(account.links, link_id=link_id)), at=at)


def with_second_factor(account: Account, *, since: datetime | None, at: datetime) -> Account:
    """The account with a second factor, or without one.

    Source:  NIST SP 800-63B-4, section 4.1 (binding and loss of authenticators).
    """
    return _next(account, fresh=replace(account, second_factor_since=since), at=at)


def refuse_service(account: Account) -> None:
    """Refuse what makes sense for people only.

    Raises:  NotAPerson.
    Source:  none, plain arithmetic.
    """
    if account.kind is Kind.SERVICE:
        raise NotAPerson


def refuse_loss_of_last_super_admin(before: Account, *, after: Account, others: int) -> None:
    """Refuse a change after which no active super admin would be left; `others`: how many there are beside this one.

    Raises:  LastSuperAdmin.
    Source:  NIST SP 800-53 Rev. 5, AC-2 (privileged accounts stay manageable).
    """
    was = before.is_super_admin and before.is_active
    stays = after.is_super_admin and after.is_active
    if was and not stays and others == 0:
        raise LastSuperAdmin


def refuse_stale(version: int, *, expected: int | None, fields_since: Sequence[str]) -> None:
    """Refuse a change that starts from an old version, with the names of the fields that others changed since.

    Raises:  Stale.
    Source:  RFC 9110, section 13.1.1 (If-Match).
    """
    if expected is not None and expected != version:
        raise Stale(fields=sorted(set(fields_since)))


def differing(before: Any, *, after: Any, names: Sequence[str] = _SHOWN) -> tuple[str, ...]:
    """Names of the fields in which two states differ, as the contract calls them.

    Source:  none, plain arithmetic.
    """
    return tuple(
        _NAMES.get(name, name) for name in names if before is None or getattr(before, name) != getattr(after, name)
    )


def roles_changed(before: Account | None, *, after: Account) -> tuple[frozenset[str], frozenset[str]]:
    """Names of the roles that an account got, and of those that it lost.


    Source:  NIST SP 800-53 Rev. 5, AU-3 (content of audit records) and AC-2 (4).
    """
    held, given = frozenset(before.roles if before else ()), frozenset(after.roles)
    return given - held, held - given


def state(account: Account) -> dict[str, Any]:
    """What the history of an account keeps of one version: never a hash.

    Source:  none, plain arithmetic.
    """
    kept = {each.name for each in fields(account)} - {"password_hash", "secret_digest", "id", "version"}
    return {name: _plain(getattr(account, name)) for name in sorted(kept)}


def event(name: str, *, account: Account) -> Event:
    """What happened to an account, for other services: its id and its roles.

    Source:  none, plain arithmetic.
    """
    data = {"user_id": str(account.id), "active": account.is_active, "roles": list(account.roles)}
    return Event(type=f"identity.{name}.v1", subject=str(account.id), version=account.version, data=data)


def _next(account: Account, *, fresh: Account, at: datetime, always: bool = False) -> Account:
    """The next version, or the same one when nothing changed."""
    if fresh == account and not always:
        return account
    return replace(fresh, version=account.version + 1, changed_at=at)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Area | Link):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return str(value) if isinstance(value, UUID | StrEnum) else value

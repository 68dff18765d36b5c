"""What the rules need of a store, in words of this service."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.identity.model import policy
from services.identity.model.accounts import Account
from services.identity.model.activation import ActivationCode
from services.identity.model.clients import ServiceKey
from services.identity.model.external import Attempt, GroupRoles
from services.identity.model.factors import Challenge, SecondFactor
from services.identity.model.keys import SigningKey
from services.identity.model.places import Department, Facility, Location, Place
from services.identity.model.resets import Reset
from services.identity.model.roles import Role
from services.identity.model.sessions import Ended, RefreshToken, Session
from services.identity.model.throttle import Counter
from services.kernel.access import Scope as Reach
from services.kernel.events import Event


@dataclass(frozen=True, slots=True)
class Scope:
    """What is throttled: an account name, a device, a source or the house, as a digest that tells nobody which.

    about: for those who may lift it: the id of the account, where there is one, or the address.
    """

    kind: str
    digest: bytes
    about: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Throttled:
    """A counter that is kept, with what it counts."""

    scope: Scope
    counter: Counter


class Reading(Protocol):
    """Single reads."""

    def account(self, account_id: UUID) -> Account:
        """The account; UnknownAccount otherwise."""

    def account_named(self, username: str) -> Account | None:
        """The account with this canonical name."""

    def accounts(
        self, *, after: UUID | None, limit: int, role: str | None, active: bool | None, within: Reach
    ) -> list[Account]:
        """Accounts in the order of their making, those that are administered within a reach."""

    def accounts_among(self, account_ids: Collection[UUID]) -> list[Account]:
        """Those of these accounts that there are."""

    def open_sessions(self, account_id: UUID, *, at: datetime, idle_since: datetime) -> list[Session]:
        """Sessions that can still be refreshed, newest first."""

    def place(self, kind: type[Any], place_id: UUID) -> Any:
        """The facility, location or department; UnknownPlace otherwise."""

    def facilities(self, *, after: UUID | None, limit: int) -> list[Facility]:
        """Facilities in the order of their making."""

    def locations(self, *, after: UUID | None, limit: int, facility_id: UUID | None) -> list[Location]:
        """Locations in the order of their making."""

    def departments(self, *, after: UUID | None, limit: int, facility_id: UUID | None) -> list[Department]:
        """Departments in the order of their making."""

    def keys(self) -> list[SigningKey]:
        """All signing keys."""

    def facilities_named(self, ids: Collection[UUID]) -> dict[UUID, Facility]:
        """Those of these facilities that exist."""

    def departments_named(self, ids: Collection[UUID]) -> dict[UUID, Department]:
        """Those of these departments that exist."""

    def kept_roles(self) -> list[Role]:
        """Roles of the house's own, deleted ones among them, and fixed ones that have a setting."""

    def second_factor(self, account_id: UUID) -> SecondFactor | None:
        """The second factor of an account, confirmed or not."""

    def throttled(self, *, about: str | None, limit: int) -> list[Throttled]:
        """Counters that count something, of one account or of all, those with the most failures first."""

    def counter_about(self, scope: Scope) -> str | None:
        """The account or address that a counter is about; None for what nobody has, or no counter."""

    def clients(self, *, after: UUID | None, limit: int) -> list[Account]:
        """Accounts of programs of others, in the order of their making."""

    def service_keys(self, account_id: UUID) -> list[ServiceKey]:
        """The keys of such an account, newest first."""

    def unsent_resets(self, *, since: datetime, limit: int) -> list[tuple[Reset, Account]]:
        """Links whose mail has not gone out, with their accounts, oldest first."""

    def service_key_of(self, digest: bytes) -> ServiceKey | None:
        """The key with this digest."""

    def group_roles(self) -> GroupRoles | None:
        """Which roles groups of the provider give."""


class Work(Reading, Protocol):
    """One transaction."""

    def account_for_change(self, account_id: UUID) -> Account:
        """The account, held for this transaction; UnknownAccount otherwise."""

    def add_account(self, account: Account) -> None:
        """A new account; UsernameTaken otherwise."""

    def save_account(self, account: Account, *, fields: Sequence[str]) -> None:
        """The next version of an account that is held, and in its history what changed."""

    def better_hash(self, account_id: UUID, *, fresh: str, instead_of: str) -> None:
        """The same password under today's settings of hashing; no new version."""

    def other_super_admins(self, account_id: UUID) -> int:
        """How many active super admins there are beside this one; nobody else can change that until the end."""

    def fields_since(self, record: UUID, *, version: int) -> list[str]:
        """Names of the fields that changed after a version."""

    def counters(self, scopes: Sequence[Scope]) -> dict[Scope, Counter]:
        """The counters of failures, held for this transaction."""

    def set_counters(self, counters: Mapping[Scope, Counter]) -> None:
        """New states of counters that are held."""

    def add_session(self, session: Session, *, refresh: RefreshToken) -> None:
        """A new session with its first refresh token."""

    def session_of_token(self, digest: bytes) -> tuple[Session, RefreshToken] | None:
        """A refresh token and its session, both held for this transaction."""

    def exchange_token(self, session: Session, *, used: RefreshToken, fresh: RefreshToken) -> None:
        """Mark one token as used, and keep the next."""

    def end_session(self, session_id: UUID, *, account_id: UUID, at: datetime, why: Ended) -> bool:
        """End a session of an account; False when it has no such open one. Tells the policy."""

    def end_sessions(self, account_id: UUID, *, at: datetime, why: Ended, but: UUID | None = None) -> int:
        """End all open sessions of an account but one. Tells the policy."""

    def add_place(self, place: Place) -> None:
        """A new facility, location or department; NameTaken otherwise."""

    def place_for_change(self, kind: type[Any], place_id: UUID) -> Any:
        """The place, held for this transaction; UnknownPlace otherwise."""

    def save_place(self, place: Place, *, fields: Sequence[str]) -> None:
        """The next version of a place that is held; NameTaken otherwise."""

    def keys_for_change(self) -> list[SigningKey]:
        """All signing keys, held for this transaction; nobody else adds one until its end."""

    def add_key(self, key: SigningKey) -> None:
        """A new signing key."""

    def erase_private(self, kids: Collection[str]) -> None:
        """Erase private halves."""

    def set_keys(self, keys: Sequence[SigningKey]) -> None:
        """New states of signing keys that are held."""

    def roles_for_change(self) -> list[Role]:
        """As kept_roles, held for this transaction."""

    def save_role(self, role: Role, *, fields: Sequence[str]) -> None:
        """A new role, or the next version of one."""

    def holders_of(self, role: str) -> int:
        """How many accounts and groups hold a role."""

    def second_factor_for_change(self, account_id: UUID) -> SecondFactor | None:
        """The second factor of an account, held for this transaction."""

    def set_second_factor(self, factor: SecondFactor) -> None:
        """Keep the second factor of an account, in the place of the one before."""

    def drop_second_factor(self, account_id: UUID) -> None:
        """Forget the second factor of an account with its backup codes."""

    def set_backup_codes(self, account_id: UUID, *, digests: Collection[bytes]) -> None:
        """Keep these backup codes and no others."""

    def use_backup_code(self, account_id: UUID, *, digest: bytes) -> bool:
        """Use one up; False when the account has no such code."""

    def add_challenge(self, challenge: Challenge) -> None:
        """A sign-in whose first half was right."""

    def challenge_for_change(self, digest: bytes) -> Challenge | None:
        """The challenge, held for this transaction."""

    def save_challenge(self, challenge: Challenge) -> None:
        """The new state of a challenge that is held."""

    def session_for_change(self, session_id: UUID, *, account_id: UUID) -> Session | None:
        """An open session of an account, held for this transaction."""

    def save_session(self, session: Session) -> None:
        """The new state of a session that is held."""

    def clear_counter(self, scope: Scope) -> bool:
        """Forget a counter; False when there is none."""

    def add_activation_code(self, code: ActivationCode) -> None:
        """A new activation code."""

    def activation_code_for_change(self, digest: bytes) -> ActivationCode | None:
        """The code, held for this transaction."""

    def save_activation_code(self, code: ActivationCode) -> None:
        """The new state of a code that is held."""

    def add_service_key(self, key: ServiceKey) -> None:
        """A new key of a service account."""

    def service_key_for_change(self, key_id: UUID, *, account_id: UUID) -> ServiceKey:
        """The key, held for this transaction; UnknownKey otherwise."""

    def save_service_key(self, key: ServiceKey) -> None:
        """The new state of a key that is held. Tells the policy."""

    def add_attempt(self, attempt: Attempt) -> None:
        """A sign-in by the provider that was begun."""

    def attempt_for_change(self, state_digest: bytes) -> Attempt | None:
        """The attempt, held for this transaction."""

    def save_attempt(self, attempt: Attempt) -> None:
        """The new state of an attempt that is held."""

    def external_account(self, issuer: str, *, subject: str) -> UUID | None:
        """The account of whom the provider calls this; nobody else makes one until the end of this transaction."""

    def add_external(self, issuer: str, *, subject: str, account_id: UUID, at: datetime) -> None:
        """Whom the provider calls this has this account."""

    def usernames_beginning(self, base: str) -> set[str]:
        """User names that begin so."""

    def save_group_roles(self, table: GroupRoles, *, fields: Sequence[str]) -> None:
        """The table, new or in its next version."""

    def accounts_at(self, facility_id: UUID) -> list[Account]:
        """Accounts with a role that is narrowed to this facility, held for this transaction."""

    def add_reset(self, reset: Reset) -> None:
        """A new password that was asked for."""

    def reset_for_change(self, digest: bytes) -> Reset | None:
        """What was asked for with this link, held for this transaction."""

    def save_reset(self, reset: Reset) -> None:
        """Its new state."""

    def accounts_linked(self, *, patient_id: UUID) -> list[Account]:
        """Accounts that are linked to a record."""

    def account_of_link(self, link_id: UUID) -> Account:
        """The account with this link, held for this transaction; UnknownLink otherwise."""

    def announce(self, change: policy.Change) -> None:
        """Tell every process, after the commit and surely."""

    def record(self, *events: Event) -> None:
        """Tell other services, after the commit and surely."""


class Store(Protocol):
    """Where accounts, sessions, keys and places are kept."""

    def begin(self, call: Any) -> AbstractContextManager[Work]:
        """One transaction with all that belongs to the call."""

    def read(self) -> AbstractContextManager[Reading]:
        """Reads without a transaction."""

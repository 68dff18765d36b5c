"""What the rules need of a store, in words of this service."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.identity.model import policy
from services.identity.model.accounts import Account
from services.identity.model.keys import SigningKey
from services.identity.model.places import Department, Facility, Location, Place
from services.identity.model.sessions import Ended, RefreshToken, Session
from services.identity.model.throttle import Counter
from services.kernel.events import Event


@dataclass(frozen=True, slots=True)
class Scope:
    """What is throttled: an account name or a source, as a digest that tells nobody which."""

    kind: str
    digest: bytes


class Reading(Protocol):
    """Single reads."""

    def account(self, account_id: UUID) -> Account:
        """The account; UnknownAccount otherwise."""

    def account_named(self, username: str) -> Account | None:
        """The account with this canonical name."""

    def accounts(self, *, after: UUID | None, limit: int, role: str | None, active: bool | None) -> list[Account]:
        """Accounts in the order of their making."""

    def names(self, account_ids: Collection[UUID]) -> dict[UUID, str]:
        """What these accounts are called, those that there are."""

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

"""A store of identity in memory, for the controller's own tests: rows are dictionaries, a unit of work is a copy."""

from __future__ import annotations

import copy
import itertools
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.chassis.call import Call
from services.identity.controller import Desk, IdentityController
from services.identity.model import accounts, places, roles
from services.identity.model.keys import SigningKey
from services.identity.model.passwords import HashingBusy, Verdict
from services.identity.model.sessions import Limits
from services.identity.model.store import Scope
from services.identity.model.throttle import Counter, Rule
from services.kernel.access import NOBODY, Actor

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_ids = itertools.count(1)


def new_id() -> UUID:
    """A new id, in order."""
    return UUID(int=next(_ids))


@dataclass
class Rows:
    """Everything that is kept."""

    accounts: dict[UUID, accounts.Account] = field(default_factory=dict)
    versions: list[tuple[UUID, int, tuple[str, ...]]] = field(default_factory=list)
    counters: dict[Scope, Counter] = field(default_factory=dict)
    sessions: dict[UUID, Any] = field(default_factory=dict)
    tokens: dict[bytes, Any] = field(default_factory=dict)
    places: dict[UUID, Any] = field(default_factory=dict)
    keys: list[SigningKey] = field(default_factory=list)
    changes: list[Any] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    roles: dict[str, roles.Role] = field(default_factory=dict)
    factors: dict[UUID, Any] = field(default_factory=dict)
    backup_codes: dict[UUID, set[bytes]] = field(default_factory=dict)
    challenges: dict[bytes, Any] = field(default_factory=dict)
    service_keys: dict[bytes, Any] = field(default_factory=dict)


class FakeWork:
    """Reads and writes on rows."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def account(self, account_id):
        if account_id not in self.rows.accounts:
            raise accounts.UnknownAccount
        return self.rows.accounts[account_id]

    account_for_change = account

    def account_named(self, username):
        return next((each for each in self.rows.accounts.values() if each.username == username), None)

    def accounts(self, *, after, limit, role, active):
        found = sorted(self.rows.accounts.values(), key=lambda each: each.id)
        return [
            each
            for each in found
            if (after is None or each.id > after)
            and (role is None or role in each.roles)
            and active in (None, each.is_active)
        ][:limit]

    def add_account(self, account):
        if self.account_named(account.username):
            raise accounts.UsernameTaken
        self.rows.accounts[account.id] = account

    def save_account(self, account, *, fields):
        self.rows.accounts[account.id] = account
        self.rows.versions.append((account.id, account.version, tuple(fields)))

    def better_hash(self, account_id, *, fresh, instead_of):
        account = self.rows.accounts[account_id]
        if account.password_hash == instead_of:
            self.rows.accounts[account_id] = replace(account, password_hash=fresh)

    def other_super_admins(self, account_id):
        found = self.rows.accounts.values()
        return sum(1 for each in found if each.id != account_id and each.is_active and each.is_super_admin)

    def fields_since(self, record, *, version):
        return [name for of, v, names in self.rows.versions if of == record and v > version for name in names]

    def counters(self, scopes):
        return {scope: self.rows.counters.get(scope, Counter()) for scope in scopes}

    def set_counters(self, counters):
        self.rows.counters.update(counters)

    def add_session(self, session, *, refresh):
        self.rows.sessions[session.id] = session
        self.rows.tokens[refresh.digest] = refresh

    def session_of_token(self, digest):
        token = self.rows.tokens.get(digest)
        return None if token is None else (self.rows.sessions[token.session_id], token)

    def exchange_token(self, session, *, used, fresh):
        self.rows.sessions[session.id] = session
        self.rows.tokens[used.digest] = replace(used, used_at=session.used_at)
        self.rows.tokens[fresh.digest] = fresh

    def end_session(self, session_id, *, account_id, at, why):
        session = self.rows.sessions.get(session_id)
        if session is None or session.account_id != account_id or session.ended_at is not None:
            return False
        self.rows.sessions[session_id] = replace(session, ended_at=at, ended_why=why)
        self.announce(session_id)
        return True

    def end_sessions(self, account_id, *, at, why, but=None):
        found = [each.id for each in self.rows.sessions.values() if each.account_id == account_id and each.id != but]
        return sum(self.end_session(each, account_id=account_id, at=at, why=why) for each in found)

    def open_sessions(self, account_id, *, at, idle_since):
        found = [each for each in self.rows.sessions.values() if each.account_id == account_id]
        return [each for each in found if each.ended_at is None and each.used_at > idle_since and each.expires_at > at]

    def place(self, kind, place_id):
        found = self.rows.places.get(place_id)
        if not isinstance(found, kind):
            raise places.UnknownPlace
        return found

    place_for_change = place

    def add_place(self, place):
        self.rows.places[place.id] = place

    def save_place(self, place, *, fields):
        self.rows.places[place.id] = place
        self.rows.versions.append((place.id, place.version, tuple(fields)))

    def keys(self):
        return list(self.rows.keys)

    keys_for_change = keys

    def add_key(self, key):
        self.rows.keys.append(key)

    def kept_roles(self):
        return list(self.rows.roles.values())

    roles_for_change = kept_roles

    def save_role(self, role, *, fields):
        self.rows.roles[role.name] = role
        self.rows.versions.append((role.id, role.version, tuple(fields)))

    def holders_of(self, role):
        return sum(role in each.roles for each in self.rows.accounts.values())

    def facilities_named(self, ids):
        return {each: self.rows.places[each] for each in ids if each in self.rows.places}

    departments_named = facilities_named

    def second_factor_for_change(self, account_id):
        return self.rows.factors.get(account_id)

    def set_second_factor(self, factor):
        self.rows.factors[factor.account_id] = factor

    def drop_second_factor(self, account_id):
        self.rows.factors.pop(account_id, None)
        self.rows.backup_codes.pop(account_id, None)

    def set_backup_codes(self, account_id, *, digests):
        self.rows.backup_codes[account_id] = set(digests)

    def use_backup_code(self, account_id, *, digest):
        held = self.rows.backup_codes.get(account_id, set())
        found = digest in held
        held.discard(digest)
        return found

    def add_challenge(self, challenge):
        self.rows.challenges[challenge.digest] = challenge

    def challenge_for_change(self, digest):
        return self.rows.challenges.get(digest)

    save_challenge = add_challenge

    def session_for_change(self, session_id, *, account_id):
        found = self.rows.sessions.get(session_id)
        return found if found is not None and found.account_id == account_id and found.ended_at is None else None

    def save_session(self, session):
        self.rows.sessions[session.id] = session

    def service_key_of(self, digest):
        return self.rows.service_keys.get(digest)

    def announce(self, change):
        self.rows.changes.append(change)

    def record(self, *events):
        self.rows.events.extend(events)


class FakeStore:
    """A unit of work is a copy that takes the place of the rows when it ends well."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.entries: list[Any] = []

    @contextmanager
    def begin(self, call):
        rows = copy.deepcopy(self.rows)
        yield FakeWork(rows)
        self.rows = rows
        if call.entry is not None:
            self.entries.append(call.entry)
            call.entry, call.audited = None, True

    @contextmanager
    def read(self):
        yield FakeWork(self.rows)


class FakeHasher:
    """A hash that can be read, and a cap that can be reached."""

    is_busy, is_outdated = False, False

    def hash(self, password):
        if self.is_busy:
            raise HashingBusy
        return f"hash of {password}"

    def check(self, password, *, against):
        if self.is_busy:
            raise HashingBusy
        fits = against in {f"hash of {password}", f"old hash of {password}"}
        return Verdict(fits=fits, is_outdated=fits and against.startswith("old"))


class FakeMint:
    """Tokens that are their claims."""

    def sign(self, claims, *, at):
        assert at
        return f"token of {claims['sub']} as {','.join(claims['roles'])}"

    def published(self, *, at):
        assert at
        return [{"kid": "k1"}]

    def forget(self):
        """Nothing is kept."""

    def make(self):
        return "k2", {"kid": "k2"}, b"sealed"


class FakeDevices:
    """A device is known by the name of its owner."""

    def new(self, name, *, at):
        assert at
        return f"device of {name}"

    def known(self, name, token, *, at):
        assert at
        return name.encode() if token == f"device of {name}" else None


class FakeAuthenticator:
    """A code is the number of its step."""

    def new_secret(self, account_id):
        return "SECRET", f"sealed for {account_id}".encode()

    def address(self, secret, *, username):
        return f"otpauth://{username}/{secret}"

    def step_of(self, sealed, code, *, account_id, at):
        assert sealed == f"sealed for {account_id}".encode()
        now = int(at.timestamp()) // 30
        return int(code) if code.isdigit() and abs(int(code) - now) <= 1 else None


def desk(store: FakeStore, hasher: FakeHasher) -> Desk:
    """A desk on fakes."""
    document = {
        "permissions": {"users.manage": "Manage."},
        "roles": {
            name: {"title": name, "description": name, "permissions": ["*"]}
            for name in ("super_admin", "admin", "nurse")
        },
    }
    return Desk(
        store=store,
        passwords=hasher,
        mint=FakeMint(),
        key_maker=FakeMint(),
        catalogue=roles.catalogue(document),
        zones=frozenset({"Europe/Berlin"}),
        limits=Limits(),
        throttles={
            "account": Rule(free=3),
            "device": Rule(free=3),
            "factor": Rule(free=3),
            "source": Rule(free=50),
            "house": Rule(free=1000, window=timedelta(minutes=1)),
        },
        new_id=new_id,
        secret=lambda: f"secret number {next(_ids)}",
        randomness=lambda size: bytes(range(size)),
        digest=str.encode,
        common={"everybody tries this one"},
        devices=FakeDevices(),
        authenticator=FakeAuthenticator(),
        records=None,
        provider=None,
        mail=None,
    )


class House:
    """The controller with its store, for a test."""

    def __init__(self) -> None:
        self.store, self.hasher = FakeStore(), FakeHasher()
        self.controller = IdentityController(desk(self.store, self.hasher))

    def call(self, operation: str = "sign_in", *, actor: Actor = NOBODY, version: int | None = None) -> Call:
        """A call of an operation."""
        made = new_id()
        return Call(
            id=made, operation=operation, actor=actor, at=AT, request_id="r", action="update", expected_version=version
        )

    def person(self, *given: str, password: str = "seven tall herons", **more: Any) -> accounts.Account:
        """An account that is kept."""
        account_id = new_id()
        made = accounts.Account(
            id=account_id,
            kind=accounts.Kind.PERSON,
            username=f"user{account_id.int}",
            display_name="Ada",
            roles=given or ("nurse",),
            created_at=AT,
            changed_at=AT,
            password_hash=f"hash of {password}",
            **more,
        )
        self.store.rows.accounts[made.id] = made
        return made

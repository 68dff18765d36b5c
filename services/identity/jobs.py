"""Timed work and commands: the first start, the policy, the rotation of keys, forgetting, and rescue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from services.chassis.call import Call
from services.identity.model import accounts, keys, openings, passwords, policy, resets, sessions
from services.identity.model.accounts import Account
from services.identity.model.keys import KeyMaker
from services.identity.model.passwords import PasswordHasher
from services.identity.model.resets import Mail
from services.identity.model.store import Store
from services.kernel.access import Actor

SYSTEM, OPERATOR = Actor(subject="system"), Actor(subject="operator")
_LATE = timedelta(seconds=2)
_MAILS = 50


class Rows(Protocol):
    """The changes of the policy, as the store keeps them."""

    def send(self, tell: Callable[[policy.Change, datetime], None], *, at: datetime) -> int:
        """Send unsent changes; how many."""

    def has_unsent(self, *, before: datetime) -> bool:
        """Whether a change from before this moment waits."""

    def state(self, *, at: datetime) -> Any:
        """All that overrides tokens now."""


class Publisher(Protocol):
    """The sending side of the policy."""

    def heartbeat(self) -> None:
        """Say that all that is older than two seconds was sent."""

    def needs_snapshot(self) -> bool:
        """Whether the bus has no snapshot, or an old one."""

    def write_snapshot(self, read: Callable[[], Any]) -> None:
        """Write the state."""


def send_policy(
    call: Call, *, rows: Rows, tell: Callable[[policy.Change, datetime], None], publisher: Publisher
) -> None:
    """Send what the processes could not send after their commits, and write the snapshot when something changed."""
    sent = rows.send(tell, at=call.at)
    if sent or publisher.needs_snapshot():
        publisher.write_snapshot(lambda: rows.state(at=call.at))


def beat(call: Call, *, rows: Rows, publisher: Publisher) -> None:
    """Tell every process that it knows the policy of two seconds ago; silent while that is not so."""
    if not rows.has_unsent(before=call.at - _LATE):
        publisher.heartbeat()


def turn_keys(call: Call, *, store: Store, maker: KeyMaker) -> None:
    """Make a new signing key when the newest is thirty days old, and erase private halves that will sign no more."""
    with store.read() as tx:
        known = tx.keys()
    is_due, spent = keys.is_due(known, at=call.at), keys.spent(known, at=call.at)
    if not is_due and not spent:
        return
    made = maker.make() if is_due else None
    with store.begin(call) as tx:
        held = tx.keys_for_change()
        tx.erase_private(keys.spent(held, at=call.at))
        if made is not None and keys.is_due(held, at=call.at):
            tx.add_key(keys.next_key(held, made=made, at=call.at))
            _trail(call, "create", fields=["signing_key"])


def send_mails(call: Call, *, store: Store, mail: Mail) -> None:
    """Send links to new passwords; what the mail server does not take waits, as long as the link counts."""
    with store.read() as tx:
        waiting = tx.unsent_resets(since=call.at - resets.LIFE, limit=_MAILS)
    for reset, account in waiting:
        if account.email is not None:
            mail.send(reset, to=account.email)
        with store.begin(call) as tx:
            held = tx.reset_for_change(reset.digest)
            if held is not None:
                tx.save_reset(replace(held, sealed=None))


class FirstStart:
    """What a house needs before anybody can sign in: a super admin, the accounts of its services, a signing key.

    Safe to run again and by several at once: each step looks under a lock whether it is done already.
    """

    def __init__(
        self,
        *,
        store: Store,
        hasher: PasswordHasher,
        maker: KeyMaker,
        new_id: Callable[[], UUID],
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._hasher, self._maker = store, hasher, maker
        self._new_id, self._clock = new_id, clock

    def run(self, *, super_admin_password: str, services: Mapping[str, str]) -> None:
        """Make what is missing; the password of a super admin who exists is never touched."""
        self._first_key()
        self._super_admin(super_admin_password)
        for client_id, secret in sorted(services.items()):
            self._service(client_id, sessions.digest(secret))

    def _first_key(self) -> None:
        with self._store.read() as tx:
            if tx.keys():
                return
        made, call = self._maker.make(), self._call()
        with self._store.begin(call) as tx:
            if not tx.keys_for_change():
                tx.add_key(keys.next_key([], made=made, at=call.at))
                _trail(call, "create", fields=["signing_key"])

    def _super_admin(self, password: str) -> None:
        with self._store.read() as tx:
            if tx.account_named("admin") is not None:
                return
        call = self._call()
        hashed = self._hasher.hash(passwords.prepared(password))
        made = openings.first_super_admin(account_id=self._new_id(), password_hash=hashed, at=call.at)
        self._add(made, call)

    def _service(self, client_id: str, digest: bytes) -> None:
        call = self._call()
        with self._store.read() as tx:
            found = tx.account_named(client_id)
        if found is None:
            made = openings.service_account(account_id=self._new_id(), client_id=client_id, digest=digest, at=call.at)
            self._add(made, call)
        elif found.kind is accounts.Kind.SERVICE and found.secret_digest != digest:
            with self._store.begin(call) as tx:
                fresh = openings.with_secret(tx.account_for_change(found.id), digest=digest, at=call.at)
                tx.save_account(fresh, fields=["secret"])
                _trail(call, "update", record=fresh, fields=["secret"])

    def _add(self, made: Account, call: Call) -> None:
        try:
            with self._store.begin(call) as tx:
                tx.add_account(made)
                tx.record(accounts.event("user_created", account=made))
                _trail(call, "create", record=made, fields=accounts.differing(None, after=made))
        except accounts.UsernameTaken:
            return  # another process was faster

    def _call(self) -> Call:
        made = self._new_id()
        return Call(id=made, operation="first_start", actor=SYSTEM, at=self._clock(), request_id=str(made))


class Rescue:
    """`infirmary identity rescue NAME`: for whoever has lost every way in, the last super admin too.

    say: speaks to the operator. The one-time password is said once, and kept as a hash.
    """

    def __init__(
        self,
        *,
        store: Store,
        hasher: PasswordHasher,
        randomness: Callable[[int], bytes],
        new_id: Callable[[], UUID],
        clock: Callable[[], datetime],
        say: Callable[[str], object],
    ) -> None:
        self._store, self._hasher, self._randomness = store, hasher, randomness
        self._new_id, self._clock, self._say = new_id, clock, say

    def run(self, words: Sequence[str]) -> int:
        """Open the account again; the exit code: 0 done, 1 there is no such account, 2 not understood."""
        if len(words) != 1:
            self._say("infirmary identity rescue NAME")
            return 2
        with self._store.read() as tx:
            found = tx.account_named(accounts.canonical(words[0]))
        if found is None or found.kind is not accounts.Kind.PERSON:
            self._say("there is no account of a person with this name")
            return 1
        password = passwords.one_time(self._randomness(20))
        self._let_in(found.id, self._hasher.hash(passwords.prepared(password)))
        self._say(f"one-time password: {password}")
        return 0

    def _let_in(self, account_id: UUID, password_hash: str) -> None:
        made, at = self._new_id(), self._clock()
        call = Call(id=made, operation="rescue", actor=OPERATOR, at=at, request_id=str(made))
        with self._store.begin(call) as tx:
            held = tx.account_for_change(account_id)
            fresh = openings.rescued(held, password_hash=password_hash, at=at)
            fields = [*accounts.differing(held, after=fresh), "password"]
            tx.save_account(fresh, fields=fields)
            tx.drop_second_factor(account_id)
            tx.end_sessions(account_id, at=at, why=sessions.Ended.PASSWORD)
            for each in tx.throttled(about=str(account_id), limit=100):
                tx.clear_counter(each.scope)
            tx.announce(policy.of_account(fresh, at=at))
            tx.record(accounts.event("password_reset", account=fresh))
            _trail(call, "update", record=fresh, fields=fields)


def _trail(call: Call, action: str, *, fields: Any, record: Account | None = None) -> None:
    call.action = action
    if record is None:
        call.audit(fields=fields)
    else:
        call.audit(record=record.id, version=record.version, fields=fields)

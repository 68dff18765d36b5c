"""One transaction: what is changed, with its history, its events and its word to the policy."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.identity import schema
from services.identity.model import accounts, places
from services.identity.model.accounts import Account
from services.identity.model.keys import SigningKey
from services.identity.model.places import Place
from services.identity.model.policy import SessionEnded
from services.identity.model.roles import SUPER_ADMIN
from services.identity.model.sessions import Ended, RefreshToken, Session
from services.identity.model.store import Scope
from services.identity.model.throttle import Counter
from services.identity.repository import rows
from services.identity.repository.access import AccessWork

# Names of locks that hold until the end of the transaction.
_SUPER_ADMINS, _KEYS = 0x1D000001, 0x1D000002


class SqlWork(AccessWork):
    """Reads and writes over one transaction."""

    def account_for_change(self, account_id: UUID) -> Account:
        """The account, held for this transaction; UnknownAccount otherwise."""
        return self._account(sa.select(schema.accounts).where(schema.accounts.c.id == account_id).with_for_update())

    def add_account(self, account: Account) -> None:
        """A new account; UsernameTaken otherwise."""
        self._execute(sa.insert(schema.accounts).values(rows.account_row(account)))
        fields = accounts.differing(None, after=account)
        self._keep_version("account", account, fields=fields, state=accounts.state(account))

    def save_account(self, account: Account, *, fields: Sequence[str]) -> None:
        """The next version of an account that is held, and in its history what changed."""
        table = schema.accounts
        self._execute(sa.update(table).where(table.c.id == account.id).values(rows.account_row(account)))
        self._keep_version("account", account, fields=fields, state=accounts.state(account))

    def better_hash(self, account_id: UUID, *, fresh: str, instead_of: str) -> None:
        """The same password under today's settings of hashing; no new version."""
        table = schema.accounts.c
        where = (table.id == account_id, table.password_hash == instead_of)
        self._execute(sa.update(schema.accounts).where(*where).values(password_hash=fresh))

    def other_super_admins(self, account_id: UUID) -> int:
        """How many active super admins there are beside this one; nobody else can change that until the end."""
        self._lock(_SUPER_ADMINS)
        table = schema.accounts.c
        others = (table.id != account_id, table.is_active, table.roles.contains([SUPER_ADMIN]))
        return int(self._connection.execute(sa.select(sa.func.count()).where(*others)).scalar_one())

    def fields_since(self, record: UUID, *, version: int) -> list[str]:
        """Names of the fields that changed after a version."""
        table = schema.record_versions.c
        query = sa.select(sa.func.unnest(table.fields)).where(table.record_id == record, table.version > version)
        return sorted(set(self._connection.execute(query).scalars()))

    def counters(self, scopes: Sequence[Scope]) -> dict[Scope, Counter]:
        """The counters of failures, held for this transaction."""
        found = {}
        # One order for all, so that no two wait for each other.
        for scope in sorted(scopes, key=lambda each: (each.kind, each.digest)):
            first = {"kind": scope.kind, "digest": scope.digest, "failures": 0, "about": scope.about}
            made = insert(schema.failure_counters).values(first)
            held = made.on_conflict_do_update(index_elements=["kind", "digest"], set_={"about": scope.about})
            table = schema.failure_counters.c
            row = self._connection.execute(held.returning(table.failures, table.last_at, table.closed_until)).one()
            found[scope] = Counter(failures=row.failures, last_at=row.last_at, closed_until=row.closed_until)
        return found

    def set_counters(self, counters: Mapping[Scope, Counter]) -> None:
        """New states of counters that are held."""
        table = schema.failure_counters
        for scope, counter in counters.items():
            where = (table.c.kind == scope.kind, table.c.digest == scope.digest)
            self._execute(sa.update(table).where(*where).values(rows.values_of(counter)))

    def add_session(self, session: Session, *, refresh: RefreshToken) -> None:
        """A new session with its first refresh token."""
        self._execute(sa.insert(schema.sessions).values(rows.values_of(session)))
        self._execute(sa.insert(schema.refresh_tokens).values(rows.values_of(refresh)))

    def session_of_token(self, digest: bytes) -> tuple[Session, RefreshToken] | None:
        """A refresh token and its session, both held for this transaction.

        Two statements: the second begins after the lock was got, and so sees what the holder before has committed.
        """
        tokens, sessions = schema.refresh_tokens, schema.sessions
        owner = sa.select(tokens.c.session_id).where(tokens.c.digest == digest).scalar_subquery()
        held = self._connection.execute(
            sa.select(sessions).where(sessions.c.id == owner).with_for_update()
        ).one_or_none()
        found = self._connection.execute(sa.select(tokens).where(tokens.c.digest == digest)).one_or_none()
        return None if held is None or found is None else (rows.session(held), rows.token(found))

    def exchange_token(self, session: Session, *, used: RefreshToken, fresh: RefreshToken) -> None:
        """Mark one token as used, and keep the next."""
        tokens, sessions = schema.refresh_tokens, schema.sessions
        self._execute(sa.update(tokens).where(tokens.c.digest == used.digest).values(used_at=session.used_at))
        self._execute(sa.insert(tokens).values(rows.values_of(fresh)))
        self._execute(sa.update(sessions).where(sessions.c.id == session.id).values(used_at=session.used_at))

    def end_session(self, session_id: UUID, *, account_id: UUID, at: datetime, why: Ended) -> bool:
        """End a session of an account; False when it has no such open one. Tells the policy."""
        return self._end(schema.sessions.c.id == session_id, account_id=account_id, at=at, why=why) == 1

    def end_sessions(self, account_id: UUID, *, at: datetime, why: Ended, but: UUID | None = None) -> int:
        """End all open sessions of an account but one. Tells the policy."""
        which = sa.true() if but is None else schema.sessions.c.id != but
        return self._end(which, account_id=account_id, at=at, why=why)

    def _end(self, which: sa.ColumnElement[bool], *, account_id: UUID, at: datetime, why: Ended) -> int:
        table = schema.sessions.c
        where = (which, table.account_id == account_id, table.ended_at.is_(None))
        ended = sa.update(schema.sessions).where(*where).values(ended_at=at, ended_why=why.value).returning(table.id)
        found = list(self._connection.execute(ended).scalars())
        for each in found:
            self.announce(SessionEnded(session=each))
        return len(found)

    def add_place(self, place: Place) -> None:
        """A new facility, location or department; NameTaken otherwise."""
        self._execute(sa.insert(rows.TABLES[type(place)]).values(rows.place_row(place)))
        names = [name for name in places.state(place) if name not in {"created_at", "changed_at"}]
        self._keep_version(_kind(place), place, fields=names, state=places.state(place))

    def place_for_change(self, kind: type[Any], place_id: UUID) -> Any:
        """The place, held for this transaction; UnknownPlace otherwise."""
        table = rows.TABLES[kind]
        return self._place(kind, sa.select(table).where(table.c.id == place_id).with_for_update())

    def save_place(self, place: Place, *, fields: Sequence[str]) -> None:
        """The next version of a place that is held; NameTaken otherwise."""
        table = rows.TABLES[type(place)]
        self._execute(sa.update(table).where(table.c.id == place.id).values(rows.place_row(place)))
        self._keep_version(_kind(place), place, fields=fields, state=places.state(place))

    def keys_for_change(self) -> list[SigningKey]:
        """All signing keys, held for this transaction; nobody else adds one until its end."""
        self._lock(_KEYS)
        return self.keys()

    def add_key(self, key: SigningKey) -> None:
        """A new signing key."""
        self._execute(
            sa.insert(schema.signing_keys).values(rows.values_of(replace(key, public_jwk=dict(key.public_jwk))))
        )

    def set_keys(self, keys: Sequence[SigningKey]) -> None:
        """New states of signing keys that are held."""
        table = schema.signing_keys
        for key in keys:
            values = {"signs_from": key.signs_from, "withdrawn_at": key.withdrawn_at, "sealed": key.sealed}
            self._execute(sa.update(table).where(table.c.kid == key.kid).values(values))

    def erase_private(self, kids: Collection[str]) -> None:
        """Erase private halves."""
        table = schema.signing_keys
        self._execute(sa.update(table).where(table.c.kid.in_(kids)).values(sealed=None))


def _kind(place: Place) -> str:
    return type(place).__name__.lower()

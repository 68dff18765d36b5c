"""Reads of what access is made of: roles, second factors, counters, keys of service accounts, groups."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.identity import schema
from services.identity.model.accounts import Account, Kind
from services.identity.model.clients import ServiceKey
from services.identity.model.external import GroupRoles
from services.identity.model.factors import SecondFactor
from services.identity.model.places import Department, Facility
from services.identity.model.resets import Reset
from services.identity.model.roles import Role
from services.identity.model.store import Scope, Throttled
from services.identity.model.throttle import Counter
from services.identity.repository import rows


class AccessReading:
    """Reads over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def facilities_named(self, ids: Collection[UUID]) -> dict[UUID, Facility]:
        """Those of these facilities that exist."""
        return self._named(Facility, ids)

    def departments_named(self, ids: Collection[UUID]) -> dict[UUID, Department]:
        """Those of these departments that exist."""
        return self._named(Department, ids)

    def kept_roles(self) -> list[Role]:
        """Roles of the house's own, deleted ones among them, and fixed ones that have a setting."""
        query = sa.select(schema.roles).order_by(schema.roles.c.name)
        return [rows.item(Role, row) for row in self._connection.execute(query)]

    def second_factor(self, account_id: UUID) -> SecondFactor | None:
        """The second factor of an account, confirmed or not."""
        table = schema.second_factors
        return self._one(SecondFactor, sa.select(table).where(table.c.account_id == account_id))

    def throttled(self, *, about: str | None, limit: int) -> list[Throttled]:
        """Counters that count something, of one account or of all, those with the most failures first."""
        table = schema.failure_counters.c
        query = sa.select(schema.failure_counters).where(table.failures > 0)
        query = query.order_by(table.failures.desc(), table.kind, table.digest)
        if about is not None:
            query = query.where(table.about == about)
        return [
            Throttled(
                Scope(row.kind, row.digest, row.about),
                Counter(failures=row.failures, last_at=row.last_at, closed_until=row.closed_until),
            )
            for row in self._connection.execute(query.limit(limit))
        ]

    def counter_about(self, scope: Scope) -> str | None:
        """The account or address that a counter is about; None for what nobody has, or no counter."""
        table = schema.failure_counters.c
        query = sa.select(table.about).where(table.kind == scope.kind, table.digest == scope.digest)
        found: str | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def clients(self, *, after: UUID | None, limit: int) -> list[Account]:
        """Accounts of programs of others, in the order of their making."""
        table = schema.accounts.c
        query = in_order(schema.accounts, after=after, limit=limit)
        found = query.where(table.kind == Kind.SERVICE.value, table.secret_digest.is_(None))
        return [rows.account(row) for row in self._connection.execute(found)]

    def service_keys(self, account_id: UUID) -> list[ServiceKey]:
        """The keys of such an account, newest first."""
        table = schema.service_keys
        query = sa.select(table).where(table.c.account_id == account_id).order_by(table.c.id.desc())
        return [rows.item(ServiceKey, row) for row in self._connection.execute(query)]

    def service_key_of(self, digest: bytes) -> ServiceKey | None:
        """The key with this digest."""
        return self._one(ServiceKey, sa.select(schema.service_keys).where(schema.service_keys.c.digest == digest))

    def unsent_resets(self, *, since: datetime, limit: int) -> list[tuple[Reset, Account]]:
        """Links whose mail has not gone out, with their accounts, oldest first."""
        table, accounts = schema.password_resets, schema.accounts
        waiting = sa.select(table).where(table.c.sealed.is_not(None), table.c.account_id.is_not(None))
        query = waiting.where(table.c.made_at > since, table.c.used_at.is_(None)).order_by(table.c.made_at).limit(limit)
        found = [rows.item(Reset, row) for row in self._connection.execute(query)]
        named = sa.select(accounts).where(accounts.c.id.in_({each.account_id for each in found}))
        known = {row.id: rows.account(row) for row in self._connection.execute(named)} if found else {}
        return [(each, known[each.account_id]) for each in found if each.account_id in known]

    def group_roles(self) -> GroupRoles | None:
        """Which roles groups of the provider give."""
        row = self._connection.execute(sa.select(schema.group_roles)).one_or_none()
        if row is None:
            return None
        entries = {group: tuple(given) for group, given in row.entries.items()}
        return GroupRoles(
            id=row.id, entries=entries, version=row.version, created_at=row.created_at, changed_at=row.changed_at
        )

    def _named(self, kind: type[Any], ids: Collection[UUID]) -> dict[UUID, Any]:
        if not ids:
            return {}
        table = rows.TABLES[kind]
        found = self._connection.execute(sa.select(table).where(table.c.id.in_(ids)))
        return {row.id: rows.place(kind, row) for row in found}

    def _one(self, kind: type[Any], query: sa.Select[Any]) -> Any:
        row = self._connection.execute(query).one_or_none()
        return None if row is None else rows.item(kind, row)


def in_order(table: sa.Table, *, after: UUID | None, limit: int) -> sa.Select[Any]:
    """Ids are time-ordered, so their order is that of the making, and a page needs no other key."""
    query = sa.select(table).order_by(table.c.id).limit(limit)
    return query if after is None else query.where(table.c.id > after)

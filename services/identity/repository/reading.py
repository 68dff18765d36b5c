"""Reads, inside a transaction and outside."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.identity import schema
from services.identity.model.accounts import Account, UnknownAccount
from services.identity.model.keys import SigningKey
from services.identity.model.places import Department, Facility, Location, UnknownPlace
from services.identity.model.sessions import Session
from services.identity.repository import rows
from services.identity.repository.access_reading import AccessReading, in_order
from services.identity.repository.administered import administered
from services.kernel.access import Scope as Reach


class SqlReading(AccessReading):
    """Reads over one connection."""

    def account(self, account_id: UUID) -> Account:
        """The account; UnknownAccount otherwise."""
        return self._account(sa.select(schema.accounts).where(schema.accounts.c.id == account_id))

    def account_named(self, username: str) -> Account | None:
        """The account with this canonical name."""
        row = self._connection.execute(
            sa.select(schema.accounts).where(schema.accounts.c.username == username)
        ).one_or_none()
        return None if row is None else rows.account(row)

    def accounts(
        self, *, after: UUID | None, limit: int, role: str | None, active: bool | None, within: Reach
    ) -> list[Account]:
        """Accounts in the order of their making, those that are administered within a reach."""
        table = schema.accounts.c
        query = in_order(schema.accounts, after=after, limit=limit).where(administered(within))
        if role is not None:
            query = query.where(table.roles.contains([role]))
        if active is not None:
            query = query.where(table.is_active == active)
        return [rows.account(row) for row in self._connection.execute(query)]

    def accounts_among(self, account_ids: Collection[UUID]) -> list[Account]:
        """Those of these accounts that there are."""
        query = sa.select(schema.accounts).where(schema.accounts.c.id.in_(account_ids))
        return [rows.account(row) for row in self._connection.execute(query)]

    def open_sessions(self, account_id: UUID, *, at: datetime, idle_since: datetime) -> list[Session]:
        """Sessions that can still be refreshed, newest first."""
        table = schema.sessions.c
        query = (
            sa.select(schema.sessions)
            .where(table.account_id == account_id, table.ended_at.is_(None))
            .where(table.expires_at > at, table.used_at > idle_since)
            .order_by(table.created_at.desc(), table.id.desc())
            .limit(200)
        )
        return [rows.session(row) for row in self._connection.execute(query)]

    def place(self, kind: type[Any], place_id: UUID) -> Any:
        """The facility, location or department; UnknownPlace otherwise."""
        table = rows.TABLES[kind]
        return self._place(kind, sa.select(table).where(table.c.id == place_id))

    def facilities(self, *, after: UUID | None, limit: int) -> list[Facility]:
        """Facilities in the order of their making."""
        return self._places(Facility, after, limit, None)

    def locations(self, *, after: UUID | None, limit: int, facility_id: UUID | None) -> list[Location]:
        """Locations in the order of their making."""
        return self._places(Location, after, limit, facility_id)

    def departments(self, *, after: UUID | None, limit: int, facility_id: UUID | None) -> list[Department]:
        """Departments in the order of their making."""
        return self._places(Department, after, limit, facility_id)

    def keys(self) -> list[SigningKey]:
        """All signing keys."""
        return [rows.key(row) for row in self._connection.execute(sa.select(schema.signing_keys))]

    def _account(self, query: sa.Select[Any]) -> Account:
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise UnknownAccount
        return rows.account(row)

    def _place(self, kind: type[Any], query: sa.Select[Any]) -> Any:
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise UnknownPlace
        return rows.place(kind, row)

    def _places(self, kind: type[Any], after: UUID | None, limit: int, facility_id: UUID | None) -> list[Any]:
        table = rows.TABLES[kind]
        query = in_order(table, after=after, limit=limit)
        if facility_id is not None:
            query = query.where(table.c.facility_id == facility_id)
        return [rows.place(kind, row) for row in self._connection.execute(query)]

"""Rows to domain objects and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from services.identity import schema
from services.identity.model.accounts import Account, Kind
from services.identity.model.keys import SigningKey
from services.identity.model.places import Department, Facility, Location, Place, comparable
from services.identity.model.sessions import Ended, RefreshToken, Session

TABLES: dict[type[Any], sa.Table] = {
    Facility: schema.facilities,
    Location: schema.locations,
    Department: schema.departments,
}


def account(row: sa.Row[Any]) -> Account:
    """An account from its row."""
    values = dict(row._mapping)  # noqa: SLF001 - the public way to a row's names
    return Account(**{**values, "kind": Kind(values["kind"]), "roles": tuple(values["roles"])})


def account_row(account: Account) -> dict[str, Any]:
    """An account as a row."""
    values = {each.name: getattr(account, each.name) for each in fields(account)}
    return {**values, "kind": account.kind.value, "roles": list(account.roles)}


def place(kind: type[Any], row: sa.Row[Any]) -> Any:
    """A place from its row."""
    return kind(**{each.name: getattr(row, each.name) for each in fields(kind)})


def place_row(place: Place) -> dict[str, Any]:
    """A place as a row."""
    values = {each.name: getattr(place, each.name) for each in fields(place)}
    return {**values, "comparable": comparable(place.name)}


def session(row: sa.Row[Any]) -> Session:
    """A session from its row."""
    values = {each.name: getattr(row, each.name) for each in fields(Session)}
    return Session(**{**values, "ended_why": None if row.ended_why is None else Ended(row.ended_why)})


def token(row: sa.Row[Any]) -> RefreshToken:
    """A refresh token from its row."""
    return RefreshToken(**row._mapping)  # noqa: SLF001 - the public way to a row's names


def key(row: sa.Row[Any]) -> SigningKey:
    """A signing key from its row."""
    return SigningKey(**row._mapping)  # noqa: SLF001 - the public way to a row's names


def values_of(item: Any) -> dict[str, Any]:
    """A flat object as a row."""
    return {each.name: getattr(item, each.name) for each in fields(item)}

"""Rows to domain objects and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from services.identity import schema
from services.identity.model import accounts
from services.identity.model.accounts import Account, Kind
from services.identity.model.keys import SigningKey
from services.identity.model.places import Department, Facility, Location, Place, comparable
from services.identity.model.reach import Area, Link, Relation
from services.identity.model.sessions import Ended, RefreshToken, Session

TABLES: dict[type[Any], sa.Table] = {
    Facility: schema.facilities,
    Location: schema.locations,
    Department: schema.departments,
}


T = TypeVar("T")


def account(row: sa.Row[Any]) -> Account:
    """An account from its row."""
    values = dict(row._mapping)  # noqa: SLF001 - the public way to a row's names
    read = {
        "kind": Kind(values["kind"]),
        "roles": tuple(values["roles"]),
        "areas": {role: _area(each) for role, each in values["areas"].items()},
        "links": tuple(_link(each) for each in values["links"]),
    }
    return Account(**{**values, **read})


def account_row(account: Account) -> dict[str, Any]:
    """An account as a row."""
    kept = accounts.state(account)
    written = {"kind": account.kind.value, "roles": list(account.roles), "areas": kept["areas"], "links": kept["links"]}
    return {**values_of(account), **written}


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
    why = None if row.ended_why is None else Ended(row.ended_why)
    return Session(**{**values, "methods": tuple(row.methods), "ended_why": why})


def item(kind: type[T], row: sa.Row[Any]) -> T:
    """A flat object from its row: lists become tuples, and what the type has no name for is left out."""
    names = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    found = {name: value for name, value in row._mapping.items() if name in names}  # noqa: SLF001
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in found.items()})


def token(row: sa.Row[Any]) -> RefreshToken:
    """A refresh token from its row."""
    return RefreshToken(**row._mapping)  # noqa: SLF001 - the public way to a row's names


def key(row: sa.Row[Any]) -> SigningKey:
    """A signing key from its row."""
    return SigningKey(**row._mapping)  # noqa: SLF001 - the public way to a row's names


def values_of(item: Any) -> dict[str, Any]:
    """A flat object as a row."""
    return {each.name: _written(getattr(item, each.name)) for each in fields(item)}


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.value if isinstance(value, Enum) else value


def _area(kept: Mapping[str, Any]) -> Area:
    return Area(facilities=tuple(kept["facilities"]), departments=tuple(kept["departments"]))


def _link(kept: Mapping[str, Any]) -> Link:
    return Link(
        id=UUID(kept["id"]),
        patient_id=UUID(kept["patient_id"]),
        relation=Relation(kept["relation"]),
        made_by=kept["made_by"],
        made_at=datetime.fromisoformat(kept["made_at"]),
        until=None if kept["until"] is None else datetime.fromisoformat(kept["until"]),
    )

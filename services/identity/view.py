"""What the outside sees of accounts, sessions, keys and places. A hash, digest or sealed key is never among it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.identity.model import keys
from services.identity.model.accounts import Account
from services.identity.model.places import Department, Facility, Location, Place
from services.identity.model.roles import Permission, Role
from services.identity.model.sessions import TOKEN_LIFE_S, Session


def tokens(*, access: str, refresh: str, session: Session, account: Account) -> dict[str, Any]:
    """What a sign-in or a refresh gives."""
    return {
        **service_token(access),
        "refresh_token": refresh,
        "session_id": str(session.id),
        "must_change_password": account.must_change_password,
    }


def service_token(access: str) -> dict[str, Any]:
    """What a service gets for its secret."""
    return {"access_token": access, "token_type": "Bearer", "expires_in": TOKEN_LIFE_S}


def session(session: Session, *, current: str) -> dict[str, Any]:
    """One of the caller's sessions."""
    return {
        "id": str(session.id),
        "source": session.source,
        "created_at": _time(session.created_at),
        "used_at": _time(session.used_at),
        "expires_at": _time(session.expires_at),
        "current": str(session.id) == current,
    }


def account(account: Account) -> dict[str, Any]:
    """An account."""
    return {
        "id": str(account.id),
        "kind": account.kind.value,
        "username": account.username,
        "display_name": account.display_name,
        "email": account.email,
        "roles": list(account.roles),
        "active": account.is_active,
        "must_change_password": account.must_change_password,
        "created_at": _time(account.created_at),
        "changed_at": _time(account.changed_at),
        "version": account.version,
    }


def own_account(account_: Account, *, permissions: frozenset[str]) -> dict[str, Any]:
    """The caller's own account, with what its roles allow at this moment."""
    return {**account(account_), "permissions": sorted(permissions)}


def role(role: Role) -> dict[str, Any]:
    """A role."""
    return {
        "name": role.name,
        "title": role.title,
        "description": role.description,
        "permissions": list(role.permissions),
        "assignable": role.is_assignable,
    }


def permission(permission: Permission) -> dict[str, Any]:
    """A permission."""
    return {"name": permission.name, "description": permission.description}


def place(place: Place) -> dict[str, Any]:
    """A facility, a location or a department."""
    return {**_inner(place), **_record(place), "id": str(place.id), "name": place.name}


def jwks(public: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The public halves of the keys."""
    return {"keys": [dict(each) for each in public]}


def key(placed: keys.Placed, *, at: datetime) -> dict[str, Any]:
    """A signing key and where in its life it is."""
    return {
        "id": placed.key.kid,
        "algorithm": "RS256",
        "stage": placed.stage(at),
        "created_at": _time(placed.key.created_at),
        "signs_from": _time(placed.key.signs_from),
        "signs_until": _time_or_none(placed.signs_until),
        "shown_until": _time_or_none(placed.shown_until),
    }


def page(items: Sequence[Mapping[str, Any]], *, next_cursor: str | None = None) -> dict[str, Any]:
    """A page of a list."""
    return {"items": list(items), "next_cursor": next_cursor}


def names(found: Mapping[UUID, str]) -> dict[str, Any]:
    """What accounts are called."""
    return page([{"id": str(each), "display_name": name} for each, name in found.items()])


def _inner(place: Place) -> dict[str, Any]:
    if isinstance(place, Facility):
        return {"zone": place.zone}
    if isinstance(place, Location):
        return {"facility_id": str(place.facility_id), "zone": place.zone}
    return {"facility_id": str(place.facility_id), "location_id": _id_or_none(place)}


def _id_or_none(place: Department) -> str | None:
    found: UUID | None = place.location_id
    return None if found is None else str(found)


def _record(place: Place) -> dict[str, Any]:
    return {
        "active": place.is_active,
        "created_at": _time(place.created_at),
        "changed_at": _time(place.changed_at),
        "version": place.version,
    }


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time_or_none(at: datetime | None) -> str | None:
    return None if at is None else _time(at)

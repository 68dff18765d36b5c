"""What the outside sees of accounts, sessions, keys and places. A hash, digest or sealed key is never among it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.identity.model import keys
from services.identity.model.accounts import Account
from services.identity.model.activation import ActivationCode
from services.identity.model.clients import ServiceKey
from services.identity.model.external import GroupRoles
from services.identity.model.naming import Called
from services.identity.model.places import Department, Facility, Location, Place
from services.identity.model.reach import Link
from services.identity.model.roles import Permission, Role
from services.identity.model.sessions import TOKEN_LIFE_S, Session
from services.identity.model.store import Throttled


def tokens(
    *, access: str, refresh: str, session: Session, account: Account, lacks_factor: bool = False
) -> dict[str, Any]:
    """What a sign-in or a refresh gives."""
    return {
        **service_token(access),
        "refresh_token": refresh,
        "session_id": str(session.id),
        "must_change_password": account.must_change_password,
        "must_set_second_factor": lacks_factor,
        "device_token": None,
    }


def service_token(access: str, *, ends_at: datetime | None = None, at: datetime | None = None) -> dict[str, Any]:
    """An access token and how long it lives; `ends_at`: the end of what it was given for."""
    left = TOKEN_LIFE_S if ends_at is None or at is None else max(1, int((ends_at - at).total_seconds()))
    return {"access_token": access, "token_type": "Bearer", "expires_in": min(TOKEN_LIFE_S, left)}


def session(session: Session, *, current: str) -> dict[str, Any]:
    """One of the caller's sessions."""
    return {
        "id": str(session.id),
        "source": session.source,
        "created_at": _time(session.created_at),
        "used_at": _time(session.used_at),
        "expires_at": _time(session.expires_at),
        "current": str(session.id) == current,
        "methods": list(session.methods),
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
        "second_factor": account.second_factor_since is not None,
        "areas": [
            {"role": role, "facilities": list(area.facilities), "departments": list(area.departments)}
            for role, area in sorted(account.areas.items())
        ],
        "created_at": _time(account.created_at),
        "changed_at": _time(account.changed_at),
        "version": account.version,
    }


def own_account(account_: Account, *, permissions: frozenset[str]) -> dict[str, Any]:
    """The caller's own account, with what its roles allow at this moment."""
    more = {
        "has_password": account_.password_hash is not None,
        "permissions": sorted(permissions),
        "links": [link(each) for each in account_.links],
    }
    return {**account(account_), **more}


def link(link: Link) -> dict[str, Any]:
    """A link of an account to a record."""
    return {
        "id": str(link.id),
        "patient_id": str(link.patient_id),
        "relation": link.relation.value,
        "made_by": link.made_by,
        "made_at": _time(link.made_at),
        "until": _time_or_none(link.until),
    }


def record_link(account: Account, link_: Link) -> dict[str, Any]:
    """A link as whoever keeps the record sees it."""
    return {**link(link_), "user_id": str(account.id), "username": account.username}


def activation_code(code: ActivationCode, *, text: str | None) -> dict[str, Any]:
    """A code for a record; the text is shown once."""
    return {
        "id": str(code.id),
        "patient_id": str(code.patient_id),
        "relation": code.relation.value,
        "until": _time_or_none(code.link_until),
        "expires_at": _time(code.expires_at),
        "code": text,
    }


def activated(account: Account) -> dict[str, Any]:
    """The new account of whom a code was handed out."""
    return {"id": str(account.id), "username": account.username}


def enrolment(secret: str, *, address: str, ends_at: datetime) -> dict[str, Any]:
    """What a device needs to make codes; shown once."""
    return {"secret": secret, "otpauth_uri": address, "expires_at": _time(ends_at)}


def service_key(key: ServiceKey, *, at: datetime) -> dict[str, Any]:
    """A key of a service account, without its secret."""
    return {
        "id": str(key.id),
        "label": key.label,
        "active": key.is_good(at),
        "made_by": key.made_by,
        "made_at": _time(key.made_at),
        "expires_at": _time(key.expires_at),
        "revoked_at": _time_or_none(key.revoked_at),
    }


def counter(throttled: Throttled, *, at: datetime) -> dict[str, Any]:
    """A counter of failures: for an account or device whose account is known by its id, for a source the address."""
    scope, counted = throttled.scope, throttled.counter
    until = counted.closed_until
    is_source = scope.kind == "source"
    return {
        "id": f"{scope.kind}-{scope.digest.hex()}",
        "kind": scope.kind,
        "user_id": None if is_source else scope.about,
        "source": scope.about if is_source else None,
        "failures": counted.failures,
        "last_at": _time_or_none(counted.last_at),
        "closed_until": _time(until) if until is not None and until > at else None,
    }


def attempt(address: str, *, binding: str, ends_at: datetime) -> dict[str, Any]:
    """A sign-in by the provider that was begun."""
    return {"authorization_url": address, "binding": binding, "expires_at": _time(ends_at)}


def group_roles(table: GroupRoles | None) -> dict[str, Any]:
    """Which roles groups of the provider give."""
    entries = {} if table is None else table.entries
    shown = [{"group": group, "roles": list(given)} for group, given in sorted(entries.items())]
    return {"entries": shown, "version": 1 if table is None else table.version}


def role(role: Role) -> dict[str, Any]:
    """A role."""
    return {
        "name": role.name,
        "title": role.title,
        "description": role.description,
        "permissions": list(role.permissions),
        "assignable": role.is_assignable,
        "own": role.is_own,
        "requires_second_factor": role.requires_second_factor,
        "version": role.version,
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


def names(found: Sequence[Called]) -> dict[str, Any]:
    """What accounts are called."""
    return page([{"id": str(each.id), "kind": each.sort.value, "display_name": each.name} for each in found])


def _inner(place: Place) -> dict[str, Any]:
    if isinstance(place, Facility):
        return {"zone": place.zone, "phone": place.phone}
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

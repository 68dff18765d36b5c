"""Changes of the policy as rows, and back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.identity.model.policy import Change, KeyWithdrawn, RoleNow, SessionEnded, SubjectNow


def written(change: Change) -> tuple[str, str, dict[str, Any]]:
    """Kind, name and body of a change."""
    match change:
        case SubjectNow():
            body = {"roles": list(change.roles), "active": change.is_active, "version": change.version}
            reach = {"areas": dict(change.areas), "links": [list(each) for each in change.links]}
            return "subject", str(change.subject), {**body, **reach}
        case RoleNow():
            body = {"permissions": list(change.permissions), "version": change.version}
            return "role", change.role, {**body, "second_factor": change.second_factor}
        case KeyWithdrawn():
            return "key", change.kid, {}
        case SessionEnded():
            return "session", str(change.session), {}


def change(row: sa.Row[Any]) -> Change:
    """The change that a row holds."""
    body = row.body
    match row.kind:
        case "session":
            return SessionEnded(session=UUID(row.name))
        case "key":
            return KeyWithdrawn(kid=row.name)
        case "role":
            return RoleNow(
                role=row.name,
                permissions=tuple(body["permissions"]),
                second_factor=body["second_factor"],
                version=body["version"],
            )
        case _:
            return SubjectNow(
                subject=UUID(row.name),
                roles=tuple(body["roles"]),
                is_active=body["active"],
                version=body["version"],
                areas=body.get("areas", {}),
                links=body.get("links", []),
            )

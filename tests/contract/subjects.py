"""Who calls: the subjects of the matrix, and the tokens by which a test names an account with all its reach."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Mapping
from typing import Any, cast

from services.chassis.policy import Policy
from services.chassis.testing import RoleTokens
from services.kernel.access import Actor

ANONYMOUS = "anonymous"
# Subjects beside the roles of the system, with the role that they hold: nobody holds none; a guardian is a patient by
# role who is linked to somebody else's record.
BESIDE_ROLES = {ANONYMOUS: None, "guardian": "patient"}


def subjects(permissions: Mapping[str, Any]) -> list[str]:
    """Every subject there is: a new role is one by itself."""
    return [*BESIDE_ROLES, *permissions["roles"]]


def token(
    role: str,
    *,
    subject: str,
    session: str = "test",
    facilities: list[str] | None = None,
    links: list[list[Any]] | None = None,
) -> str:
    """A token with the claims that `identity` puts in, signed by nobody; it counts in these tests only.

    facilities: the role holds there only. links: records in the form of `reach`.
    """
    claims: dict[str, Any] = {"sub": subject, "sid": session, "roles": [role]}
    if facilities is not None:
        claims["areas"] = {role: {"facilities": facilities, "departments": []}}
    if links is not None:
        claims["links"] = links
    return f"unsigned.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.unsigned"


class SessionTokens(RoleTokens):
    """Tokens of the form `role@subject/session`, and those with claims; who acts is what the real policy makes of them.

    The policy follows nothing here. A service that asks another one has a token from `identity`, whose claims are
    believed: that tokens are checked is shown elsewhere.
    """

    def __init__(self, permissions: Mapping[str, Any]) -> None:
        super().__init__(permissions)
        self._policy = Policy(cast("Any", None), permissions=permissions)

    def actor(self, token: str) -> tuple[Actor, Mapping[str, Any]]:
        """The account that a token names, in its session."""
        if token.count(".") == 2:
            part = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            return self._policy.actor(claims), claims
        actor, claims = super().actor(token)
        subject, _, session = actor.subject.partition("/")
        session = session or actor.session
        return dataclasses.replace(actor, subject=subject, session=session), {**claims, "sub": subject, "sid": session}

"""The gate before every operation: a token that counts, the contract's permission, a live policy where asked.

connexion calls it through its security map, with the permission of the operation as oauth2 scope. It does no I/O,
because it runs on the event loop.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from services.chassis import metrics
from services.chassis.spec import Operation
from services.kernel.access import NOBODY, Actor
from services.kernel.errors import Forbidden, NotSignedIn, StepUpRequired, Unavailable

SIGNED_IN = "infirmary.signed_in"
STEP_UP_S: Final = 300
"""How long a second factor that was shown is good for what asks for it anew (`x-step-up`)."""


class Tokens(Protocol):
    """What turns a token into the account that acts."""

    def actor(self, token: str) -> tuple[Actor, Mapping[str, Any]]:
        """Raises:  NotSignedIn, Unavailable."""


class LivePolicy(Protocol):
    """What knows whether changes of roles and sessions still arrive."""

    @property
    def is_live(self) -> bool:
        """Whether every change of the last half minute is surely known here."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sends this request, and the token to act for them elsewhere."""

    actor: Actor = NOBODY
    token: str | None = None


class Gate:
    """Checks the requests of one service. clock: seconds since 1970."""

    def __init__(
        self,
        *,
        operations: Mapping[str, Operation],
        tokens: Tokens,
        policy: LivePolicy,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._operations, self._tokens, self._policy, self._clock = operations, tokens, policy, clock

    def handler(self) -> type:
        """What connexion's security map wants for `oauth2`: a class whose `get_fn` gives the check."""
        gate = self

        class Handler:
            def get_fn(self, _scheme: Any, required_scopes: list[str]) -> Callable[[Any], Awaitable[dict[str, Any]]]:
                async def check(request: Any) -> dict[str, Any]:
                    return gate.check(request.scope, required_scopes)

                return check

        return Handler

    def check(self, scope: dict[str, Any], permissions: list[str]) -> dict[str, Any]:
        """Let in, or raise NotSignedIn, Forbidden or Unavailable; who it is goes into the scope's extensions.

        Raises:  StepUpRequired: the roles want a second factor, and it was not shown in the last five minutes.
        """
        operation = self._operations[scope["extensions"]["connexion_routing"]["operation_id"]]
        token = bearer(scope["headers"])
        actor, claims = self._tokens.actor(token)
        scope["extensions"][SIGNED_IN] = SignedIn(actor, token)
        for permission in permissions:
            if not actor.may(permission):
                metrics.DENIED.labels(operation.operation_id).inc()
                raise Forbidden
            scope["extensions"][SIGNED_IN] = SignedIn(actor.under(permission), token)
        if operation.needs_step_up and actor.needs_second_factor and not self._is_fresh(actor.second_factor_at):
            raise StepUpRequired
        if operation.needs_live_policy and not self._policy.is_live:
            raise Unavailable("policy", retry_after_s=5)
        return {"sub": claims["sub"], "scope": permissions}

    def _is_fresh(self, shown_at: int | None) -> bool:
        return shown_at is not None and self._clock() - shown_at < STEP_UP_S


def bearer(headers: list[tuple[bytes, bytes]]) -> str:
    """The bearer token of a request; a second Authorization header makes it count as none.

    Raises:  NotSignedIn.
    """
    found = [value for name, value in headers if name == b"authorization"]
    if len(found) != 1:
        raise NotSignedIn
    scheme, _, token = found[0].decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn
    return token.strip()

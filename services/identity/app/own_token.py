"""The access token of this service's own account: it signs tokens, and so needs to ask nobody for one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from services.identity.model import sessions
from services.identity.model.keys import TokenMint
from services.identity.model.store import Store
from services.kernel.errors import Unavailable

_SPARE = timedelta(seconds=60)


class OwnToken:
    """A token that is good for the next minute; thread-safe."""

    def __init__(
        self,
        store: Store,
        *,
        mint: TokenMint,
        name: str,
        new_id: Callable[[], UUID],
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._mint, self._name = store, mint, name
        self._new_id, self._clock = new_id, clock
        self._lock = threading.Lock()
        self._token, self._ends_at = "", datetime.min.replace(tzinfo=clock().tzinfo)

    def __call__(self) -> str:
        """The token.

        Raises:  Unavailable: the house has no account for this service.
        """
        with self._lock:
            at = self._clock()
            if at + _SPARE >= self._ends_at:
                self._token = self._made(at)
                self._ends_at = at + timedelta(seconds=sessions.TOKEN_LIFE_S)
            return self._token

    def forget(self) -> None:
        """Drop the token: it was refused, although its time is not over."""
        with self._lock:
            self._ends_at = datetime.min.replace(tzinfo=self._ends_at.tzinfo)

    def _made(self, at: datetime) -> str:
        with self._store.read() as tx:
            account = tx.account_named(self._name)
        if account is None or not account.is_active:
            raise Unavailable("own account", retry_after_s=5)
        claims = sessions.claims(
            account,
            session=self._new_id(),
            methods=[sessions.PROGRAM],
            authenticated_at=at,
            at=at,
            token_id=self._new_id(),
        )
        return self._mint.sign(claims, at=at)

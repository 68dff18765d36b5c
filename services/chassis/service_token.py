"""The token with which a program acts for itself, where no user asks: kept until shortly before its end.

A refresh is made by one thread, early; the others go on with the token that they have.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from services.chassis.client import Client
from services.kernel.errors import Unavailable

SPARE_S: Final = 60.0
"""A token is replaced this long before its end, and not used in its last `_LAST_S` seconds."""
_LAST_S: Final = 5.0
_RETRY_S: Final = 1.0


class ServiceToken:
    """The token of one service account; thread-safe.

    operation: the operationId of the contract that gives tokens for a client's id and secret.
    """

    def __init__(
        self,
        client: Client,
        *,
        client_id: str,
        secret: str,
        operation: str = "issue_service_token",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._operation, self._monotonic = client, operation, monotonic
        self._body = {"client_id": client_id, "client_secret": secret}
        self._lock = threading.Lock()
        self._token, self._ends_at = "", float("-inf")
        self._next_try_at = float("-inf")

    def __call__(self) -> str:
        """A token that is good for the next seconds.

        Raises:  Unavailable: there is none, and none can be had now.
        """
        if self._remaining_s() > SPARE_S:
            return self._token
        if self._remaining_s() > _LAST_S:
            self._refresh_early()
            return self._token
        with self._lock:
            if self._remaining_s() <= _LAST_S:
                self._fetch()
            return self._token

    def forget(self) -> None:
        """Drop the token: it was refused, although its time is not over."""
        with self._lock:
            self._ends_at = float("-inf")

    def _remaining_s(self) -> float:
        return self._ends_at - self._monotonic()

    def _refresh_early(self) -> None:
        """Fetch a new one while the old one is still good; a failure does no harm yet."""
        if self._monotonic() < self._next_try_at or not self._lock.acquire(blocking=False):
            return
        try:
            self._next_try_at = self._monotonic() + _RETRY_S
            if self._remaining_s() <= SPARE_S:
                self._fetch()
        except Unavailable:
            return
        finally:
            self._lock.release()

    def _fetch(self) -> None:
        asked_at = self._monotonic()
        reply = self._client.call(self._operation, body=self._body)
        given = reply.body if reply.is_success and isinstance(reply.body, dict) else {}
        token, life_s = given.get("access_token"), given.get("expires_in")
        if not isinstance(token, str) or not isinstance(life_s, int | float):
            # Wrong secret or a disabled account: an operator must act, and callers can only wait.
            raise Unavailable("identity", retry_after_s=5)
        self._token, self._ends_at = token, asked_at + life_s

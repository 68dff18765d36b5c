"""Signs access tokens with the key of the moment, and shows the public halves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey
from prometheus_client import Gauge

from services.chassis.stores import StoreError
from services.identity.app.vault import Vault
from services.identity.model import keys
from services.identity.model.keys import SigningKey

FRESH_S = 2.0
STALE_S = 24 * 3600.0

AGE = Gauge("infirmary_signing_key_age_seconds", "Age of the key that signed last; rotated after thirty days.")


class Mint:
    """The signing keys as the store has them, read again every two seconds at most.

    Several processes sign and publish; what they hold in memory is never older than that, and the times in the keys
    leave room for it. When the store is away the published set goes on for a day; signing is not needed then, because
    nobody can sign in without the store.
    """

    def __init__(
        self, read: Callable[[], Sequence[SigningKey]], *, vault: Vault, monotonic: Callable[[], float]
    ) -> None:
        self._read, self._vault, self._monotonic = read, vault, monotonic
        self._lock = threading.Lock()
        self._keys: Sequence[SigningKey] = ()
        self._read_at = self._changed_at = float("-inf")
        self._opened: dict[str, RSAKey] = {}

    def sign(self, claims: Mapping[str, Any], *, at: datetime) -> str:
        """A signed access token.

        Raises:  Unavailable: no key can sign now. StoreAway.
        """
        known = self._current()
        key = keys.signing(known, at=at)
        AGE.set((at - key.created_at).total_seconds())
        header = {"alg": "RS256", "kid": key.kid, "typ": "at+jwt"}
        return jwt.encode(header, dict(claims), self._private(key, known), algorithms=["RS256"])

    def published(self, *, at: datetime) -> Sequence[Mapping[str, Any]]:
        """The public halves that checkers of tokens need now.

        Raises:  StoreAway: the store is away and was never read, or a day ago.
        """
        try:
            known = self._current()
        except StoreError:
            if not self._keys or self._monotonic() - self._read_at > STALE_S:
                raise
            known = self._keys
        return [key.public_jwk for key in keys.shown(known, at=at)]

    def forget(self) -> None:
        """Read the keys anew at the next question: they were changed just now, here or by another process."""
        self._changed_at = self._monotonic()

    def _current(self) -> Sequence[SigningKey]:
        if self._is_fresh():
            return self._keys
        with self._lock:  # one thread reads, the others wait for it
            if not self._is_fresh():
                started = self._monotonic()
                self._keys = tuple(self._read())
                self._read_at = started
            return self._keys

    def _is_fresh(self) -> bool:
        """What was being read while the keys changed may be what they were before."""
        return self._read_at >= self._changed_at and self._monotonic() - self._read_at < FRESH_S

    def _private(self, key: SigningKey, known: Sequence[SigningKey]) -> RSAKey:
        opened = self._opened.get(key.kid)
        if opened is None:
            clear = self._vault.open(key.sealed or b"", of=key.kid)
            opened = RSAKey.import_key(json.loads(clear))
            living = {each.kid for each in known if each.sealed is not None}
            kept = {kid: each for kid, each in self._opened.items() if kid in living}
            self._opened = {**kept, key.kid: opened}
        return opened

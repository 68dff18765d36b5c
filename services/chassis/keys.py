"""The public keys that tokens are checked with: followed in the background, so that no token check waits for a network.

The set is fetched every 30 seconds. When its source is away, the last good set goes on for a day; its age is a metric.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import orjson
import urllib3
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.util import base64_to_int
from prometheus_client import Counter, Gauge

from services.chassis import http
from services.chassis.auth import KeySource
from services.kernel.errors import Unavailable

PATH: Final = "/api/v1/.well-known/jwks.json"
EVERY_S: Final = 30.0
KEPT_S: Final = 24 * 3600.0
_FIRST_TRIES_S = (0.1, 0.2, 0.4, 0.8, 1.0)
_SMALLEST_BITS = 2048
_LARGEST_SET = 64 * 1024
_FETCH_S = 2.0

AGE = Gauge("infirmary_jwks_age_seconds", "Time since the keys for tokens were fetched; NaN before the first time.")
FETCHES = Counter("infirmary_jwks_fetches_total", "Fetches of the keys for tokens.", ["result"])


class NoKeys(Exception):
    """What was fetched is not a set of usable keys."""


def usable_keys(document: Any) -> dict[str, dict[str, Any]]:
    """The RSA signature keys of a JWKS document by their id, public parts only; weak and other keys are left out.

    Raises:  NoKeys: nothing usable in it.
    """
    found: dict[str, dict[str, Any]] = {}
    listed = document.get("keys") if isinstance(document, Mapping) else None
    for each in listed if isinstance(listed, list) else []:
        if not isinstance(each, Mapping) or each.get("kty") != "RSA" or not isinstance(each.get("kid"), str):
            continue
        if each.get("use", "sig") == "sig" and each.get("alg", "RS256") == "RS256" and _is_strong(each):
            found[each["kid"]] = {"kty": "RSA", "n": each["n"], "e": each["e"]}
    if not found:
        raise NoKeys
    return found


def _is_strong(document: Mapping[str, Any]) -> bool:
    try:
        if base64_to_int(document["n"]).bit_length() < _SMALLEST_BITS:
            return False
        RSAKey.import_key({"kty": "RSA", "n": document["n"], "e": document["e"]})
    except (JoseError, ValueError, TypeError, KeyError):
        return False
    return True


class Withdrawals(Protocol):
    """What knows of keys that were taken out at once, before any set of keys says so."""

    def is_withdrawn(self, kid: str) -> bool:
        """Whether no token of this key counts any more."""


class KeysInForce:
    """The keys of a follower without those that were withdrawn."""

    def __init__(self, keys: KeySource, *, withdrawals: Withdrawals) -> None:
        self._keys, self._withdrawals = keys, withdrawals

    def key(self, kid: str) -> RSAKey | None:
        """The key of this id, as the follower has it; None when it was withdrawn.

        Raises:  Unavailable: no set of keys is known at all.
        """
        return None if self._withdrawals.is_withdrawn(kid) else self._keys.key(kid)


class KeyFollower:
    """The keys of now, kept fresh by one background thread.

    monotonic: seconds that never go back. A key keeps its object as long as it stays the same.
    """

    def __init__(self, identity_url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = identity_url.rstrip("/") + PATH
        self._monotonic = monotonic
        self._http = http.pool(connections=1)
        self._keys: dict[str, tuple[dict[str, Any], RSAKey]] = {}
        self._fetched_at: float | None = None
        self._asked_at: float | None = None
        self._asks_refused = False
        self._lock = threading.Lock()
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow."""
        AGE.set_function(self.age_s)
        self._thread = threading.Thread(target=self._follow, name="jwks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End to follow; what is known stays known."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(_FETCH_S + 1)
        self._http.clear()

    def age_s(self) -> float:
        """Seconds since the last good fetch; NaN before the first."""
        return float("nan") if self._fetched_at is None else self._monotonic() - self._fetched_at

    def require(self) -> None:
        """Answer when tokens can be checked here.

        Raises:  Unavailable: no set was ever fetched, or the last one is a day old.
        """
        if self._fetched_at is None or self._monotonic() - self._fetched_at > KEPT_S:
            raise Unavailable("identity")

    def key(self, kid: str) -> RSAKey | None:
        """The key of this id; None when it is not known, and then the set is fetched again soon, once in 30 seconds.

        Raises:  Unavailable: as `require` says.
        """
        self.require()
        found = self._keys.get(kid)
        if found is None:
            self._ask()
            return None
        return found[1]

    def refresh(self) -> None:
        """Fetch the set now: somebody has said that it is another one."""
        self._wake.set()

    def _ask(self) -> None:
        with self._lock:
            now = self._monotonic()
            if self._asked_at is not None and now - self._asked_at < EVERY_S:
                self._asks_refused = True
                return
            self._asked_at = now
        self._wake.set()

    def _follow(self) -> None:
        tries = 0
        while not self._stopping.is_set():
            self._fetch()
            if self._fetched_at is None:
                pause, tries = _FIRST_TRIES_S[min(tries, len(_FIRST_TRIES_S) - 1)], tries + 1
            else:
                pause = EVERY_S
            self._wake.wait(pause)
            self._wake.clear()

    def _fetch(self) -> None:
        with self._lock:
            if self._asks_refused:  # this fetch is the answer to all who asked too soon, and counts as one
                self._asked_at, self._asks_refused = self._monotonic(), False
        try:
            answer = http.get(self._http, self._url, within_s=_FETCH_S, largest=_LARGEST_SET)
            documents = usable_keys(orjson.loads(answer.body) if answer.status == 200 else None)
        except (NoKeys, urllib3.exceptions.HTTPError, OSError, http.TooLarge, orjson.JSONDecodeError):
            FETCHES.labels("failure").inc()
            return
        kept = self._keys
        self._keys = {
            kid: kept[kid] if kid in kept and kept[kid][0] == each else (each, RSAKey.import_key(each))
            for kid, each in documents.items()
        }
        self._fetched_at = self._monotonic()
        FETCHES.labels("success").inc()

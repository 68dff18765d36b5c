"""Who sends this request: a bearer token in, the account that acts out.

A token is checked by its signature and its claims, and then against the policy of this moment (revoked sessions,
disabled accounts, roles that were taken away). Nothing here does I/O: keys and policy are followed in the background,
because the check runs on the event loop.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from prometheus_client import Counter

from services.chassis import reach
from services.kernel.access import Actor
from services.kernel.errors import NotSignedIn

ISSUER: Final = "infirmary"
AUDIENCE: Final = "infirmary"
TYPE: Final = "at+jwt"
ALGORITHM: Final = "RS256"
LONGEST_LIFE_S: Final = 600
LEEWAY_S: Final = 60
LARGEST_TOKEN: Final = 8192

_HEADER_NAMES = frozenset({"alg", "kid", "typ"})
_KID = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
_ID = re.compile(r"[!-~]{1,128}\Z")
_PART = re.compile(r"[A-Za-z0-9_-]+\Z")
_MOST_ROLES = 64
_MOST_METHODS = 8

REFUSED = Counter("infirmary_tokens_refused_total", "Bearer tokens that did not count, by the rule.", ["reason"])


class KeySource(Protocol):
    """Where public keys come from; an answer is immediate and never waits for a network."""

    def key(self, kid: str) -> RSAKey | None:
        """The key of this id, or None when it is not known (yet); the same object as long as the key is the same.

        Raises:  Unavailable: no set of keys is known at all.
        """


class ActorSource(Protocol):
    """Where the policy of this moment comes from; an answer is immediate."""

    def actor(self, claims: Mapping[str, Any]) -> Actor:
        """The account that these claims name, with what it may do now.

        Raises:  NotSignedIn: its session was ended, or the account is disabled.
        """


class Refused(Exception):
    """A token does not count. The reason is the name of the rule, never anything of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Opened:
    """The two readable parts of a token, before anything of them is believed."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def open_token(token: str) -> Opened:
    """Take a token apart and check its form; it says nothing yet about who signed it.

    Raises:  Refused.
    """
    if not token or len(token) > LARGEST_TOKEN:
        raise Refused("size")
    parts = token.split(".")
    if len(parts) != 3 or not all(_PART.match(part) for part in parts):
        raise Refused("form")
    header = _object(parts[0])
    if header.keys() != _HEADER_NAMES:
        raise Refused("header")
    if header["alg"] != ALGORITHM:
        raise Refused("algorithm")
    if header["typ"] != TYPE:
        raise Refused("type")
    if not isinstance(header["kid"], str) or not _KID.match(header["kid"]):
        raise Refused("kid")
    return Opened(header, _object(parts[1]))


def check_signature(token: str, *, key: RSAKey) -> None:
    """Check that the holder of the key signed this token.

    Raises:  Refused.
    """
    try:
        jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError) as error:
        raise Refused("signature") from error


def check_claims(claims: Mapping[str, Any], *, now: float) -> None:
    """Check what a token says: from whom, for whom, about whom, and that its time is now.

    Raises:  Refused.
    """
    if claims.get("iss") != ISSUER:
        raise Refused("issuer")
    if claims.get("aud") != AUDIENCE:
        raise Refused("audience")
    for name in ("sub", "sid", "jti"):
        if not isinstance(claims.get(name), str) or not _ID.match(claims[name]):
            raise Refused(name)
    roles = claims.get("roles")
    if not isinstance(roles, list) or len(roles) > _MOST_ROLES:
        raise Refused("roles")
    if not all(isinstance(role, str) and _ID.match(role) for role in roles):
        raise Refused("roles")
    _check_times(claims, now=now)
    _check_more(claims)


def _check_times(claims: Mapping[str, Any], *, now: float) -> None:
    times = [claims.get(name) for name in ("iat", "nbf", "exp")]
    if not all(type(each) is int for each in times):  # a boolean is an int, and is no time
        raise Refused("times")
    issued, not_before, expires = claims["iat"], claims["nbf"], claims["exp"]
    if expires <= issued or expires - issued > LONGEST_LIFE_S:
        raise Refused("life")
    if now >= expires + LEEWAY_S:
        raise Refused("expired")
    if not_before > now + LEEWAY_S or issued > now + LEEWAY_S:
        raise Refused("not_yet")


def _check_more(claims: Mapping[str, Any]) -> None:
    """What not every token says: how its bearer signed in, and how far its roles reach."""
    methods, signed_in = claims.get("amr", []), claims.get("auth_time", 0)
    if not isinstance(methods, list) or len(methods) > _MOST_METHODS or type(signed_in) is not int:
        raise Refused("methods")
    if not all(isinstance(each, str) and _ID.match(each) for each in methods):
        raise Refused("methods")
    try:
        reach.refuse_malformed(claims.get("areas", {}), claims.get("links", []))
    except (KeyError, TypeError, ValueError):
        raise Refused("reach") from None


def _object(part: str) -> dict[str, Any]:
    """One part of a token as JSON that means one thing: no repeated names, no NaN, canonical base64url."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
            raise Refused("form")
        found = json.loads(raw, object_pairs_hook=_once, parse_constant=_no_constant)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Refused("form") from error
    if not isinstance(found, dict):
        raise Refused("form")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("repeated")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


@dataclass(frozen=True, slots=True)
class _Verified:
    claims: Mapping[str, Any]
    kid: str
    key: RSAKey
    until: float


class TokenCheck:
    """Token to actor, thread-safe, with a bounded memory of tokens that were verified before.

    clock: seconds since 1970. What is remembered is the digest of a token, until it expires or its key is withdrawn;
    the policy is asked each time.
    """

    def __init__(
        self, *, keys: KeySource, policy: ActorSource, clock: Callable[[], float] = time.time, remember: int = 10_000
    ) -> None:
        self._keys, self._policy, self._clock, self._most = keys, policy, clock, remember
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._lock = threading.Lock()

    def actor(self, token: str) -> tuple[Actor, Mapping[str, Any]]:
        """The account that acts with this token, and the token's claims.

        Raises:  NotSignedIn: it does not count. Unavailable: no key is known yet.
        """
        claims = self._claims(token)
        try:
            return self._policy.actor(claims), claims
        except NotSignedIn:
            REFUSED.labels("policy").inc()
            raise

    def _claims(self, token: str) -> Mapping[str, Any]:
        now = self._clock()
        digest = hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=32).digest()
        with self._lock:
            known = self._verified.get(digest)
            if known is not None:
                self._verified.move_to_end(digest)
        if known is not None and now < known.until and self._keys.key(known.kid) is known.key:
            return known.claims
        try:
            verified = self._verify(token, now)
        except Refused as refusal:
            REFUSED.labels(refusal.reason).inc()
            raise NotSignedIn from None
        with self._lock:
            self._verified[digest] = verified
            while len(self._verified) > self._most:
                self._verified.popitem(last=False)
        return verified.claims

    def _verify(self, token: str, now: float) -> _Verified:
        opened = open_token(token)
        key = self._keys.key(opened.header["kid"])
        if key is None:
            raise Refused("unknown_kid")
        check_signature(token, key=key)
        check_claims(opened.claims, now=now)
        return _Verified(opened.claims, opened.header["kid"], key, opened.claims["exp"] + LEEWAY_S)

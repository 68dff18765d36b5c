"""Keys that sign access tokens: when each one signs, and how long its public half is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from services.kernel.errors import Conflict, NotFound, Unavailable

SHOWN_BEFORE: Final = timedelta(seconds=90)
"""From the making of a key to its first use: longer than any cache of the key set (30 s), and the own one, together."""
SHOWN_AFTER: Final = timedelta(seconds=600 + 60 + 60)
"""From the last use of a key to its end: the life of a token, its leeway, and a cache of the key set."""
LIFE: Final = timedelta(days=30)


class RotationRunning(Conflict):
    """A new key waits for its first use already."""

    code = "rotation_running"
    title = "A new key is on its way"


class UnknownSigningKey(NotFound):
    """There is no signing key of this id."""


class WithdrawnAlready(Conflict):
    """The key was withdrawn before, for good."""

    code = "withdrawn_already"
    title = "This key is withdrawn already"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One key pair. The private half is sealed; it is erased when the key no longer signs.

    signs_from: its first use; the next key's first use ends its own. withdrawn_at: taken out at once, for good.
    """

    kid: str
    created_at: datetime
    signs_from: datetime
    public_jwk: Mapping[str, Any]
    sealed: bytes | None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A key with its times: it signs in [signs_from, signs_until) and is shown until `shown_until`."""

    key: SigningKey
    signs_until: datetime | None
    shown_until: datetime | None

    def stage(self, at: datetime) -> str:
        """Where in its life the key is: waiting, signing, retired, gone or withdrawn."""
        if self.key.withdrawn_at is not None:
            return "withdrawn"
        if at < self.key.signs_from:
            return "waiting"
        if self.signs_until is None or at < self.signs_until:
            return "signing"
        return "retired" if self.shown_until is None or at < self.shown_until else "gone"


class KeyMaker(Protocol):
    """Makes key pairs; the private half comes out sealed."""

    def make(self) -> tuple[str, Mapping[str, Any], bytes]:
        """A new pair: key id, public half as JWK, sealed private half."""


class TokenMint(Protocol):
    """Signs tokens with the key of the moment, and shows the public halves."""

    def sign(self, claims: Mapping[str, Any], *, at: datetime) -> str:
        """A signed access token.

        Raises:  Unavailable: no key can sign now.
        """

    def published(self, *, at: datetime) -> Sequence[Mapping[str, Any]]:
        """The public halves that checkers of tokens need now."""

    def forget(self) -> None:
        """Read the keys anew at the next question: they were changed just now."""


def placed(keys: Sequence[SigningKey]) -> list[Placed]:
    """Every key with its times, in the order of their first use.

    Source:  NIST SP 800-57 Part 1 Rev. 5, section 5.3 (cryptoperiods); the overlap is token life and caches.
    """
    ordered = sorted(keys, key=lambda key: (key.signs_from, key.kid))
    found = []
    for place, key in enumerate(ordered):
        later = [each.signs_from for each in ordered[place + 1 :] if each.withdrawn_at is None]
        until = min(later, default=None)
        found.append(Placed(key=key, signs_until=until, shown_until=None if until is None else until + SHOWN_AFTER))
    return found


def signing(keys: Sequence[SigningKey], *, at: datetime) -> SigningKey:
    """The key that signs now: the one with the latest first use that is not in the future.

    Raises:  Unavailable: there is none.
    Source:  as placed.
    """
    found = _signing(keys, at=at)
    if found is None:
        raise Unavailable("signing key")
    return found


def shown(keys: Sequence[SigningKey], *, at: datetime) -> list[SigningKey]:
    """The keys whose public halves are published now.

    Source:  as placed.
    """
    return [each.key for each in placed(keys) if each.stage(at) in {"waiting", "signing", "retired"}]


def next_key(keys: Sequence[SigningKey], *, made: tuple[str, Mapping[str, Any], bytes], at: datetime) -> SigningKey:
    """A new key in its place: used after every checker can know it; the very first one at once.

    Raises:  RotationRunning: the key before it waits still.
    Source:  as placed.
    """
    stages = {each.stage(at) for each in placed(keys)}
    if "waiting" in stages:
        raise RotationRunning
    kid, public, sealed = made
    signs_from = at + SHOWN_BEFORE if _signing(keys, at=at) is not None else at
    return SigningKey(kid=kid, created_at=at, signs_from=signs_from, public_jwk=dict(public), sealed=sealed)


def withdrawn(keys: Sequence[SigningKey], *, kid: str, at: datetime) -> list[SigningKey]:
    """All keys with one taken out at once, its private half erased; one that waited signs now when nothing else can.

    Raises:  UnknownSigningKey, WithdrawnAlready.
    Source:  NIST SP 800-57 Part 1 Rev. 5, section 5.4.6 (a compromised key is revoked, not rotated).
    """
    found = next((key for key in keys if key.kid == kid), None)
    if found is None:
        raise UnknownSigningKey
    if found.withdrawn_at is not None:
        raise WithdrawnAlready
    left = [replace(key, withdrawn_at=at, sealed=None) if key.kid == kid else key for key in keys]
    if _signing(left, at=at) is None:
        waiting = {key.kid for key in left if key.withdrawn_at is None and key.sealed is not None}
        left = [replace(key, signs_from=min(key.signs_from, at)) if key.kid in waiting else key for key in left]
    return left


def can_sign(keys: Sequence[SigningKey], *, at: datetime) -> bool:
    """Whether one of the keys can sign now.

    Source:  as placed.
    """
    return _signing(keys, at=at) is not None


def _signing(keys: Sequence[SigningKey], *, at: datetime) -> SigningKey | None:
    able = (each.key for each in reversed(placed(keys)) if each.stage(at) == "signing")
    return next((key for key in able if key.sealed is not None), None)


def is_due(keys: Sequence[SigningKey], *, at: datetime, life: timedelta = LIFE) -> bool:
    """Whether it is time for a new key.

    Source:  NIST SP 800-57 Part 1 Rev. 5, section 5.3 (cryptoperiods).
    """
    return all(key.withdrawn_at is not None or at - key.created_at >= life for key in keys)


def spent(keys: Sequence[SigningKey], *, at: datetime) -> list[str]:
    """Ids of keys that will never sign again, a while after their last use: their private halves can be erased.

    Source:  NIST SP 800-57 Part 1 Rev. 5, section 8.3.4 (destroy private keys at the end of their use).
    """
    margin = timedelta(minutes=5)
    return [
        each.key.kid
        for each in placed(keys)
        if each.key.sealed is not None and each.signs_until is not None and at >= each.signs_until + margin
    ]

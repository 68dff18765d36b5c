"""Passwords through argon2id: slow and memory-hard, with a cap on how many at once."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher as Argon2
from argon2 import Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from prometheus_client import Counter, Histogram

from services.identity.model.passwords import HashingBusy, Verdict

MEMORY_KIB, PASSES, LANES = 64 * 1024, 3, 4
WAIT_S = 2.0

DURATION = Histogram(
    "infirmary_password_hash_seconds",
    "Time of one argon2id computation, without waiting for a place.",
    buckets=(0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6),
)
BUSY = Counter("infirmary_password_hash_refused_total", "Password checks refused because too many ran already.")


class Argon2Passwords:
    """argon2id with 64 MiB, three passes and four lanes (RFC 9106, second recommended option).

    at_once: how many may run in this process; each takes that memory, so this bounds it. Who waits longer than two
    seconds for a place is refused.
    """

    def __init__(self, *, at_once: int, memory_kib: int = MEMORY_KIB, wait_s: float = WAIT_S) -> None:
        self._argon2 = Argon2(time_cost=PASSES, memory_cost=memory_kib, parallelism=LANES, type=Type.ID)
        self._places = threading.BoundedSemaphore(at_once)
        self._wait_s = wait_s
        self._nobodys: str | None = None
        self._first = threading.Lock()

    def hash(self, password: str) -> str:
        """A salted hash.

        Raises:  HashingBusy.
        """
        self._take_place()
        try:
            with DURATION.time():
                return self._argon2.hash(_bytes(password))
        finally:
            self._places.release()

    def check(self, password: str, *, against: str | None) -> Verdict:
        """Whether it fits; without a hash it works as long on nobody's, and never fits.

        Raises:  HashingBusy.
        """
        known = self._nobody() if against is None else against
        self._take_place()
        try:
            with DURATION.time():
                self._argon2.verify(known, _bytes(password))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return Verdict(fits=False)
        finally:
            self._places.release()
        return Verdict(fits=against is not None, is_outdated=self._argon2.check_needs_rehash(known))

    def warm_up(self) -> None:
        """Make nobody's hash before the first sign-in, which would otherwise take longer and so tell something."""
        self._nobody()

    def _nobody(self) -> str:
        with self._first:
            if self._nobodys is None:
                self._nobodys = self._argon2.hash("the password of nobody")
            return self._nobodys

    def _take_place(self) -> None:
        if not self._places.acquire(timeout=self._wait_s):
            BUSY.inc()
            raise HashingBusy


def _bytes(password: str) -> bytes:
    # A JSON string may hold half a surrogate pair; it fits no hash, and must not be an error.
    return password.encode("utf-8", "surrogatepass")

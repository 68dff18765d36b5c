"""The second factor: a code of the moment from a device, or one of ten backup codes that count once each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from services.kernel.errors import Conflict, FieldError, Invalid, NotSignedIn

STEP_S: Final = 30
SKEW: Final = 1
"""Steps before and after the one of this moment whose code counts too: clocks of devices differ."""
BACKUP_CODES: Final = 10
CHALLENGE_LIFE: Final = timedelta(minutes=5)
CHALLENGE_TRIES: Final = 5
ENROLMENT_LIFE: Final = timedelta(minutes=15)
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GROUP, _SIGNS = 5, 10


class SecondFactorRequired(NotSignedIn):
    """The password was right; the second step is open for some minutes under an id."""

    code = "second_factor_required"
    title = "Show the second factor"

    def __init__(self, challenge: str) -> None:
        super().__init__(facts={"challenge_id": challenge, "expires_in": int(CHALLENGE_LIFE.total_seconds())})


class FactorRefused(NotSignedIn):
    """Challenge and code do not open a session. One answer for every reason."""

    code = "second_factor_refused"
    title = "The code is not right"


class WrongCode(Invalid):
    """The code that was given is not right, or was used before."""

    code = "wrong_code"
    title = "The code is not right"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("wrong", pointer="/code")])


class FactorInUse(Conflict):
    """The account has a second factor already."""

    code = "second_factor_in_use"
    title = "The account has a second factor already"


class NoFactor(Conflict):
    """The account has no second factor, or began no enrolment."""

    code = "no_second_factor"
    title = "There is no second factor to do this with"


class FactorEnforced(Conflict):
    """A role of the account wants a second factor."""

    code = "second_factor_enforced"
    title = "A role of this account wants a second factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """The secret that a device shares, sealed. It counts once it was confirmed; each step's code counts once."""

    account_id: UUID
    sealed: bytes
    made_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """The first half of a sign-in: the password was right, by these methods."""

    digest: bytes
    account_id: UUID
    methods: tuple[str, ...]
    made_at: datetime
    tries: int = 0
    used_at: datetime | None = None


class Authenticator(Protocol):
    """Codes of the moment, and secrets that only the holder of the master key reads."""

    def new_secret(self, account_id: UUID) -> tuple[str, bytes]:
        """A new secret in base32, and the same sealed."""

    def address(self, secret: str, *, username: str) -> str:
        """What a device reads to take the secret over (`otpauth:`)."""

    def step_of(self, sealed: bytes, code: str, *, account_id: UUID, at: datetime) -> int | None:
        """The step whose code this is, within one of this moment; None when it is none."""


def is_open(challenge: Challenge, *, at: datetime) -> bool:
    """Whether a second step may be tried under this challenge.

    Source:  NIST SP 800-63B-4, section 3.2.2 (few tries), and section 2.2 (both factors in one sign-in).
    """
    is_young = at < challenge.made_at + CHALLENGE_LIFE
    return challenge.used_at is None and is_young and challenge.tries < CHALLENGE_TRIES


def accepts(factor: SecondFactor, *, step: int | None) -> SecondFactor | None:
    """The factor after a code of this step; None when the code is none, or one of this step or a later one was used.

    Source:  RFC 6238, section 5.2 (a code counts once).
    """
    if step is None or step <= factor.last_step:
        return None
    return replace(factor, last_step=step)


def confirmed(factor: SecondFactor | None, *, step: int | None, at: datetime) -> SecondFactor:
    """The factor, in force from now on.

    Raises:  NoFactor: no enrolment was begun, or too long ago. FactorInUse. WrongCode.
    Source:  OWASP ASVS 5.0, 6.4 (enrolment proves possession).
    """
    if factor is None or at >= factor.made_at + ENROLMENT_LIFE:
        raise NoFactor
    if factor.confirmed_at is not None:
        raise FactorInUse
    accepted = accepts(factor, step=step)
    if accepted is None:
        raise WrongCode
    return replace(accepted, confirmed_at=at)


def backup_code(randomness: bytes) -> str:
    """One backup code from ten random bytes: 50 bits in two groups of five signs.

    Raises:  ValueError: other than ten bytes.
    Source:  NIST SP 800-63B-4, section 3.1.2 (look-up secrets have at least 20 bits).
    """
    if len(randomness) != _SIGNS:
        raise ValueError("10 bytes of randomness are needed")
    signs = [_ALPHABET[byte % len(_ALPHABET)] for byte in randomness]  # 256 is a multiple of 32: no sign is likelier
    return f"{''.join(signs[:_GROUP])}-{''.join(signs[_GROUP:])}"


def comparable(code: str) -> str:
    """A code as it is compared: without blanks and dashes, in capitals.

    Source:  none, plain arithmetic.
    """
    return code.replace("-", "").replace(" ", "").upper()

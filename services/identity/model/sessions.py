"""Sign-in, sessions and their rotating refresh tokens."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from services.identity.model.accounts import Account
from services.kernel.access import Actor
from services.kernel.errors import FieldError, Invalid, NotFound, NotSignedIn

TOKEN_LIFE_S: Final = 600


class SignInRefused(NotSignedIn):
    """User name and password do not open an account. One answer for every reason."""

    code = "sign_in_refused"
    title = "User name or password is not right"


class RefreshRefused(NotSignedIn):
    """The refresh token is unknown, used before, or its session has ended."""

    code = "refresh_refused"
    title = "Sign in again"


class SecretRefused(NotSignedIn):
    """Client id and secret do not open an account. One answer for every reason."""

    code = "secret_refused"
    title = "Client id or secret is not right"


class UnknownSession(NotFound):
    """The caller has no such session."""


class WrongCurrentPassword(Invalid):
    """The current password that was given is not right."""

    code = "wrong_current_password"
    title = "The current password is not right"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("wrong", pointer="/current_password")])


class Ended(StrEnum):
    """Why a session ended."""

    SIGN_OUT = "sign_out"
    BY_OWNER = "by_owner"
    BY_ADMIN = "by_admin"
    PASSWORD = "password"  # noqa: S105 - a reason
    DISABLED = "disabled"
    REUSE = "reuse"


class Turn(StrEnum):
    """What a refresh token is worth at this moment."""

    GOOD = "good"
    REUSED = "reused"
    WORTHLESS = "worthless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a session may last without use, and at all."""

    idle: timedelta = timedelta(hours=1)
    whole: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in device. `source` is the address that it signed in from."""

    id: UUID
    account_id: UUID
    source: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    ended_why: Ended | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """One refresh token as it is kept: a digest, its session, and whether it was used."""

    digest: bytes
    session_id: UUID
    issued_at: datetime
    used_at: datetime | None = None


def digest(secret: str) -> bytes:
    """What is kept of a random secret of 256 bits (refresh token, service secret).

    A fast digest is right for these, and wrong for passwords: nobody can try 2**256 values, slow or fast.

    Source:  OWASP ASVS 5.0, 11.4 (fast hashes for high-entropy secrets only).
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def opened(account: Account, *, session_id: UUID, source: str, at: datetime, limits: Limits) -> Session:
    """A new session of an account.

    Source:  NIST SP 800-63B-4, section 2.2.3 (reauthentication at least once in 12 hours).
    """
    return Session(
        id=session_id, account_id=account.id, source=source, created_at=at, used_at=at, expires_at=at + limits.whole
    )


def turn(session: Session, *, token: RefreshToken, at: datetime, limits: Limits) -> Turn:
    """Whether a refresh token may be exchanged now. A second use of one means that two hold it: both lose the session.

    Source:  RFC 9700, section 4.14.2 (refresh token rotation).
    """
    if session.ended_at is not None:
        return Turn.WORTHLESS
    if token.used_at is not None:
        return Turn.REUSED
    if at >= session.expires_at or at >= session.used_at + limits.idle:
        return Turn.WORTHLESS
    return Turn.GOOD


def used(session: Session, *, at: datetime) -> Session:
    """The session, used just now.

    Source:  none, plain arithmetic.
    """
    return replace(session, used_at=at)


def claims(
    account: Account, *, session: UUID, at: datetime, token_id: UUID, life_s: int = TOKEN_LIFE_S
) -> dict[str, Any]:
    """What an access token says: who, in which session, with which roles, for how long.

    Source:  RFC 9068 (JWT profile for access tokens).
    """
    now = int(at.timestamp())
    return {
        "iss": "infirmary",
        "aud": "infirmary",
        "sub": str(account.id),
        "sid": str(session),
        "roles": list(account.effective_roles),
        "iat": now,
        "nbf": now,
        "exp": now + life_s,
        "jti": str(token_id),
    }


def actor_of(account: Account, *, session: UUID) -> Actor:
    """The account as the one who acts, for the trail of its own sign-in.

    Source:  none, plain arithmetic.
    """
    return Actor(subject=str(account.id), session=str(session), roles=frozenset(account.effective_roles))

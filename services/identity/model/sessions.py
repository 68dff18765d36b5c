"""Sign-in, sessions and their rotating refresh tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from services.identity.model import reach
from services.identity.model.accounts import Account
from services.identity.model.roles import FIRST_SIGN_IN
from services.kernel.access import Actor
from services.kernel.errors import FieldError, Invalid, NotFound, NotSignedIn

TOKEN_LIFE_S: Final = 600
# Methods of signing in (RFC 8176), and our own words for a provider's and a program's.
PASSWORD, CODE, PROVIDER, PROGRAM, SEVERAL = "pwd", "otp", "ext", "svc", "mfa"
_FACTORS = frozenset({CODE, SEVERAL})


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


class UnknownCounter(NotFound):
    """There is no such counter, or it counts nothing."""


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
    FACTOR = "second_factor"
    CLOSED = "facility_closed"


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
    """One signed-in device. `source` is the address that it signed in from.

    methods, authenticated_at: how its owner was recognised, and when last.
    """

    id: UUID
    account_id: UUID
    source: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    authenticated_at: datetime
    methods: tuple[str, ...] = (PASSWORD,)
    ended_at: datetime | None = None
    ended_why: Ended | None = None

    @property
    def has_second_factor(self) -> bool:
        """Whether one was shown in it."""
        return bool(_FACTORS & set(self.methods))


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


def opened(
    account: Account,
    *,
    session_id: UUID,
    source: str,
    at: datetime,
    limits: Limits,
    methods: Sequence[str] = (PASSWORD,),
) -> Session:
    """A new session of an account.

    Source:  NIST SP 800-63B-4, section 2.2.3 (reauthentication at least once in 12 hours).
    """
    return Session(
        id=session_id,
        account_id=account.id,
        source=source,
        created_at=at,
        used_at=at,
        expires_at=at + limits.whole,
        authenticated_at=at,
        methods=tuple(methods),
    )


def with_code(session: Session, *, at: datetime) -> Session:
    """The session after a code of the second factor was shown in it.

    Source:  RFC 9470 (step-up authentication).
    """
    return replace(session, methods=tuple(dict.fromkeys((*session.methods, CODE))), authenticated_at=at)


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
    account: Account,
    *,
    session: UUID,
    methods: Sequence[str],
    authenticated_at: datetime,
    at: datetime,
    token_id: UUID,
    with_factor: Collection[str] = (),
    ends_at: datetime | None = None,
) -> dict[str, Any]:
    """What an access token says: who, in which session, with which roles, how far they reach, for how long.

    with_factor: roles that want a second factor; without one nothing is left of the roles but the way to it.
    ends_at: when what the token was given for ends.

    Source:  RFC 9068 (JWT profile for access tokens), RFC 8176 (amr).
    """
    now = int(at.timestamp())
    life_s = TOKEN_LIFE_S if ends_at is None else max(1, min(TOKEN_LIFE_S, int(ends_at.timestamp()) - now))
    lacks = PROGRAM not in methods and not _FACTORS & set(methods) and bool(set(with_factor) & set(account.roles))
    areas, links = reach.areas_said(account.areas), reach.links_said(account.links, at=at)
    return {
        "iss": "infirmary",
        "aud": "infirmary",
        "sub": str(account.id),
        "sid": str(session),
        "roles": [FIRST_SIGN_IN] if lacks else list(account.effective_roles),
        **({"areas": areas} if areas else {}),
        **({"links": links} if links else {}),
        "amr": list(methods),
        "auth_time": int(authenticated_at.timestamp()),
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

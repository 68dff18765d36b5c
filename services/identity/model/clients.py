"""Accounts of programs of others: roles for scopes, and keys that end and can be taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.kernel.errors import Conflict, NotFound

LONGEST: Final = timedelta(days=730)
MOST_KEYS: Final = 8


class UnknownKey(NotFound):
    """The account has no such key."""


class TooManyKeys(Conflict):
    """For a change from one key to the next, two are enough."""

    code = "too_many_keys"
    title = "The account has as many living keys as it may have"


class NotAClient(Conflict):
    """A person, or a service of the house: their ways in are made elsewhere."""

    code = "not_a_service_account"
    title = "This is not a service account"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceKey:
    """One key of a service account, as it is kept: a digest. Tokens that it gives carry its id as their session."""

    id: UUID
    account_id: UUID
    digest: bytes
    label: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_good(self, at: datetime) -> bool:
        """Whether it gives tokens."""
        return self.revoked_at is None and at < self.expires_at


def new_key(
    *, key_id: UUID, account_id: UUID, digest: bytes, label: str, days: int, by: str, at: datetime
) -> ServiceKey:
    """A key with an end.

    Source:  OWASP ASVS 5.0, 13.2 (secrets between services end and are changed).
    """
    return ServiceKey(
        id=key_id,
        account_id=account_id,
        digest=digest,
        label=label.strip(),
        made_by=by,
        made_at=at,
        expires_at=at + min(timedelta(days=days), LONGEST),
    )


def refuse_too_many(keys: list[ServiceKey], *, at: datetime) -> None:
    """Refuse one key more than somebody can look after.

    Raises:  TooManyKeys.
    Source:  none, plain arithmetic.
    """
    if sum(1 for key in keys if key.is_good(at)) >= MOST_KEYS:
        raise TooManyKeys


def revoked(key: ServiceKey, *, at: datetime) -> ServiceKey:
    """The key, taken back; its tokens count no more.

    Source:  none, plain arithmetic.
    """
    return key if key.revoked_at is not None else replace(key, revoked_at=at)

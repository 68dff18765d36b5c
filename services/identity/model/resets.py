"""A forgotten password: a link by mail, which counts once and for half an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from services.identity.model.accounts import Account, Kind
from services.kernel.errors import Conflict, NotSignedIn

LIFE: Final = timedelta(minutes=30)


class ResetRefused(NotSignedIn):
    """The link is unknown, used, or old. One answer for every reason."""

    code = "reset_refused"
    title = "This link does not count any more"


class NoMail(Conflict):
    """This house sends no mail."""

    code = "no_mail"
    title = "This house sends no mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """What was asked for: a digest of the link's token, and whose password. Without an account it opens nothing.

    sealed: the token, until its mail has gone out.
    """

    digest: bytes
    account_id: UUID | None
    made_at: datetime
    sealed: bytes | None
    used_at: datetime | None = None


class Mail(Protocol):
    """The way out for mails with links."""

    def seal(self, token: str, *, digest: bytes) -> bytes:
        """The token, unreadable in the store."""

    def send(self, reset: Reset, *, to: str) -> None:
        """Send the link.

        Raises:  Unavailable: the mail server does not take it; try again.
        """


def may_be_reset(account: Account | None) -> bool:
    """Whether there is somebody to send a link to.

    Source:  NIST SP 800-63B-4, section 4.2 (account recovery by a validated address).
    """
    if account is None or account.kind is not Kind.PERSON:
        return False
    return account.is_active and account.email is not None and account.password_hash is not None


def is_open(reset: Reset, *, at: datetime) -> bool:
    """Whether the link counts now.

    Source:  OWASP ASVS 5.0, 6.4 (recovery links: single use, short life).
    """
    return reset.used_at is None and at < reset.made_at + LIFE

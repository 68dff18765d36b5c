"""Codes of the moment (RFC 6238) by pyotp; the secret of a device lies sealed in the store."""

from __future__ import annotations

import hmac
from datetime import datetime
from uuid import UUID

import pyotp

from services.identity.app.vault import Vault
from services.identity.model.factors import SKEW, STEP_S

ISSUER = "Infirmary"


class Totp:
    """Six digits every thirty seconds, as every authenticator makes them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def new_secret(self, account_id: UUID) -> tuple[str, bytes]:
        """A new secret of 160 bits in base32, and the same sealed."""
        secret = pyotp.random_base32()
        return secret, self._vault.seal(secret.encode(), of=_row(account_id))

    def address(self, secret: str, *, username: str) -> str:
        """What a device reads to take the secret over (`otpauth:`)."""
        return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=username, issuer_name=ISSUER)

    def step_of(self, sealed: bytes, code: str, *, account_id: UUID, at: datetime) -> int | None:
        """The step whose code this is, within one of this moment; None when it is none.

        Every step is looked at, whichever it is: the time that it takes tells nothing.
        """
        totp = pyotp.TOTP(self._vault.open(sealed, of=_row(account_id)).decode(), interval=STEP_S)
        now = int(at.timestamp()) // STEP_S
        given = code.encode("utf-8", "surrogatepass")
        steps = range(now - SKEW, now + SKEW + 1)
        fitting = [step for step in steps if hmac.compare_digest(totp.generate_otp(step).encode(), given)]
        return max(fitting, default=None)


def _row(account_id: UUID) -> str:
    return f"second factor {account_id}"

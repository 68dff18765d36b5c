"""Known devices: a token that a sign-in gives to a device, so that guesses from elsewhere cannot shut it out.

Nothing is kept of it. It is bound to one user name and opens nothing; it only says that this device has signed in
there before.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

from services.identity.app.vault import Vault

LIFE: Final = timedelta(days=180)
_NONCE, _TIME = 16, 4


class Devices:
    """Makes such tokens, and knows its own."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def new(self, name: str, *, at: datetime) -> str:
        """A token for a device on which the owner of this user name has just signed in."""
        body = secrets.token_bytes(_NONCE) + int(at.timestamp()).to_bytes(_TIME, "big")
        return _text(body + self._seal(name, body))

    def known(self, name: str, token: str | None, *, at: datetime) -> bytes | None:
        """What names the device in counters; None when the token is none, is old, or is of another user name."""
        raw = _bytes(token or "")
        body, seal = raw[: _NONCE + _TIME], raw[_NONCE + _TIME :]
        if not hmac.compare_digest(seal, self._seal(name, body)):
            return None
        made = int.from_bytes(body[_NONCE:], "big")
        return body[:_NONCE] if 0 <= at.timestamp() - made < LIFE.total_seconds() else None

    def _seal(self, name: str, body: bytes) -> bytes:
        return self._vault.digest(f"device {body.hex()} {name}")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""

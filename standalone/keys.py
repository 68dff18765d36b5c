"""Secrets of a house: made at its first start, kept in files that only we may read, never shown."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from standalone.layout import write_private

# Without letters and digits that look alike: somebody types this by hand.
TYPED = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class Secrets:
    """The secrets in one folder, each in a file of its own name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> str:
        """The secret of this name: 256 bits, made when first asked for."""
        return self._kept(name, lambda: secrets.token_urlsafe(32))

    def typed(self, name: str) -> str:
        """A password that a person will type once: 20 letters and digits, about 115 bits."""
        return self._kept(name, lambda: "-".join("".join(secrets.choice(TYPED) for _ in range(5)) for _ in range(4)))

    def signing(self, name: str) -> str:
        """A private key on the curve P-256 as push services know it: 32 bytes in base64url."""
        return self._kept(name, _signing_key)

    def account(self, name: str) -> str:
        """The name of an account, in the form of a provider of text messages."""
        return self._kept(name, lambda: "AC" + secrets.token_hex(16))

    def path(self, name: str) -> Path:
        """The file of one secret."""
        return self._folder / name

    def _kept(self, name: str, make: Callable[[], str]) -> str:
        path = self.path(name)
        if path.exists():
            kept = path.read_text(encoding="utf-8").strip()
            if kept:
                return kept
        made = make()
        write_private(path, made + "\n")
        return made


def _signing_key() -> str:
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode("ascii")

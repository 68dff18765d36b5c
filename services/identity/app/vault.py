"""Secrets at rest: private keys sealed with the master key, and digests that only its holder can make."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import RSAKey

from services.chassis.config import SettingsError

BITS: Final = 2048
_FORM: Final = b"\x01"
_NONCE: Final = 12
_MARK: Final = 4


class WrongMasterKey(Exception):
    """A private key was sealed with another master key, or the row was tampered with."""


class Vault:
    """Seals with AES-256-GCM.

    A sealed text is: one byte for its form, four that name the master key, the nonce, the ciphertext. What it belongs
    to is authenticated with it, so that a text which was moved to another row does not open.
    """

    def __init__(self, master_key: str) -> None:
        raw = _key(master_key)
        self._seal, self._counters = AESGCM(_derived(raw, b"signing keys")), _derived(raw, b"failure counters")
        self._mark = hashlib.sha256(_derived(raw, b"mark")).digest()[:_MARK]

    def seal(self, clear: bytes, *, of: str) -> bytes:
        """The text, sealed, for the row of this name."""
        nonce = secrets.token_bytes(_NONCE)
        head = _FORM + self._mark
        return head + nonce + self._seal.encrypt(nonce, clear, head + of.encode())

    def open(self, sealed: bytes, *, of: str) -> bytes:
        """The text in clear.

        Raises:  WrongMasterKey.
        """
        head, nonce, text = sealed[: 1 + _MARK], sealed[1 + _MARK : 1 + _MARK + _NONCE], sealed[1 + _MARK + _NONCE :]
        if head != _FORM + self._mark:
            raise WrongMasterKey
        try:
            return self._seal.decrypt(nonce, text, head + of.encode())
        except InvalidTag:
            raise WrongMasterKey from None

    def digest(self, text: str) -> bytes:
        """A digest of a user name or an address that says nothing without the master key."""
        return hmac.new(self._counters, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


class SealedKeys:
    """Makes RSA key pairs whose private half comes out sealed."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def make(self) -> tuple[str, Mapping[str, Any], bytes]:
        """A new pair: key id (RFC 7638 thumbprint), public half as JWK, sealed private half."""
        pair = RSAKey.generate_key(BITS, auto_kid=True)
        kid = str(pair.kid)
        public = pair.as_dict(private=False)
        shown = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": public["n"], "e": public["e"]}
        private = json.dumps(pair.as_dict(private=True)).encode()
        return kid, shown, self._vault.seal(private, of=kid)


def _key(text: str) -> bytes:
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != 32 or len(set(raw)) < 8:
        raise SettingsError("MASTER_KEY is not valid (32 random bytes in base64)")
    return raw


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"infirmary identity " + purpose).derive(master)

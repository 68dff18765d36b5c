"""What Web Push seals and signs: a payload for one browser (RFC 8291), a token for its push service (RFC 8292)."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwt
from joserfc.jwk import ECKey

TOKEN_LIFE: Final = timedelta(hours=12)  # a push service takes 24 hours at most
_CURVE = ec.SECP256R1()
_RECORD_SIZE = 4096
_LAST_RECORD = b"\x02"


class BadKey(Exception):
    """A key is not one, or not on the curve."""


def decoded(text: str) -> bytes:
    """base64url, with or without its padding.

    Raises:  BadKey.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise BadKey from None


def encoded(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def sealed(
    payload: bytes,
    *,
    receiver: bytes,
    secret: bytes,
    own: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """A payload that only one browser can open, as the body of a message (aes128gcm, one record).

    receiver, secret: `p256dh` and `auth` of its subscription. own, salt: fresh ones for every message.
    Raises:  BadKey.
    """
    own = own or ec.generate_private_key(_CURVE)
    salt = salt or os.urandom(16)
    if len(secret) != 16:
        raise BadKey
    try:
        shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, receiver))
    except ValueError:
        raise BadKey from None
    sender = _point(own.public_key())
    keying = _derived(shared, salt=secret, info=b"WebPush: info\0" + receiver + sender, length=32)
    key = _derived(keying, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derived(keying, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    head = salt + _RECORD_SIZE.to_bytes(4, "big") + bytes([len(sender)]) + sender
    return head + AESGCM(key).encrypt(nonce, payload + _LAST_RECORD, None)


class Signer:
    """Our key for push services (VAPID): browsers subscribe under its public half.

    private_key: 32 bytes in base64url, as tools for Web Push write it. subject: where an operator of a push service
    reaches us, `mailto:…` or `https://…`.
    Raises:  BadKey.
    """

    def __init__(self, private_key: str, *, subject: str, clock: Callable[[], datetime]) -> None:
        raw = decoded(private_key)
        try:
            if len(raw) != 32:
                raise BadKey
            key = ec.derive_private_key(int.from_bytes(raw, "big"), _CURVE)
        except ValueError:
            raise BadKey from None
        self._subject, self._clock = subject, clock
        self.public_key = encoded(_point(key.public_key()))
        self._key = ECKey.import_key(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def authorization(self, audience: str) -> str:
        """The header Authorization for one push service, named by its origin."""
        ends_at = int((self._clock() + TOKEN_LIFE).timestamp())
        claims = {"aud": audience, "exp": ends_at, "sub": self._subject}
        token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, self._key, algorithms=["ES256"])
        return f"vapid t={token}, k={self.public_key}"


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _derived(keying: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(keying)

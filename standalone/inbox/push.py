"""The push service of the inbox, and the browsers behind it: it knows their private keys, so it can show what came.

It checks what a real one does: the header TTL (RFC 8030) and the sender's token (RFC 8292). Then it opens the message
(RFC 8291), as the browser would.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from standalone.inbox.store import Store, Subscription

LARGEST_BODY = 4096
LONGEST_TOKEN_S = 24 * 3600
_CURVE = ec.SECP256R1()
_HEAD = 21  # salt, size of a record, length of the sender's key
_VAPID = re.compile(r"vapid\s+(?=.*\bt=([\w.-]+))(?=.*\bk=([\w-]+))", re.IGNORECASE | re.ASCII)


class NotTaken(Exception):
    """The push service does not take a message; the status says why."""

    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.status, self.title = status, title


class PushService:
    """Subscriptions, and messages to them. origin: where this service is found, as endpoints and tokens name it."""

    def __init__(self, store: Store, *, origin: str) -> None:
        self._store, self._origin = store, origin

    def subscribe(self, sender_key: str | None) -> dict[str, Any]:
        """A new browser's subscription, as `PushSubscription.toJSON()` writes it.

        sender_key: the public key of the only sender that it wants to hear (`applicationServerKey`).
        """
        key = ec.generate_private_key(_CURVE)
        private = key.private_numbers().private_value.to_bytes(32, "big")
        new = Subscription(secrets.token_urlsafe(24), _text(private), _text(os.urandom(16)), sender_key)
        self._store.subscribe(new)
        keys = {"p256dh": _text(_point(key.public_key())), "auth": new.secret}
        return {"endpoint": f"{self._origin}/push/{new.id}", "expirationTime": None, "keys": keys}

    def take(self, subscription_id: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """A message for one browser, opened: what the store is to keep of it.

        Raises:  NotTaken.
        """
        found = self._store.subscription(subscription_id)
        if found is None or found.is_gone:
            raise NotTaken(404 if found is None else 410, "No such subscription")
        ttl = headers.get("TTL", "")
        if not (ttl.isascii() and ttl.isdigit()):
            raise NotTaken(400, "TTL wanted")
        self._check_sender(headers.get("Authorization", ""), wanted=found.sender_key)
        if len(body) > LARGEST_BODY:
            raise NotTaken(413, "Too large")
        if headers.get("Content-Encoding", "").lower() != "aes128gcm":
            raise NotTaken(415, "aes128gcm wanted")
        try:
            shown = json.loads(opened(body, private_key=_bytes(found.private_key), secret=_bytes(found.secret)))
        except ValueError:
            raise NotTaken(400, "Cannot be opened by the browser") from None
        shown = shown if isinstance(shown, dict) else {}
        more = {
            "language": str(shown.get("lang", "")),
            "ttl_s": int(ttl[:10]),
            "urgency": headers.get("Urgency", ""),
            "topic": headers.get("Topic", ""),
        }
        return {
            "to": [subscription_id],
            "subject": str(shown.get("title", "")),
            "text": str(shown.get("body", "")),
            "reference": str(shown.get("tag", "")),
            "more": more,
        }

    def _check_sender(self, authorization: str, *, wanted: str | None) -> None:
        """The token is signed by the key beside it, for this service, and not for long; and the key is the wanted one.

        Raises:  NotTaken.
        """
        said = _VAPID.match(authorization)
        if said is None:
            raise NotTaken(401, "vapid token and key wanted")
        token, key = said.groups()
        if wanted is not None and key.rstrip("=") != wanted.rstrip("="):
            raise NotTaken(403, "Another key than the one of the subscription")
        try:
            point = _bytes(key)
            public: dict[str, str | list[str]] = {
                "kty": "EC",
                "crv": "P-256",
                "x": _text(point[1:33]),
                "y": _text(point[33:]),
            }
            claims = jwt.decode(token, ECKey.import_key(public), algorithms=["ES256"]).claims
        except (JoseError, ValueError):
            raise NotTaken(403, "The token is not signed by this key") from None
        ends_at = claims.get("exp")
        now = datetime.now(UTC).timestamp()
        if claims.get("aud") != self._origin:
            raise NotTaken(403, "The token is for somebody else")
        if not isinstance(ends_at, int | float) or not now < ends_at <= now + LONGEST_TOKEN_S:
            raise NotTaken(403, "The token is over, or lasts too long")


def opened(body: bytes, *, private_key: bytes, secret: bytes) -> bytes:
    """What a browser reads of a message (RFC 8291 §3.4, RFC 8188 §2).

    Raises:  ValueError: it was not sealed for this browser.
    """
    salt, record_size = body[:16], int.from_bytes(body[16:20], "big")
    if len(body) < _HEAD or body[20] != 65 or not 18 <= len(body) - _HEAD - 65 <= record_size:
        raise ValueError("not one sealed record")
    sender, sealed = body[_HEAD : _HEAD + 65], body[_HEAD + 65 :]
    own = ec.derive_private_key(int.from_bytes(private_key, "big"), _CURVE)
    shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, sender))
    keying = _derive(32, shared, salt=secret, info=b"WebPush: info\0" + _point(own.public_key()) + sender)
    key = _derive(16, keying, salt=salt, info=b"Content-Encoding: aes128gcm\0")
    nonce = _derive(12, keying, salt=salt, info=b"Content-Encoding: nonce\0")
    try:
        padded = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
    except InvalidTag:
        raise ValueError("sealed for another browser") from None
    if padded[-1:] != b"\2":
        raise ValueError("not the last record")
    return padded[:-1]


def _derive(length: int, keying: bytes, *, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(keying)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

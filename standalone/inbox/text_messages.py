"""The provider of text messages of the inbox, in two shapes: the plain JSON gateway, and Twilio's API.

Numbers that Twilio has set apart for tests are refused as it refuses them, in both shapes.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from standalone.inbox.store import Store

GATEWAY_PATH = "/sms"
LONGEST_TEXT = 1600

# Twilio's magic numbers: the code of its error, and the status by which the plain gateway says the same.
MAGIC = {
    "+15005550001": (21211, 422),  # no number
    "+15005550002": (21612, 422),  # cannot be reached
    "+15005550003": (21408, 422),  # a region that is not enabled
    "+15005550004": (21610, 410),  # has opted out
    "+15005550009": (21614, 422),  # no mobile number
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may send: a token for the plain gateway; an account and its secret for Twilio's shape. Empty: nobody."""

    token: str = field(default="", repr=False)
    account: str = ""
    secret: str = field(default="", repr=False)

    @property
    def twilio_path(self) -> str:
        """Where Twilio's shape is found."""
        return f"/2010-04-01/Accounts/{self.account}/Messages.json"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider answers."""

    status: int
    body: dict[str, Any]


class TextMessages:
    """Takes text messages from those who may send."""

    def __init__(self, store: Store, credentials: Credentials) -> None:
        self._store, self._credentials = store, credentials

    def takes(self, path: str) -> bool:
        """Whether a request to this path is for us."""
        return path == GATEWAY_PATH or (bool(self._credentials.account) and path == self._credentials.twilio_path)

    def take(self, path: str, headers: Mapping[str, str], body: bytes, *, refuses_with: int = 0) -> Reply:
        """One message. refuses_with: the status that a fault asks for."""
        is_twilio = path != GATEWAY_PATH
        if not self._may_send(headers.get("Authorization", ""), is_twilio=is_twilio):
            return _refusal(401, twilio=20003 if is_twilio else 0)
        if refuses_with:
            return _refusal(refuses_with, twilio=20429 if is_twilio and refuses_with == 429 else 0)
        message = _form(body) if is_twilio else _json(body)
        if message is None:
            return _refusal(400 if is_twilio else 422, twilio=21604 if is_twilio else 0)
        if message["to"] in MAGIC:
            code, status = MAGIC[message["to"]]
            return _refusal(400, twilio=code) if is_twilio else _refusal(status)
        name = ("SM" if is_twilio else "") + secrets.token_hex(16)
        self._store.add(
            "sms",
            to=[message["to"]],
            subject="",
            text=message["text"],
            # Twilio is not told our own name of a message, so each one counts as another.
            reference=headers.get("Idempotency-Key") or message.get("reference") or name,
            more={
                "from": message["from"],
                "provider": "twilio" if is_twilio else "gateway",
                "provider_id": name,
                "request_id": headers.get("X-Request-ID", ""),
            },
        )
        if is_twilio:
            shown = {"sid": name, "status": "queued", "to": message["to"], "from": message["from"], "error_code": None}
            return Reply(201, {**shown, "account_sid": self._credentials.account, "body": message["text"]})
        return Reply(201, {"id": name})

    def _may_send(self, authorization: str, *, is_twilio: bool) -> bool:
        own = self._credentials
        if is_twilio:
            pair = base64.b64encode(f"{own.account}:{own.secret}".encode()).decode("ascii")
            return bool(own.secret) and hmac.compare_digest(authorization.encode(), f"Basic {pair}".encode())
        return bool(own.token) and hmac.compare_digest(authorization.encode(), f"Bearer {own.token}".encode())


def _json(body: bytes) -> dict[str, str] | None:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict):
        return None
    return _checked({name: given.get(name, "") for name in ("to", "text", "from", "reference")})


def _form(body: bytes) -> dict[str, str] | None:
    try:
        given = parse_qs(body.decode("ascii"), strict_parsing=True)
    except ValueError:
        return None
    first = {name: values[0] for name, values in given.items()}
    sender = first.get("From") or first.get("MessagingServiceSid", "")
    message = _checked({"to": first.get("To", ""), "text": first.get("Body", ""), "from": sender})
    return message if message is not None and sender else None


def _checked(message: dict[str, Any]) -> dict[str, str] | None:
    if not all(isinstance(each, str) for each in message.values()):
        return None
    return message if message["to"] and 0 < len(message["text"]) <= LONGEST_TEXT else None


def _refusal(status: int, *, twilio: int = 0) -> Reply:
    if twilio:
        return Reply(status, {"code": twilio, "message": "Not taken", "more_info": "", "status": status})
    return Reply(status, {"title": "Not taken", "status": status})

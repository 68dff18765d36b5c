"""Push messages to browsers by Web Push (RFC 8030): sealed for the reader, signed for the service that carries them.

The address of a subscription comes from a browser, so it is never trusted: only hosts on a list are spoken to, and a
name on it must not lead into our own network.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import orjson

from services.chassis import http, punctual
from services.chassis.http import Received
from services.notifications.model.channels import (
    Accepted,
    ChannelAway,
    Deferred,
    NotSent,
    OptedOut,
    Outgoing,
    Refused,
)
from services.notifications.repository.channels import posting, webpush

TTL_S: Final = 24 * 3600
LARGEST_PAYLOAD: Final = 3800
_LARGEST_TITLE = 400
_LONGEST_ENDPOINT = 2048
_MOST_ADDRESSES = 3
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """An origin that may be spoken to. is_named_whole: it may then lead anywhere, into our own network too."""

    scheme: str
    host: str
    port: int
    is_named_whole: bool

    @property
    def origin(self) -> str:
        """As browsers and tokens write it (RFC 6454 §6.2)."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{shown}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


class PushHosts:
    """The push services that may be spoken to, by a list with commas.

    `push.example` is that host, `*.push.example` all below it: by HTTPS on port 443, at public addresses only.
    `http://127.0.0.1:8025` is exactly that origin, wherever it leads.
    Raises:  ValueError: an entry is none of these.
    """

    def __init__(self, listed: str) -> None:
        entries = [entry.strip().lower() for entry in listed.split(",") if entry.strip()]
        self._origins = {_origin(entry) for entry in entries if "://" in entry}
        self._hosts = {_host(entry) for entry in entries if "://" not in entry}

    def allows(self, endpoint: str) -> bool:
        """Whether messages may be sent to this address."""
        return self.place(endpoint) is not None

    def place(self, endpoint: str) -> Place | None:
        """The origin of an address; None when nothing may be sent there."""
        if len(endpoint) > _LONGEST_ENDPOINT or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
            return None
        found = _split(endpoint)
        if found is None or "\\" in endpoint:
            return None
        address, host, port = found
        if f"{address.scheme}://{host}:{port}" in self._origins:
            return Place(address.scheme, host, port, is_named_whole=True)
        is_listed = host in self._hosts or any(host.endswith(each[1:]) for each in self._hosts if each[0] == "*")
        if is_listed and (address.scheme, port) == ("https", 443):
            return Place(address.scheme, host, port, is_named_whole=False)
        return None


class PushChannel:
    """Push messages to the browsers that have subscribed under our key."""

    name = "push"

    def __init__(self, signer: webpush.Signer, *, hosts: PushHosts, whole_s: float = posting.WHOLE_S) -> None:
        self._signer, self._hosts, self._whole_s = signer, hosts, whole_s
        self._http = http.pool(connections=1, tls=punctual.tls())

    @property
    def public_key(self) -> str:
        """What browsers subscribe with (`applicationServerKey`)."""
        return self._signer.public_key

    def send(self, message: Outgoing) -> Accepted:
        """Hand one message to the push service of a subscription.

        Raises:  Deferred, Refused, OptedOut, ChannelAway, OutcomeUnknown.
        """
        endpoint, receiver, secret = _subscription(message.to)
        place = self._hosts.place(endpoint)
        if place is None:
            raise Refused("push_host")
        try:
            body = webpush.sealed(payload(message), receiver=receiver, secret=secret)
        except webpush.BadKey:
            raise Refused("push_subscription") from None
        parts = urlsplit(endpoint)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {
            "host": parts.netloc,
            "authorization": self._signer.authorization(place.origin),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(TTL_S),
            "urgency": "normal",
            "topic": webpush.encoded(message.delivery_id.bytes),  # a repeat replaces what has not been shown yet
        }
        answer = self._answer(place, path, body, headers=headers)
        if 200 <= answer.status < 300:
            return Accepted()
        raise _refusal(answer.status)

    def close(self) -> None:
        """Close the kept connections."""
        self._http.clear()

    def _answer(self, place: Place, path: str, body: bytes, *, headers: Mapping[str, str]) -> Received:
        """Ask at the addresses that were looked at: asked for again, a name could lead elsewhere.

        Raises:  ChannelAway, OutcomeUnknown. Refused: the name leads into our own network.
        """
        named = {"server_hostname": place.host} if place.scheme == "https" else {}
        for address in [place.host] if place.is_named_whole else _public_addresses(place):
            connections = self._http.connection_from_host(address, place.port, place.scheme, pool_kwargs=named)
            try:
                return posting.post(connections, path, body, headers=headers, channel=self.name, whole_s=self._whole_s)
            except ChannelAway:
                continue
        raise ChannelAway("push_away")


def payload(message: Outgoing) -> bytes:
    """What the service worker of the web UI gets; a text that is too long for a push service is cut and says so."""
    shown = {
        "title": _cut(message.subject or message.from_name, most=_LARGEST_TITLE),
        "body": message.text,
        "tag": str(message.delivery_id),
        "lang": message.language,
    }
    raw = _json(shown)
    # JSON writes some characters longer than UTF-8 does, so what is to go is counted in its bytes.
    while len(raw) > LARGEST_PAYLOAD and shown["body"]:
        over = len(raw) - LARGEST_PAYLOAD
        shown["body"] = _cut(shown["body"], most=max(len(_utf8(shown["body"])) - over, 0))
        raw = _json(shown)
    return raw


def _json(value: dict[str, str]) -> bytes:
    return orjson.dumps({name: _utf8(text).decode("utf-8") for name, text in value.items()})


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _cut(text: str, *, most: int) -> str:
    """The text in at most so many bytes, between two words if that can be."""
    raw = _utf8(text)
    if len(raw) <= most:
        return text
    kept = raw[: max(most - len("…".encode()), 0)].decode("utf-8", "ignore")
    whole, space, _ = kept.rpartition(" ")
    return (whole if space and len(whole) > len(kept) // 2 else kept).rstrip() + "…" if kept else ""


def _subscription(text: str) -> tuple[str, bytes, bytes]:
    """Address and keys of a subscription, as `PushSubscription.toJSON()` writes it.

    Raises:  Refused.
    """
    try:
        given: Any = orjson.loads(text)
        keys = given["keys"]
        found = str(given["endpoint"]), webpush.decoded(str(keys["p256dh"])), webpush.decoded(str(keys["auth"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, webpush.BadKey):
        raise Refused("push_subscription") from None
    return found


def _refusal(status: int) -> NotSent:
    """What a status means that is no success (RFC 8030 §5 and §7.3, RFC 8292 §4.2)."""
    code = f"push_{status}"
    if status in {404, 410}:
        return OptedOut(code)
    # A token that is refused may be due to this subscription, made under another key, or to all of them: a try that
    # counts neither loses a message nor holds up the others.
    if status >= 500 or status in {401, 403, 408, 425, 429}:
        return Deferred(code)
    return Refused(code)


def _public_addresses(place: Place) -> list[str]:
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except OSError:
        raise ChannelAway("push_away") from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not all(map(_is_public, addresses)):
        raise Refused("push_private_address")
    return addresses[:_MOST_ADDRESSES]


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None) or found
    return found.is_global and inner.is_global and not found.is_multicast


def _split(address: str) -> tuple[SplitResult, str, int] | None:
    """Scheme, host and port of an address; None when it has none, or names somebody to sign in as."""
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc or parts.fragment:
        return None
    return parts, host, port or _PORTS[parts.scheme]


def _origin(entry: str) -> str:
    found = _split(entry)
    if found is None or found[0].path.strip("/") or found[0].query:
        raise ValueError("an origin is a scheme, a host and a port")
    return f"{found[0].scheme}://{found[1]}:{found[2]}"


def _host(entry: str) -> str:
    bare = entry.removeprefix("*.")
    if not bare or any(c in bare for c in "*/:@ ") or "." not in bare:
        raise ValueError("a host is a full name, or *. and one")
    return entry

"""Text messages through a provider, chosen by a setting: a gateway that speaks plain JSON, or Twilio.

Numbers and texts go into the body of the request, never into an address, a log or a trace.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol
from urllib.parse import quote, urlencode

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
from services.notifications.repository.channels import posting

ProviderName = Literal["gateway", "twilio"]
TWILIO_URL: Final = "https://api.twilio.com"
_LONGEST_REFERENCE = 64

# What is wrong with the reader's number or the text, and with no other message (Twilio's dictionary of errors). Codes
# are split as time goes by, Twilio says: one that is not known here is a try that counts, never a verdict.
_TWILIO_REFUSED = frozenset(
    {
        21211,  # To is no valid number
        21219,  # To is not verified (trial accounts)
        21265,  # To is a short code
        21266,  # To and From are the same
        21408,  # the account may not send to this region
        21602,  # no text
        21604,  # no To
        21608,  # To is not verified (trial accounts)
        21612,  # From cannot reach To
        21614,  # To is no mobile number
        21617,  # the text is too long
        21635,  # To is a landline
    }
)
_TWILIO_OPTED_OUT = frozenset({21610})
_TWILIO_LATER = frozenset({14107, 20429, 21611, 30001})  # too many at once, or a full queue


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to a provider."""

    url: str
    raw: bytes
    headers: Mapping[str, str]


class Provider(Protocol):
    """How one provider wants to be asked, and what its answers mean."""

    def request(self, message: Outgoing) -> Request:
        """The request for one message."""
        ...

    def meaning(self, answer: Received) -> Accepted:
        """What became of the message.

        Raises:  Deferred, Refused, OptedOut, ChannelAway.
        """
        ...


class SmsChannel:
    """Text messages through one provider, over a kept connection."""

    name = "sms"

    def __init__(self, provider: Provider, *, whole_s: float = posting.WHOLE_S) -> None:
        self._provider, self._whole_s = provider, whole_s
        self._http = http.pool(connections=1, tls=punctual.tls())

    def send(self, message: Outgoing) -> Accepted:
        """Hand one message to the provider.

        Raises:  Deferred, Refused, OptedOut, ChannelAway, OutcomeUnknown.
        """
        asked = self._provider.request(message)
        answer = posting.post(
            self._http, asked.url, asked.raw, headers=asked.headers, channel=self.name, whole_s=self._whole_s
        )
        return self._provider.meaning(answer)

    def close(self) -> None:
        """Close the kept connection."""
        self._http.clear()


class JsonGateway:
    """A gateway that takes one JSON object per message; docs/notifications-channels.md is its contract.

    url: of the one resource that takes messages. sender: a number or name that they come from; empty leaves it to the
    gateway.
    """

    def __init__(self, url: str, *, token: str, sender: str = "") -> None:
        self._url, self._token, self._sender = url, token, sender

    def request(self, message: Outgoing) -> Request:
        """The message, under an Idempotency-Key that is the same in every attempt."""
        body = {"to": message.to, "text": message.text, "reference": str(message.delivery_id)}
        headers = {
            "accept": "application/json",
            "authorization": f"Bearer {self._token}",
            "content-type": "application/json",
            "idempotency-key": str(message.delivery_id),
            "x-request-id": message.request_id,
        }
        raw = orjson.dumps(body | ({"from": self._sender} if self._sender else {}))
        return Request(self._url, raw, headers)

    def meaning(self, answer: Received) -> Accepted:
        """By its status alone.

        Raises:  Deferred, Refused, OptedOut, ChannelAway.
        """
        if 200 <= answer.status < 300:
            return Accepted(reference=_reference(posting.said(answer).get("id")))
        raise _by_status(answer.status, opted_out=frozenset({409, 410}))


class Twilio:
    """Twilio's Programmable Messaging, and what speaks like it.

    account: its SID. sender: a number, a name, or the SID of a messaging service (`MG…`).
    """

    def __init__(self, *, account: str, secret: str, sender: str, url: str = TWILIO_URL) -> None:
        self._url = f"{url.rstrip('/')}/2010-04-01/Accounts/{quote(account, safe='')}/Messages.json"
        self._authorization = "Basic " + base64.b64encode(f"{account}:{secret}".encode()).decode("ascii")
        self._from = {"MessagingServiceSid" if sender.startswith("MG") else "From": sender}

    def request(self, message: Outgoing) -> Request:
        """The message as a form."""
        raw = urlencode({"To": message.to, **self._from, "Body": message.text}).encode("ascii")
        headers = {
            "accept": "application/json",
            "authorization": self._authorization,
            "content-type": "application/x-www-form-urlencoded",
        }
        return Request(self._url, raw, headers)

    def meaning(self, answer: Received) -> Accepted:
        """By its own code of the error first, by the status where it is silent.

        Raises:  Deferred, Refused, OptedOut, ChannelAway.
        """
        told = posting.said(answer)
        if 200 <= answer.status < 300:
            return Accepted(reference=_reference(told.get("sid")))
        code = told.get("code")
        if isinstance(code, int) and not isinstance(code, bool):
            for codes, what in _TWILIO_MEANINGS:
                if code in codes:
                    raise what(f"twilio_{code}")
            if answer.status == 400:
                # Mostly our own sender or account, which no other message fares better with; but each try counts, so
                # that one message alone cannot hold up the rest.
                raise Deferred(f"twilio_{code}")
        raise _by_status(answer.status)


_TWILIO_MEANINGS: tuple[tuple[frozenset[int], type[NotSent]], ...] = (
    (_TWILIO_OPTED_OUT, OptedOut),
    (_TWILIO_REFUSED, Refused),
    (_TWILIO_LATER, Deferred),
)


def _by_status(status: int, *, opted_out: frozenset[int] = frozenset()) -> NotSent:
    """What a status means that is no success: of a message, of this moment, or of our own settings."""
    code = f"sms_{status}"
    if status in opted_out:
        return OptedOut(code)
    if status >= 500 or status in {408, 425, 429}:
        return Deferred(code)
    if status < 400 or status in {401, 403, 404, 405}:
        return ChannelAway(code)
    return Refused(code)


def _reference(given: Any) -> str | None:
    return given if isinstance(given, str) and 0 < len(given) <= _LONGEST_REFERENCE else None

"""What a channel is: one way to reach somebody, and what can become of a message on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An entry for the reader's calendar that goes with a message.

    method: REQUEST or CANCEL (RFC 5546 §1.4). ics: the calendar object (RFC 5545), UTF-8.
    """

    method: str
    ics: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message as it goes out on one channel.

    delivery_id: the same for every attempt, so that a repeat can be recognised where it arrives. to: an address in the
    form of the channel (e-mail address; E.164 number; push subscription as JSON; id of an account). from_name: who
    writes, as the reader knows it. subject: empty where a channel has none. language: BCP 47 tag of the text.
    request_id: of the request that all this began with.
    """

    delivery_id: UUID
    to: str
    from_name: str
    subject: str
    text: str
    language: str
    request_id: str
    invitation: Invitation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The other side has taken the message; `reference` is its own name for it, if it gave one."""

    reference: str | None = None


class NotSent(Exception):
    """A message was not taken. `code` says why in the words of the channel, and never to whom or what."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Deferred(NotSent):
    """Not now: this message may be tried again later, and each try counts."""


class Refused(NotSent):
    """Never: this address or this message will not be taken, however often it is tried."""


class OptedOut(NotSent):
    """The reader has told the other side that nothing more is wanted, or the subscription is gone."""


class ChannelAway(NotSent):
    """Nobody was reached, so nothing went out: no fault of the message, and no message on this channel fares better."""


class OutcomeUnknown(NotSent):
    """The message went out and no answer came: it may have been taken, and is sent again under the same id."""


class Channel(Protocol):
    """One way to reach somebody. A connection is kept between messages; one thread at a time sends."""

    @property
    def name(self) -> str:
        """email, sms, push or in_app."""
        ...

    def send(self, message: Outgoing) -> Accepted:
        """Hand one message over.

        Raises:  Deferred, Refused, OptedOut, ChannelAway, OutcomeUnknown.
        """
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...

"""What the words of a message are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A text, with the subject that it goes under."""

    subject: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """One message: its subject, short for SMS, push and the portal, and long for an e-mail."""

    subject: str
    short: str
    long: str

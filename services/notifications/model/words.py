"""The words of notifications: what has happened, by which way it is told, where a delivery stands, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Way(StrEnum):
    """One way to reach somebody."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    IN_APP = "in_app"


class Topic(StrEnum):
    """What a message is about."""

    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    TEST = "test"


class Kind(StrEnum):
    """Whom a message is for; `address` is whoever reads what is sent to an address for a test."""

    PATIENT = "patient"
    ACCOUNT = "account"
    ADDRESS = "address"


class Status(StrEnum):
    """Where a delivery stands."""

    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    DEAD = "dead"
    SUPPRESSED = "suppressed"


OPEN: Final = frozenset({Status.HELD, Status.QUEUED, Status.SENDING})
"""Those that still want something to be done."""

LOST: Final = frozenset({Status.FAILED, Status.DEAD})
"""Those that nobody got, and that are not tried again."""

_ALL = (Way.EMAIL, Way.SMS, Way.PUSH, Way.IN_APP)
_IN_HOUSE = (Way.PUSH, Way.IN_APP)
TABLE: Final[Mapping[Kind, Mapping[Topic, tuple[Way, ...]]]] = {
    Kind.PATIENT: {Topic.BOOKED: _ALL, Topic.MOVED: _ALL, Topic.CANCELLED: _ALL, Topic.DECLINED: _ALL},
    Kind.ACCOUNT: {Topic.BOOKED: _IN_HOUSE, Topic.MOVED: _IN_HOUSE, Topic.CANCELLED: _IN_HOUSE},
}
"""What is told to whom by which way, where nobody has chosen otherwise; docs/notifications.md shows the same table."""


def template_name(kind: Kind, topic: Topic) -> str:
    """The name of the template of a message: that of the event, for the doctor with `staff_` before it.

    Source: none, plain arithmetic.
    """
    return f"staff_{topic.value}" if kind is Kind.ACCOUNT else topic.value

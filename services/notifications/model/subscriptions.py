"""Browsers that have asked for messages, and the push services that may be written to for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import urlsplit
from uuid import UUID

from services.kernel.errors import FieldError, Invalid
from services.notifications.model.errors import TooManySubscriptions
from services.notifications.model.people import Address
from services.notifications.model.words import Kind

MOST: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One browser of one person (W3C Push API, PushSubscription)."""

    id: UUID
    kind: Kind
    owner_id: UUID
    endpoint: str
    p256dh: str
    auth: str
    created_at: datetime

    @property
    def host(self) -> str:
        """The push service."""
        return urlsplit(self.endpoint).hostname or ""

    @property
    def address(self) -> Address:
        """Where a push for this browser goes."""
        keys = {"p256dh": self.p256dh, "auth": self.auth}
        return Address(to=json.dumps({"endpoint": self.endpoint, "keys": keys}), device=str(self.id))


class PushHosts(Protocol):
    """The push services that may be written to: what a browser names is never taken for granted."""

    def allows(self, endpoint: str) -> bool:
        """Whether messages may be sent to this address."""
        ...


def subscription(
    body: Mapping[str, Any],
    *,
    id: UUID,  # noqa: A002 - the field's name
    kind: Kind,
    owner_id: UUID,
    at: datetime,
    hosts: PushHosts,
) -> Subscription:
    """A new subscription.

    Raises:  Invalid: no push service that is allowed.
    Source:  W3C Push API, section 8; only services on the list of the house are ever spoken to.
    """
    if not hosts.allows(body["endpoint"]):
        raise Invalid(errors=[FieldError(rule="push_host", pointer="/endpoint")])
    keys = body["keys"]
    return Subscription(
        id=id,
        kind=kind,
        owner_id=owner_id,
        endpoint=body["endpoint"],
        p256dh=keys["p256dh"].rstrip("="),
        auth=keys["auth"].rstrip("="),
        created_at=at,
    )


def ensure_room(known: Sequence[Subscription], fresh: Subscription) -> None:
    """Keep the browsers of one person as few as somebody really has.

    Raises:  TooManySubscriptions.
    Source: none, plain arithmetic.
    """
    if sum(each.endpoint != fresh.endpoint for each in known) >= MOST:
        raise TooManySubscriptions

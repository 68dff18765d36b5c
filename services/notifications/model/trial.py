"""A test message: the one that goes out at once, to whoever asks for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.kernel.errors import FieldError, Invalid
from services.notifications.model.deliveries import Delivery
from services.notifications.model.subscriptions import PushHosts
from services.notifications.model.templates import LAST_RESORT
from services.notifications.model.texts import TEST
from services.notifications.model.words import Kind, Status, Topic, Way

FROM: Final = "Infirmary"
_EMAIL = re.compile(r"[^@\s<>\"(),:;\\\[\]]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])\Z")
_PHONE = re.compile(r"\+[0-9]{2,17}\Z")


def trial_delivery(
    body: Mapping[str, Any],
    *,
    id: UUID,  # noqa: A002 - the field's name
    at: datetime,
    lease: timedelta,
    request_id: str,
    hosts: PushHosts,
) -> Delivery:
    """A test message that is under way already.

    Raises:  Invalid: the address is none of its channel.
    Source: none, plain arithmetic.
    """
    way = Way(body["channel"])
    account = _account(body["to"]) if way is Way.IN_APP else None
    if not _is_address(body["to"], way, hosts):
        raise Invalid(errors=[FieldError(rule="address", pointer="/to")])
    wanted = str(body.get("language", LAST_RESORT)).partition("-")[0]
    language = wanted if wanted in TEST else LAST_RESORT
    return Delivery(
        id=id,
        event_id=id,
        topic=Topic.TEST,
        way=way,
        kind=Kind.ADDRESS if account is None else Kind.ACCOUNT,
        reader_id=account,
        status=Status.SENDING,
        language=language,
        from_name=FROM,
        to=body["to"] if account is None else f"{Kind.ACCOUNT.value}:{account}",
        subject=None if way is Way.SMS else TEST[language].subject,
        text=TEST[language].text,
        request_id=request_id,
        planned_at=at,
        due_at=at + lease,
        tries=1,
    )


def _is_address(to: str, way: Way, hosts: PushHosts) -> bool:
    if way is Way.EMAIL:
        return _EMAIL.match(to) is not None
    if way is Way.SMS:
        return _PHONE.match(to) is not None
    return _account(to) is not None if way is Way.IN_APP else _is_subscription(to, hosts)


def _is_subscription(to: str, hosts: PushHosts) -> bool:
    try:
        said = json.loads(to)
        keys, endpoint = said["keys"], said["endpoint"]
        words = (endpoint, keys["p256dh"], keys["auth"])
    except (ValueError, KeyError, TypeError):
        return False
    return all(isinstance(each, str) for each in words) and hosts.allows(endpoint)


def _account(to: str) -> UUID | None:
    try:
        return UUID(to)
    except ValueError:
        return None

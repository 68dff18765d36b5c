"""What the methods of the controller work with, and the steps that several of them take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

from services.chassis import paging
from services.chassis.call import Answer, Call
from services.kernel.errors import FieldError, Forbidden, Invalid
from services.notifications import view
from services.notifications.model.channels import Channel
from services.notifications.model.deliveries import Retrying
from services.notifications.model.store import Callers, Record, Store, Turns, Work
from services.notifications.model.subscriptions import PushHosts
from services.notifications.model.versions import differing, following, refuse_stale
from services.notifications.model.words import Way


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Store, other services, channels and what the house has set; it holds nothing of a request.

    in_hand: a channel sends one message at a time.
    """

    store: Store
    turns: Turns
    callers: Callers
    channels: Mapping[Way, Channel]
    hosts: PushHosts
    push_key: str | None
    reply_secret: bytes
    key_of: Callable[[str], bytes]
    retrying: Retrying
    lease: timedelta
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    in_hand: Lock = field(default_factory=Lock)


def keep(
    tx: Work, before: Any, wanted: Any, call: Call, *, show: Callable[[Any], dict[str, Any]], **audited: Any
) -> Answer:
    """Keep the next version of a record, if it starts from the one of now and differs from it, and answer with it."""
    _refuse_stale(tx, before, call)
    after, fields = following(before, wanted), differing(before, wanted)
    if fields:
        tx.keep(after, fields=fields)
    call.audit(version=after.version, fields=fields, **audited)
    return call.answer(show(after))


def _refuse_stale(tx: Work, record: Record, call: Call) -> None:
    expected = call.expected_version
    if expected != record.version:
        refuse_stale(record.version, expected=expected, since=tx.fields_since(record, version=expected or 0))


def own_account(call: Call) -> UUID:
    """The account that acts.

    Raises:  Forbidden: what acts is no account of a person.
    """
    try:
        return UUID(call.actor.subject)
    except ValueError:
        raise Forbidden from None


def place(cursor: str | None, *, limit: int, of: Sequence[object]) -> UUID | None:
    """The id before which a page begins."""
    return paging.page(cursor, limit=limit, of=of).after_id


def cut(
    found: Sequence[Any], show: Callable[[Any], dict[str, Any]], *, limit: int, of: Sequence[object]
) -> tuple[list[Any], dict[str, Any]]:
    """The items of a page and the page, from one item more than it holds."""
    items, following_ = paging.cut(found, limit=limit, keys=lambda each: [str(each.id)], of=of)
    return items, view.page([show(each) for each in items], next_cursor=following_)


def moment(text: str | None, *, parameter: str) -> datetime | None:
    """A moment that a parameter names.

    Raises:  Invalid: what JSON Schema lets pass and a clock does not know, such as a 61st second.
    """
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(errors=[FieldError(rule="format", parameter=parameter)]) from None

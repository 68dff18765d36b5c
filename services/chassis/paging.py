"""Pages of a list: an opaque cursor that belongs to one list and its filters, and carries nothing about a person."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import orjson

from services.kernel.errors import FieldError, Malformed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page begins and how long it is; `after` are the sort keys of the last item before it."""

    limit: int
    after: tuple[Any, ...] | None = None

    @property
    def after_id(self) -> UUID | None:
        """The id of the last item before it, for a list in the order of its ids; None on the first page.

        Raises:  Malformed: the cursor holds something else.
        """
        match self.after:
            case None:
                return None
            case [str() as last]:
                try:
                    return UUID(last)
                except ValueError:
                    pass
        raise _nowhere()


def page(cursor: str | None, *, limit: int, of: Sequence[object]) -> Page:
    """The page that a cursor asks for.

    of: the list and its filters; a cursor of another list or other filters does not count.
    Raises:  Malformed: the cursor is none of this list.
    """
    if cursor is None:
        return Page(limit)
    try:
        decoded = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        mark, keys = decoded
    except (binascii.Error, ValueError, TypeError) as error:
        raise _nowhere() from error
    if mark != _mark(of) or not isinstance(keys, list):
        raise _nowhere()
    return Page(limit, tuple(keys))


def cut(
    found: Sequence[T], *, limit: int, keys: Callable[[T], Sequence[Any]], of: Sequence[object]
) -> tuple[list[T], str | None]:
    """The items of a page, and the cursor of the next one, from `limit` + 1 found items.

    keys: the sort keys of an item, as JSON can hold them; ids and times only, because a cursor stands in URLs.
    """
    items = list(found[:limit])
    if len(found) <= limit or not items:
        return items, None
    packed = orjson.dumps([_mark(of), list(keys(items[-1]))])
    return items, base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def _nowhere() -> Malformed:
    return Malformed(errors=[FieldError("cursor", parameter="cursor")])


def _mark(of: Sequence[object]) -> str:
    return hashlib.sha256(orjson.dumps([str(each) for each in of])).hexdigest()[:12]

"""Counters of wrong passwords and codes: seen and lifted by an administrator."""

from __future__ import annotations

import binascii
from typing import Any

from services.chassis import paging
from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk
from services.identity.model.sessions import UnknownCounter
from services.identity.model.store import Scope


class Counters:
    """Operations on counters."""

    _desk: Desk

    def list_sign_in_counters(self, call: Call, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
        """Counters that count something."""
        of = ("sign_in_counters",)
        after = paging.page(cursor, limit=limit, of=of).after
        place = None if not after else _scope(f"{after[0]}-{after[1]}")
        with self._desk.store.read() as tx:
            start = None if place is None else (place.kind, place.digest)
            found = tx.throttled(after=start, limit=limit + 1)
        keys = lambda each: [each.scope.kind, each.scope.digest.hex()]  # noqa: E731 - one key of one list
        items, following = paging.cut(found, limit=limit, keys=keys, of=of)
        return view.page([view.counter(each, at=call.at) for each in items], next_cursor=following)

    def clear_sign_in_counter(self, counter_id: str, call: Call) -> Answer:
        """Lift a counter: whoever it holds may try again."""
        with self._desk.store.begin(call) as tx:
            if not tx.clear_counter(_scope(counter_id)):
                raise UnknownCounter
            call.audit(record=counter_id)
            return call.answer(status=204)


def _scope(counter_id: str) -> Scope:
    kind, _, digest = counter_id.partition("-")
    try:
        return Scope(kind, bytes.fromhex(digest))
    except (ValueError, binascii.Error):
        raise UnknownCounter from None

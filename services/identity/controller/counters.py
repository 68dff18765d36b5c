"""Counters of wrong passwords and codes: seen and lifted by an administrator."""

from __future__ import annotations

import binascii
from typing import Any

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk
from services.identity.model.sessions import UnknownCounter
from services.identity.model.store import Scope

_MOST = 200


class Counters:
    """Operations on counters."""

    _desk: Desk

    def list_sign_in_counters(self, call: Call, user_id: str | None = None) -> dict[str, Any]:
        """The counters with the most failures, of one account or of all."""
        with self._desk.store.read() as tx:
            found = tx.throttled(about=user_id, limit=_MOST)
        return view.page([view.counter(each, at=call.at) for each in found])

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

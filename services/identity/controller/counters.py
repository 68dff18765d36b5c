"""Counters of wrong passwords and codes: seen and lifted by an administrator."""

from __future__ import annotations

import binascii
from typing import Any
from uuid import UUID

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk
from services.identity.model.accounts import UnknownAccount
from services.identity.model.administering import administered
from services.identity.model.sessions import UnknownCounter
from services.identity.model.store import Reading, Scope
from services.kernel.errors import DomainError, Forbidden

_MOST = 200


class Counters:
    """Operations on counters."""

    _desk: Desk

    def list_sign_in_counters(self, call: Call, user_id: str | None = None) -> dict[str, Any]:
        """The counters with the most failures, of one account or of all."""
        with self._desk.store.read() as tx:
            _ensure_administers(tx, user_id, call)
            found = tx.throttled(about=user_id, limit=_MOST)
        return view.page([view.counter(each, at=call.at) for each in found])

    def clear_sign_in_counter(self, counter_id: str, call: Call) -> Answer:
        """Lift a counter: whoever it holds may try again."""
        with self._desk.store.begin(call) as tx:
            scope = _scope(counter_id)
            _ensure_administers(tx, tx.counter_about(scope), call, refused=UnknownCounter)
            if not tx.clear_counter(scope):
                raise UnknownCounter
            call.audit(record=counter_id)
            return call.answer(status=204)


def _ensure_administers(tx: Reading, about: str | None, call: Call, *, refused: type[DomainError] = Forbidden) -> None:
    """Counters of an account are for those who administer it; those of addresses, and of names that nobody has, for
    those who administer the house.
    """
    if call.actor.scope.is_everywhere:
        return
    try:
        administered(tx.account(UUID(about or "")), by=call.actor)
    except (ValueError, UnknownAccount):
        raise refused from None


def _scope(counter_id: str) -> Scope:
    kind, _, digest = counter_id.partition("-")
    try:
        return Scope(kind, bytes.fromhex(digest))
    except (ValueError, binascii.Error):
        raise UnknownCounter from None

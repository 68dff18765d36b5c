"""One method per operation of the audit: load, decide, save."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.audit import model, view
from services.chassis import paging
from services.chassis.call import Answer, Call
from services.kernel.errors import FieldError, Malformed


class AuditController:
    """Searching the trail and checking it; both are entries of the trail themselves."""

    def __init__(self, *, store: model.Store, checkpoint_key: bytes) -> None:
        self._store, self._key = store, checkpoint_key

    def search_audit_entries(
        self, body: Mapping[str, Any], call: Call, *, limit: int = 50, cursor: str | None = None
    ) -> Answer:
        """A page of entries, newest first."""
        search, of = model.search(body), ("audit entries", *sorted(body.items()))
        before = _before(paging.page(cursor, limit=limit, of=of))
        with self._store.begin(call) as tx:
            found = tx.find(search, before=before, limit=limit + 1)
            items, following = paging.cut(found, limit=limit, keys=_keys, of=of)
            call.audit(patient=search.patient_id, found=[each.index.id for each in items])
            return call.answer(view.entries(items, next_cursor=following))

    def verify_audit_trail(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Whether a range of the trail is whole."""
        first, last = body.get("first_position"), body.get("last_position")
        with self._store.trail() as trail:
            found = model.verify(trail, first=first, last=last, at_most=model.AT_ONCE, key=self._key)
        with self._store.begin(call):
            call.audit()
            return call.answer(view.verification(found))


def _before(page: paging.Page) -> int | None:
    if page.after is None:
        return None
    if len(page.after) != 1 or type(page.after[0]) is not int or not 0 < page.after[0] < 2**63:
        raise Malformed(errors=[FieldError("cursor", parameter="cursor")])
    return page.after[0]


def _keys(link: model.Link) -> list[int]:
    return [link.position]

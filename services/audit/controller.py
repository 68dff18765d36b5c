"""One method per operation of the audit: load, decide, save."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from typing import Any, Final, Protocol
from uuid import UUID

from services.audit import model, view
from services.chassis import comma_separated, paging
from services.chassis.call import Answer, Call
from services.chassis.downloads import Counted, Download
from services.kernel.errors import FieldError, Malformed

EXPORTED_ROWS: Final = 100_000


class NamesView(Protocol):
    """What accounts are called."""

    def of(self, accounts: Collection[str]) -> Mapping[str, str]:
        """Their names, as far as they are shown and known."""


class AuditController:
    """Searching the trail, taking it out, checking it, and showing it to those whom it is about; all are entries too.

    exported_rows: how many rows one file holds.
    """

    def __init__(
        self, *, store: model.Store, names: NamesView, checkpoint_key: bytes, exported_rows: int = EXPORTED_ROWS
    ) -> None:
        self._store, self._names, self._key, self._exported_rows = store, names, checkpoint_key, exported_rows

    def search_audit_entries(
        self, body: Mapping[str, Any], call: Call, *, limit: int = 50, cursor: str | None = None
    ) -> Answer:
        """A page of entries, newest first."""
        model.refuse_narrowed(call.actor)
        search, of = model.search(body), ("audit entries", *sorted(body.items()))
        before = _before(paging.page(cursor, limit=limit, of=of))
        with self._store.begin(call) as tx:
            found = tx.find(search, before=before, limit=limit + 1)
            items, following = paging.cut(found, limit=limit, keys=_keys, of=of)
            call.audit(patient=search.patient_id, found=[each.id for each in items])
            return call.answer(view.entries(items, next_cursor=following))

    def export_audit_entries(self, body: Mapping[str, Any], call: Call, *, written_as: str = "csv") -> Answer:
        """What a search finds as a file: made whole, then written down who takes it, and only then sent."""
        model.refuse_narrowed(call.actor)
        search = model.search(body)
        with ExitStack() as unless_sent:
            with self._store.trail() as trail:
                found = trail.found(search, last=trail.ends().head.position)
                links = Counted(model.at_most(found, self._exported_rows))
                file = _file(links, written_as)
                unless_sent.callback(file.close)
            with self._store.begin(call):
                asked = {**model.described(search), "written_as": written_as}
                call.audit(patient=search.patient_id, asked=asked, rows=links.count)
            unless_sent.pop_all()
        return call.answer(file)

    def list_record_accesses(
        self, patient_id: str, call: Call, *, limit: int = 50, cursor: str | None = None
    ) -> Answer:
        """A page of who opened or changed a record, newest first, for whom it is about."""
        model.refuse_others(UUID(patient_id), reader=call.actor)
        of = ("record accesses", patient_id)
        before = _before(paging.page(cursor, limit=limit, of=of))
        with self._store.begin(call) as tx:
            found = tx.find(model.accesses_to(UUID(patient_id)), before=before, limit=limit + 1)
            items, following = paging.cut(found, limit=limit, keys=_keys, of=of)
            call.audit(patient=patient_id)
        names = self._names.of({each.actor for each in items if model.is_by_staff(each)})
        return call.answer(view.accesses(items, names=names, next_cursor=following))

    def verify_audit_trail(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Whether a range of the trail is whole."""
        model.refuse_narrowed(call.actor)
        first, last = body.get("first_position"), body.get("last_position")
        with self._store.trail() as trail:
            found = model.verify(trail, first=first, last=last, at_most=model.AT_ONCE, key=self._key)
        with self._store.begin(call):
            call.audit()
            return call.answer(view.verification(found))


def _file(links: Iterable[model.Link], written_as: str) -> Download:
    if written_as == "json_lines":
        return Download(view.lines(links), media_type=view.JSON_LINES, name="audit-entries.jsonl")
    rows = comma_separated.written(view.COLUMNS, view.cells(links))
    return Download(rows, media_type=comma_separated.MEDIA_TYPE, name="audit-entries.csv")


def _before(page: paging.Page) -> int | None:
    if page.after is None:
        return None
    if len(page.after) != 1 or type(page.after[0]) is not int or not 0 < page.after[0] < 2**63:
        raise Malformed(errors=[FieldError("cursor", parameter="cursor")])
    return page.after[0]


def _keys(link: model.Link) -> list[int]:
    return [link.position]

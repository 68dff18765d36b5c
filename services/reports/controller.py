"""One method per operation of the reports: load, decide, and for a file, save who took it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final, Protocol
from uuid import UUID

from services.chassis import comma_separated
from services.chassis.call import Answer, Call
from services.chassis.downloads import Counted, Download
from services.reports import model, view

SHOWN_ROWS: Final = 5_000
EXPORTED_ROWS: Final = 100_000


class FacilitiesView(Protocol):
    """What `identity` says."""

    def require(self, facility_id: UUID, /, *, call: Call) -> None:
        """Answer when there is this facility; NotFound otherwise."""


class ReportsController:
    """Every operation of the contract.

    shown_rows, exported_rows: how many rows are given at once, as JSON and as a file.
    """

    def __init__(
        self,
        *,
        store: model.Store,
        facilities: FacilitiesView,
        shown_rows: int = SHOWN_ROWS,
        exported_rows: int = EXPORTED_ROWS,
    ) -> None:
        self._store, self._facilities = store, facilities
        self._shown_rows, self._exported_rows = shown_rows, exported_rows

    def count_appointments(
        self,
        facility_id: str,
        first_day: str,
        last_day: str,
        call: Call,
        *,
        group_by: list[str] | None = None,
        doctor_id: list[str] | None = None,
        specialization_id: list[str] | None = None,
        status: list[str] | None = None,
    ) -> dict[str, Any]:
        """How many appointments there are, by what is asked for."""
        only = {"doctors": doctor_id, "specializations": specialization_id, "statuses": status}
        asked = model.asked(facility_id, first_day, last_day, groups=group_by, **only)
        return self._shown(view.COUNTS, asked, call)

    def export_appointment_counts(
        self,
        facility_id: str,
        first_day: str,
        last_day: str,
        call: Call,
        *,
        group_by: list[str] | None = None,
        doctor_id: list[str] | None = None,
        specialization_id: list[str] | None = None,
        status: list[str] | None = None,
    ) -> Answer:
        """The same as a file."""
        only = {"doctors": doctor_id, "specializations": specialization_id, "statuses": status}
        asked = model.asked(facility_id, first_day, last_day, groups=group_by, **only)
        return self._exported(view.COUNTS, asked, call)

    def get_attendance_rates(
        self,
        facility_id: str,
        first_day: str,
        last_day: str,
        call: Call,
        *,
        group_by: list[str] | None = None,
        doctor_id: list[str] | None = None,
        specialization_id: list[str] | None = None,
    ) -> dict[str, Any]:
        """Which share of appointments nobody came to, and which was cancelled late."""
        only = {"doctors": doctor_id, "specializations": specialization_id}
        asked = model.asked(facility_id, first_day, last_day, groups=group_by, **only)
        return self._shown(view.RATES, asked, call)

    def export_attendance_rates(
        self,
        facility_id: str,
        first_day: str,
        last_day: str,
        call: Call,
        *,
        group_by: list[str] | None = None,
        doctor_id: list[str] | None = None,
        specialization_id: list[str] | None = None,
    ) -> Answer:
        """The same as a file."""
        only = {"doctors": doctor_id, "specializations": specialization_id}
        asked = model.asked(facility_id, first_day, last_day, groups=group_by, **only)
        return self._exported(view.RATES, asked, call)

    def _shown(self, kind: view.Kind, asked: model.Asked, call: Call) -> dict[str, Any]:
        self._facilities.require(asked.facility_id, call=call)
        with self._store.figures() as figures:
            mine = model.narrowed(asked, actor=call.actor, own=figures.doctor_of(call.actor.subject))
            rows = list(_found(figures, kind, mine, call, most=self._shown_rows))
            total = model.added(rows, kind.measures) if mine.adds_up else figures.total(mine, kind.measures)
            as_of = _as_of(figures, call)
        return view.report(kind, mine, rows=rows, total=total, found=as_of)

    def _exported(self, kind: view.Kind, asked: model.Asked, call: Call) -> Answer:
        """Make the file, write down who takes it, and only then let it go."""
        self._facilities.require(asked.facility_id, call=call)
        with ExitStack() as unless_sent:
            with self._store.figures() as figures:
                mine = model.narrowed(asked, actor=call.actor, own=figures.doctor_of(call.actor.subject))
                as_of = _as_of(figures, call)
                rows = Counted(_found(figures, kind, mine, call, most=self._exported_rows))
                file = _file(kind, mine, rows, call)
                unless_sent.callback(file.close)
            with self._store.begin(call):
                call.audit(asked=model.described(mine), rows=rows.count)
            unless_sent.pop_all()
        return call.answer(file, headers=view.headers(as_of))


def _found(
    figures: model.Figures, kind: view.Kind, asked: model.Asked, call: Call, *, most: int
) -> Iterator[model.Row]:
    """The rows, refused when there are more than are given at once."""
    has_names = model.sees_names(call.actor)
    given = 0
    for each in figures.rows(asked, kind.measures, has_names=has_names, limit=most + 1):
        given += 1
        if given <= most:
            yield each
    if given > most:
        raise model.too_many_rows()


def _file(kind: view.Kind, asked: model.Asked, rows: Counted[model.Row], call: Call) -> Download:
    line = view.names(kind, asked, has_names=model.sees_names(call.actor))
    parts = comma_separated.written(line, view.cells(kind, rows))
    return Download(parts, media_type=comma_separated.MEDIA_TYPE, name=view.file_name(kind, asked))


def _as_of(figures: model.Figures, call: Call) -> model.AsOf:
    return model.as_of(figures.newest(), figures.looks(), at=call.at)

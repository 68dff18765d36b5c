"""What waits at a desk, in one question: for the first page of whoever works there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from services.appointments import model, view
from services.appointments.controller.desk import Desk
from services.chassis.call import Answer, Call
from services.kernel.access import Actor, Area
from services.kernel.intervals import Interval

_DAY = timedelta(hours=25)
"""As long as a day can be: the one on which clocks go back."""
_MOST, _COUNTED, _SHOWN = 5_000, 100, 5

_ANSWERS, _CLOSES = "appointments.approve", "appointments.attend"


class Worklist:
    """The day, who is next, requests, and what nobody has closed."""

    _desk: Desk

    def get_worklist(
        self,
        facility_id: str,
        since: str,
        until: str,
        call: Call,
        *,
        limit: int = 50,
        doctor_id: list[str] | None = None,
    ) -> Answer:
        """What waits at a desk."""
        facility, doctors = self._desk.here(call, facility_id), [UUID(each) for each in doctor_id or []]
        period = model.period(since, until, at=call.at, usual=_DAY, longest=_DAY)
        day = self._day(call, facility, period, doctors=doctors, most=limit)
        asked, left = self._waiting(call, facility, doctors=doctors)
        shown = [*day.shown, *([day.next] if day.next else []), *_first(asked), *_first(left)]
        call.audit(found=sorted({each.patient_id for each in shown}))
        self._desk.store.note(call, facility_id=facility)
        return call.answer(view.worklist(day, requests=asked, unresolved=left))

    def _day(self, call: Call, facility: UUID, period: Interval, *, doctors: Sequence[UUID], most: int) -> model.Day:
        """The day as it stands now."""
        wanted = model.Asked(
            facility_id=facility,
            period=period,
            doctors=doctors,
            statuses=model.ON_A_DAY,
            areas=call.actor.scope.areas,
            limit=_MOST,
        )
        return model.day(self._desk.store.listed(wanted)[:_MOST], at=call.at, most=most)

    def _waiting(
        self, call: Call, facility: UUID, *, doctors: Sequence[UUID]
    ) -> tuple[model.Waiting | None, model.Waiting | None]:
        """Requests, and what nobody has closed; None for those who cannot do anything about it here."""
        asked_in, over_in = (_areas(call.actor, facility, right) for right in (_ANSWERS, _CLOSES))
        wanted = model.Wanted(
            facility_id=facility,
            doctors=doctors,
            asked_in=asked_in,
            over_in=over_in,
            before=call.at,
            limit=_COUNTED,
        )
        asked, over = self._desk.store.waiting(wanted)
        return (
            None if asked_in is None else model.waiting(asked, shown=_SHOWN, counted=_COUNTED),
            None if over_in is None else model.waiting(over, shown=_SHOWN, counted=_COUNTED),
        )


def _areas(actor: Actor, facility: UUID, right: str) -> tuple[Area, ...] | None:
    """Where a right is held, when it is held here."""
    return actor.under(right).scope.areas if model.has_right(actor, right, facility_id=facility) else None


def _first(of: model.Waiting | None) -> list[model.Appointment]:
    return [] if of is None else list(of.first)

"""What happens to an appointment on its day, and what should never have been made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.appointments import model, view
from services.appointments.controller.desk import Desk
from services.chassis import paging
from services.chassis.call import Answer, Call
from services.kernel.errors import FieldError, Malformed


class Attending:
    """Who came, who did not, and what nobody has closed."""

    _desk: Desk

    def set_appointment_status(
        self, facility_id: str, appointment_id: str, body: Mapping[str, Any], call: Call
    ) -> Answer:
        """Record that a patient has arrived, is seen, is done, or did not come."""
        before = self._desk.to_change(call, facility_id, appointment_id, by_staff=True)
        step = model.attend(before, body, at=call.at, actor=call.actor)
        return self._desk.kept(call, step)

    def mark_appointment_entered_in_error(
        self, facility_id: str, appointment_id: str, body: Mapping[str, Any], call: Call
    ) -> Answer:
        """Mark an appointment that should never have been made."""
        before = self._desk.to_change(call, facility_id, appointment_id, by_staff=True)
        step = model.mark_in_error(before, reason=body["reason"], at=call.at, actor=call.actor)
        return self._desk.kept(call, step)

    def list_unresolved_appointments(
        self, facility_id: str, call: Call, limit: int = 50, cursor: str | None = None
    ) -> Answer:
        """Appointments of the past that nobody has closed."""
        of = ("unresolved", facility_id)
        page = paging.page(cursor, limit=limit, of=of)
        facility, areas = self._desk.here(call, facility_id), call.actor.scope.areas
        after = place_at(page)
        found = self._desk.store.unresolved(facility, areas=areas, before=call.at, after=after, limit=limit)
        shown, following = paging.cut(found, limit=limit, keys=_end, of=of)
        call.audit(found=[each.patient_id for each in shown])
        self._desk.store.note(call, facility_id=facility)
        return call.answer(view.page([view.appointment(each) for each in shown], next_cursor=following))


def place_at(page: paging.Page) -> tuple[datetime, UUID] | None:
    """The moment and the id after which a page begins.

    Raises:  Malformed: the cursor holds something else.
    """
    if page.after is None:
        return None
    try:
        at, id_ = page.after
        return (datetime.fromisoformat(str(at)).astimezone(UTC), UUID(str(id_)))
    except (ValueError, OverflowError):
        raise nowhere() from None


def nowhere() -> Malformed:
    """What to say of a cursor that was made up."""
    return Malformed(errors=[FieldError("cursor", parameter="cursor")])


def _end(appointment: model.Appointment) -> tuple[str, str]:
    return (appointment.ends_at.isoformat(), str(appointment.id))

"""What the reports listen to: load, decide, save."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.chassis import bus
from services.chassis.call import Call
from services.reports import model

OF_APPOINTMENTS = (
    "appointments.requested.v1",
    "appointments.booked.v1",
    "appointments.rescheduled.v1",
    "appointments.cancelled.v1",
    "appointments.declined.v1",
    "appointments.status_changed.v1",
    "appointments.entered_in_error.v1",
)
OF_DOCTORS = (
    "doctors.created.v1",
    "doctors.changed.v1",
    "doctors.deactivated.v1",
    "doctors.activated.v1",
)
OF_SPECIALIZATIONS = ("doctors.specialization_changed.v1",)


def keep_appointments(events: Sequence[bus.Received], call: Call, *, store: model.Store, owners: model.Owners) -> None:
    """Keep how appointments stand, as events tell it in their order."""
    facts = [_appointment(each, owners) for each in events]
    with store.begin(call) as tx:
        tx.keep_appointments(*facts)


def keep_doctor(event: bus.Received, call: Call, *, store: model.Store, owners: model.Owners) -> None:
    """Keep what a doctor is called and does now; the event says only that it has changed."""
    fact = owners.doctor(UUID(event.subject))
    with store.begin(call) as tx:
        tx.keep_doctors(fact)


def keep_specialization(event: bus.Received, call: Call, *, store: model.Store, owners: model.Owners) -> None:
    """Keep what a specialization is called now, or that there is none any more."""
    id_ = UUID(event.subject)
    gone = model.Specialization(id=id_, name="", version=event.version, is_deleted=True)
    fact = owners.specialization(id_) or gone
    with store.begin(call) as tx:
        tx.keep_specializations(fact)


def _appointment(event: bus.Received, owners: model.Owners) -> model.Appointment:
    """How an appointment stands; an event that does not say where it is makes us ask how it stands now."""
    id_ = UUID(event.subject)
    fact = model.told(event.data, id=id_, version=event.version, at=event.time)
    return fact or owners.appointment(UUID(str(event.data["facility_id"])), id_)

"""What the patients listen to: load, decide, save."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.chassis import bus
from services.chassis.call import Call
from services.patients import model

OF_APPOINTMENTS = (
    "appointments.requested.v1",
    "appointments.booked.v1",
    "appointments.rescheduled.v1",
    "appointments.cancelled.v1",
    "appointments.declined.v1",
    "appointments.status_changed.v1",
    "appointments.entered_in_error.v1",
)
OF_DOCTORS = ("doctors.created.v1", "doctors.changed.v1")


def keep_visits(events: Sequence[bus.Received], call: Call, *, store: model.PatientStore) -> None:
    """Keep where and with whom patients have appointments, or that one is not held."""
    known = [model.visit(each.data, id=UUID(each.subject), version=each.version, at=each.time) for each in events]
    with store.begin(call) as tx:
        tx.keep_known(*known)


def keep_doctor(event: bus.Received, call: Call, *, store: model.PatientStore, doctors: model.Doctors) -> None:
    """Keep how a doctor signs in; the event says only that the profile has changed."""
    found = doctors.account(UUID(event.subject))
    with store.begin(call) as tx:
        tx.keep_doctor_account(found)

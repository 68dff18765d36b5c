"""What other services say: with this service's own token for what is sent, with the caller's for what is asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from services.chassis.asking import Asking, AskingMany, understood
from services.chassis.call import Call
from services.chassis.client import Client
from services.chassis.service_token import ServiceToken
from services.kernel.errors import NotSignedIn, Unavailable
from services.notifications.model import people
from services.notifications.model.happening import Appointment
from services.notifications.model.people import Contact, Doctor
from services.notifications.model.rendering import Facts

NAMES_KEPT_S: Final = 5.0
"""A name that was changed is in messages after so long."""
STANDING_KEPT_S: Final = 1.0
"""Several messages to one person go out at a time, one for each channel; the standing of the person is one question."""

T = TypeVar("T")


class AsService:
    """What other services say to this one."""

    def __init__(self, client: Client, *, token: ServiceToken, monotonic: Callable[[], float]) -> None:
        self._token = token

        def asking(operation_id: str, of: str, read: Callable[[Any], T], kept_s: float) -> Asking[T]:
            return Asking(client, operation_id, of=of, read=read, kept_s=kept_s, monotonic=monotonic, is_shared=True)

        def asking_many(operation_id: str, read: Callable[[Any], T], kept_s: float) -> AskingMany[T]:
            where = {"of": "patients", "named": "patient_ids"}
            return AskingMany(client, operation_id, **where, read=read, kept_s=kept_s, monotonic=monotonic)

        self._contacts = asking_many("find_patient_contacts", people.contact, 0)
        self._standings = asking_many("find_patient_standings", _standing, STANDING_KEPT_S)
        self._doctor = asking("get_doctor", "doctors", people.doctor, NAMES_KEPT_S)
        self._type = asking("get_appointment_type", "doctors", _name, NAMES_KEPT_S)
        self._specialization = asking("get_specialization", "doctors", _name, NAMES_KEPT_S)
        self._facility = asking("get_facility", "identity", _name, NAMES_KEPT_S)
        self._location = asking("get_location", "identity", _name, NAMES_KEPT_S)
        self._appointment = asking("get_appointment", "appointments", dict, 0)

    def contacts(self, patient_ids: Collection[UUID], *, call: Call) -> dict[UUID, Contact]:
        """How patients are addressed and reached."""
        found = self._with_token(call, lambda own: self._contacts(own, patient_ids))
        return {each: found.get(each) or people.nobody(each) for each in patient_ids}

    def standings(self, patient_ids: Collection[UUID], *, call: Call) -> dict[UUID, str]:
        """How the records of patients stand at this moment; `unknown` where there is none."""
        found = self._with_token(call, lambda own: self._standings(own, patient_ids))
        return {each: found.get(each) or people.nobody(each).standing for each in patient_ids}

    def doctor(self, doctor_id: UUID, *, call: Call) -> Doctor:
        """Who a doctor is."""
        return self._ask(self._doctor, call, doctor_id=doctor_id)

    def facts(self, appointment: Appointment, doctor: Doctor, *, call: Call) -> Facts:
        """The names around an appointment."""
        return Facts(
            facility=self._ask(self._facility, call, facility_id=appointment.facility_id),
            place=self._ask(self._location, call, location_id=appointment.location_id),
            doctor=doctor.name,
        )

    def details(
        self, appointment: Appointment, doctor: Doctor, wanted: Collection[str], *, call: Call
    ) -> dict[str, str]:
        """What an appointment is about: only what a message names."""
        found = {}
        if "appointment_type" in wanted:
            found["appointment_type"] = self._ask(self._type, call, type_id=appointment.type_id)
        if "specialization" in wanted:
            names = [self._ask(self._specialization, call, specialization_id=id_) for id_ in doctor.specialization_ids]
            found["specialization"] = ", ".join(names)
        if "reason" in wanted:
            now = self.appointment(appointment.facility_id, appointment.id, call=call)
            found["reason"] = now.get("reason") or ""
        return found

    def appointment(self, facility_id: UUID, appointment_id: UUID, *, call: Call) -> Mapping[str, Any]:
        """An appointment as it is now."""
        return self._ask(self._appointment, call, facility_id=facility_id, appointment_id=appointment_id)

    def _ask(self, asking: Asking[T], call: Call, **path: UUID) -> T:
        return self._with_token(call, lambda own: asking(own, path=path))

    def _with_token(self, call: Call, ask: Callable[[Call], T]) -> T:
        try:
            return ask(dataclasses.replace(call, token=self._token()))
        except NotSignedIn:
            self._token.forget()  # its account was changed, or its key was taken back; the next one will do
            raise Unavailable("identity") from None


class AsCaller:
    """What other services say to whoever asks this one."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def require_patient(self, patient_id: UUID, *, call: Call) -> None:
        """Answer when there is such a record for whoever asks, with the permission that is about to be used.

        Raises:  NotFound, Forbidden, NotSignedIn: as `patients` says. Unavailable: it says nothing.
        """
        self._require("get_patient_standing", "patients", call, {"permission": call.permission}, patient_id=patient_id)

    def require_facility(self, facility_id: UUID, *, call: Call) -> None:
        """Answer when there is such a facility.

        Raises:  NotFound, Forbidden, NotSignedIn: as `identity` says. Unavailable: it says nothing.
        """
        self._require("get_facility", "identity", call, {}, facility_id=facility_id)

    def _require(self, operation: str, of: str, call: Call, query: Mapping[str, object], **path: UUID) -> None:
        reply = self._client.call(operation, path=path, query=query, token=call.token, request_id=call.request_id)
        understood(reply, of=of)


def _standing(said: Mapping[str, Any]) -> str:
    return str(said["standing"])


def _name(said: Mapping[str, Any]) -> str:
    return str(said["name"])

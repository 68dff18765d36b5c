"""What other services say: whether a patient may be booked for, and what may be booked when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from services.appointments import model
from services.chassis.asking import Asking, understood
from services.chassis.call import Call
from services.chassis.client import Client

PATIENT_KEPT_S, PLAN_KEPT_S = 30.0, 30.0
_PAGE = 100


class Patients:
    """How records stand; an answer holds for seconds, and is dropped as soon as `patients` says that it changed.

    An account whose reach is narrowed asks for itself, because `patients` answers about records in its reach only.
    """

    def __init__(self, client: Client, *, monotonic: Callable[[], float], kept_s: float = PATIENT_KEPT_S) -> None:
        self._standing = Asking(
            client,
            "get_patient_standing",
            of="patients",
            read=_standing,
            kept_s=kept_s,
            monotonic=monotonic,
        )

    def standing(self, patient_id: UUID, *, call: Call) -> str:
        """How a record stands, for the permission that is about to be used.

        Raises:  NotFound, Forbidden, NotSignedIn: as `patients` says. Unavailable: it says nothing.
        """
        return self._standing(call, path={"patient_id": patient_id}, query={"permission": call.permission})

    def forget(self, patient_id: str) -> None:
        """Ask anew about one record."""
        self._standing.forget(patient_id)

    def forget_all(self) -> None:
        """Ask anew about every record."""
        self._standing.forget_all()


class Doctors:
    """Plans of doctors. A plan that is old does no harm: the store refuses what was decided on it."""

    def __init__(self, client: Client, *, monotonic: Callable[[], float], kept_s: float = PLAN_KEPT_S) -> None:
        self._client = client
        self._plan = Asking(
            client,
            "get_doctor_plan",
            of="doctors",
            read=model.read_plan,
            kept_s=kept_s,
            monotonic=monotonic,
            is_shared=True,
        )

    def plan(self, doctor_id: UUID, *, facility_id: UUID, call: Call, is_fresh: bool = False) -> model.DoctorPlan:
        """The plan of one doctor at one facility.

        Raises:  NotFound, Forbidden, NotSignedIn: as `doctors` says. Unavailable: it says nothing.
        """
        return self._plan(
            call, path={"doctor_id": doctor_id}, query={"facility_id": str(facility_id)}, is_fresh=is_fresh
        )

    def plans(self, facility_id: UUID, *, specialization_id: UUID, call: Call) -> list[model.DoctorPlan]:
        """The plans of all doctors of a facility with a specialization.

        Raises:  as plan.
        """
        return list(self._pages(facility_id, specialization_id, call))

    def forget(self, thing: str) -> None:
        """Ask anew about one doctor, or all doctors of one facility."""
        self._plan.forget(thing)

    def forget_all(self) -> None:
        """Ask anew about every doctor."""
        self._plan.forget_all()

    def _pages(self, facility_id: UUID, specialization_id: UUID, call: Call) -> Iterator[model.DoctorPlan]:
        query: dict[str, object] = {"specialization_id": str(specialization_id), "limit": _PAGE}
        while True:
            reply = self._client.call(
                "list_doctor_plans",
                path={"facility_id": str(facility_id)},
                query=query,
                token=call.token,
                request_id=call.request_id,
            )
            page = understood(reply, of="doctors")
            yield from map(model.read_plan, page["items"])
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]


def hears(patients: Patients, doctors: Doctors) -> Callable[[Mapping[str, Any]], None]:
    """What to do with each event of the others: forget what it changes."""

    def heard(envelope: Mapping[str, Any]) -> None:
        kind, subject, data = str(envelope.get("type")), str(envelope.get("subject")), envelope.get("data") or {}
        if kind.startswith("patients."):
            patients.forget(subject)
        elif kind.startswith("doctors.plan_changed."):
            doctors.forget(subject)
        elif kind.startswith("doctors."):
            doctors.forget(subject) if data.get("facility_id") else doctors.forget_all()

    return heard


def _standing(body: Mapping[str, Any]) -> str:
    return str(body["standing"])

"""What other services say: whether a patient may be booked for, and what may be booked when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from services.appointments import model
from services.chassis.asking import Asking
from services.chassis.call import Call
from services.chassis.client import Client

PATIENT_KEPT_S, PLAN_KEPT_S = 30.0, 30.0
_LIST_KEPT_S = 10.0
"""Whether a plan is the one of now is seen; that another doctor belongs to a list is only heard."""
_PAGE = 100
_Page = tuple[list[model.DoctorPlan], str | None]


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
        self._plan = Asking(
            client,
            "get_doctor_plan",
            of="doctors",
            read=model.read_plan,
            kept_s=kept_s,
            monotonic=monotonic,
            is_shared=True,
        )
        self._listed = Asking(
            client,
            "list_doctor_plans",
            of="doctors",
            read=_page,
            kept_s=min(kept_s, _LIST_KEPT_S),
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

    def plans(
        self, facility_id: UUID, *, specialization_id: UUID, call: Call, is_fresh: bool = False
    ) -> list[model.DoctorPlan]:
        """The plans of all doctors of a facility with a specialization.

        Raises:  as plan.
        """
        path, found, cursor = {"facility_id": facility_id}, list[model.DoctorPlan](), None
        query: dict[str, object] = {"specialization_id": str(specialization_id), "limit": _PAGE}
        while True:
            given = query if cursor is None else {**query, "cursor": cursor}
            plans, cursor = self._listed(call, path=path, query=given, is_fresh=is_fresh)
            found += plans
            if cursor is None:
                return found

    def forget(self, thing: str) -> None:
        """Ask anew about one doctor, or all doctors of one facility, and who is in which list."""
        self._plan.forget(thing)
        self._listed.forget_all()

    def forget_all(self) -> None:
        """Ask anew about every doctor."""
        self._plan.forget_all()
        self._listed.forget_all()


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


def _page(body: Mapping[str, Any]) -> _Page:
    return [model.read_plan(each) for each in body["items"]], body["next_cursor"]


def _standing(body: Mapping[str, Any]) -> str:
    return str(body["standing"])

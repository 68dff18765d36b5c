"""What is kept of the answers of others, and when it is asked for anew."""

from __future__ import annotations

from typing import Any

import pytest

from services.appointments.repository.peers import Doctors, Patients, hears
from services.chassis.client import Reply
from tests.unit.appointments.making import DOCTOR, FACILITY, call, number

SPECIAL = number(60)
PLAN = {
    "doctor_id": str(DOCTOR),
    "facility_id": str(FACILITY),
    "zone": "Europe/Berlin",
    "active": True,
    "licence_expires_on": None,
    "max_per_day": None,
    "version": 1,
    "facility_version": 0,
    "sessions": [],
    "closures": [],
    "facility_closures": [],
    "appointment_types": [],
}


class FakeClient:
    """Two pages of plans, of one doctor each; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def call(self, operation_id: str, *, query: dict[str, Any] | None = None, **_: Any) -> Reply:
        self.asked.append(operation_id)
        if operation_id == "get_doctor_plan":
            return Reply(200, PLAN, {})
        if operation_id == "get_patient_standing":
            return Reply(200, {"standing": "active"}, {})
        is_last = "cursor" in (query or {})
        item = {**PLAN, "doctor_id": str(number(71 if is_last else 70))}
        return Reply(200, {"items": [item], "next_cursor": None if is_last else "next"}, {})


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


def listed(doctors: Doctors, *, is_fresh: bool = False) -> list[int]:
    found = doctors.plans(FACILITY, specialization_id=SPECIAL, call=call(), is_fresh=is_fresh)
    return [each.doctor_id.int for each in found]


def test_a_list_of_plans_is_kept_for_seconds_with_all_its_pages(client):
    now = [0.0]
    doctors = Doctors(client, monotonic=lambda: now[0])
    first = listed(doctors)
    assert first == [number(70).int, number(71).int]
    now[0] = 9.0
    assert listed(doctors) == first
    assert len(client.asked) == 2
    assert listed(doctors, is_fresh=True) == first
    assert len(client.asked) == 4
    now[0] = 20.0
    assert listed(doctors) == first
    assert len(client.asked) == 6


@pytest.mark.parametrize(
    ("event", "data", "anew"),
    [
        ("doctors.plan_changed.v1", {}, {"get_doctor_plan", "list_doctor_plans"}),
        ("doctors.changed.v1", {}, {"get_doctor_plan", "list_doctor_plans"}),
        ("doctors.deactivated.v1", {}, {"get_doctor_plan", "list_doctor_plans"}),
        ("doctors.specialization_changed.v1", {}, {"get_doctor_plan", "list_doctor_plans"}),
        ("patients.changed.v1", {}, {"get_patient_standing"}),
        ("identity.user_changed.v1", {}, set()),
    ],
)
def test_what_changes_is_asked_for_anew(client, event: str, data: dict[str, Any], anew: set[str]):
    doctors, patients = Doctors(client, monotonic=lambda: 0.0), Patients(client, monotonic=lambda: 0.0)
    heard = hears(patients, doctors)

    def ask() -> None:
        doctors.plan(DOCTOR, facility_id=FACILITY, call=call())
        listed(doctors)
        patients.standing(number(5), call=call())

    ask()
    heard({"type": event, "subject": str(number(5) if event.startswith("patients.") else DOCTOR), "data": data})
    client.asked.clear()
    ask()
    assert set(client.asked) == anew

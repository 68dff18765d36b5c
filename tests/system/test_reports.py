"""What is booked through the gateway comes into the figures by itself, and a rebuild reads the same from its owners."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.clinic import Clinic, licence, opened, registered, settled, until
from tests.system.house import Person, hire, word


@pytest.fixture(scope="module")
def clinic(admin: Person) -> Clinic:
    return opened(admin)


def asked(clinic: Clinic, **more: str) -> str:
    """The query of a report over the coming weeks."""
    given = {"facility_id": clinic.facility, "first_day": str(clinic.day(0)), "last_day": str(clinic.day(60)), **more}
    return "&".join(f"{name}={value}" for name, value in given.items())


def counts(by: Person, clinic: Clinic) -> dict[tuple[str, str], int]:
    """How many appointments each doctor has with each status."""
    groups = "&group_by=doctor&group_by=status"
    found = by.get(f"/api/v1/reports/appointments?{asked(clinic)}{groups}").expect(200).json
    return {(row["doctor_id"], row["status"]): row["appointments"] for row in found["rows"]}


def test_bookings_come_into_the_figures_and_a_rebuild_finds_the_same(house, admin, receptionist, auditor, clinic):
    own = hire(admin, "doctor")
    kind = admin.post("/api/v1/specializations", {"name": f"Field {word()}"}).expect(201).json
    body = {
        "family_name": word(), "given_name": word(), "licence": licence(), "user_id": own.id,
        "specialization_ids": [kind["id"]],
    }  # fmt: skip
    first = str(until(admin, "POST", "/api/v1/doctors", body).expect(201).json["id"])
    for weekday in range(1, 8):
        clinic.session(first, weekday=weekday)
    second, patients = clinic.doctor(), registered(receptionist, 4)
    made = [clinic.booked(receptionist, first, clinic.at(f"{9 + n}:00"), patients[n]) for n in range(3)]
    clinic.booked(receptionist, second, clinic.at("09:00"), patients[3])
    cancelled = f"{clinic.path}/appointments/{made[0]['id']}/cancel"
    until(receptionist, "POST", cancelled, {"reason_code": "other"}, if_match='"1"').expect(200)

    wanted = {(first, "booked"): 2, (first, "cancelled"): 1, (second, "booked"): 1}
    settled(lambda: counts(admin, clinic) == wanted)
    rows = admin.get(f"/api/v1/reports/appointments?{asked(clinic)}&group_by=specialization").expect(200).json["rows"]
    assert {(row["specialization_name"], row["appointments"]) for row in rows} == {(kind["name"], 3), (None, 1)}

    assert {doctor for doctor, _ in counts(own, clinic)} == {first}
    receptionist.get(f"/api/v1/reports/appointments?{asked(clinic)}").expect(403)
    file = own.get(f"/api/v1/reports/appointments/export?{asked(clinic)}&group_by=status").expect(200)
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert file.body.decode("utf-8-sig").splitlines() == ["status,appointments", "booked,2", "cancelled,1"]
    settled(lambda: len(exports(auditor, own)) == 1)
    (entry,) = exports(auditor, own)
    assert (entry["rows"], entry["asked"]["facility_id"]) == (2, clinic.facility)

    settled(lambda: not _is_behind(admin, clinic))
    before = house.infirmary("reports", "digest")
    assert before.returncode == 0, before.stderr
    rebuilt = house.infirmary("reports", "rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert rebuilt.stdout.splitlines()[-1] == before.stdout.strip()
    assert counts(admin, clinic) == wanted


def exports(auditor: Person, of: Person) -> list[dict[str, Any]]:
    body = {"actor": of.id, "action": "export"}
    found = auditor.post("/api/v1/audit-entries/search", body, key=None).expect(200).json["items"]
    return list(found)


def _is_behind(by: Person, clinic: Clinic) -> bool:
    return bool(by.get(f"/api/v1/reports/appointments?{asked(clinic)}").expect(200).json["as_of"]["is_behind"])

"""A patient and a guardian at home, through the gateway: they find, book, move and cancel, and reach nobody else's."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import pytest

from tests.system import clinic as clinics
from tests.system.clinic import ZONE, Clinic, until
from tests.system.house import Client, Person, hire, new_key, new_password, new_patient, sign_in
from tests.waiting import wait_for

BORN, CHILD_BORN = "1984-11-05", "2019-04-17"


@pytest.fixture(scope="module")
def clinic(admin: Person) -> Clinic:
    return clinics.opened(admin)


@pytest.fixture(scope="module")
def record(receptionist: Person) -> str:
    """The patient's."""
    return registered(receptionist)


@pytest.fixture(scope="module")
def child(receptionist: Person) -> str:
    return registered(receptionist, birth_date=CHILD_BORN)


@pytest.fixture(scope="module")
def patient(receptionist: Person, client: Client, record: str) -> Person:
    return activated(receptionist, client, record, relation="self", born=BORN)


@pytest.fixture(scope="module")
def guardian(receptionist: Person, client: Client, child: str) -> Person:
    return activated(receptionist, client, child, relation="guardian", born=CHILD_BORN)


def registered(by: Person, **more: str) -> str:
    return str(until(by, "POST", "/api/v1/patients", new_patient(**more)).expect(201).json["id"])


def activated(desk: Person, client: Client, record: str, *, relation: str, born: str) -> Person:
    """Somebody who has made an account with a code from the reception, and has signed in."""
    body = {"patient_id": record, "relation": relation}
    code = until(desk, "POST", "/api/v1/activation-codes", body).expect(201).json["code"]
    username, password = f"person.{secrets.token_hex(4)}", new_password()
    body = {"code": code, "birth_date": born, "username": username, "password": password}
    made = client.send("POST", "/api/v1/activations", body, key=new_key()).expect(201).json
    tokens = sign_in(client, username, password=password).expect(201).json
    person = Person(client, made["id"], username, ["patient"], password, tokens)
    return person.works()


def in_hours(hours: float) -> str:
    """A half hour on the clinic's clock so many hours from now, and not the last one of a day."""
    at = datetime.now(ZONE) + timedelta(hours=hours)
    at = at.replace(minute=30 * (at.minute // 30), second=0, microsecond=0)
    return (at - timedelta(minutes=30) if (at.hour, at.minute) == (23, 30) else at).isoformat()


def change(by: Person, clinic: Clinic, appointment: dict, what: str, body: dict):
    path = f"{clinic.path}/appointments/{appointment['id']}/{what}"
    return until(by, "POST", path, body, if_match=f'"{appointment["version"]}"')


@pytest.mark.row("APT-18")
@pytest.mark.timeout(900)
def test_a_patient_finds_books_moves_and_cancels_within_the_rules(
    clinic: Clinic, admin: Person, receptionist: Person, patient: Person, record: str
):
    """Types for staff are not there, and within a day before the start the answer is to call."""
    doctor = clinic.doctor(starts="00:00", ends="23:30")
    kind = {"name": f"Board {secrets.token_hex(4)}", "minutes": 30, "color": "#2f6fab", "audience": "staff"}
    internal = until(admin, "POST", "/api/v1/appointment-types", kind).expect(201).json["id"]
    listed = patient.get("/api/v1/appointment-types?limit=200").expect(200).json["items"]
    assert internal not in {each["id"] for each in listed}
    assert patient.get(f"/api/v1/appointment-types/{internal}").status == 404
    start = clinic.at("10:00")
    for hidden in (internal, "01939c3e-0000-7000-8000-0000000000ff"):
        got = until(patient, "POST", f"{clinic.path}/appointments",
                    clinic.wanted(doctor, start, record, appointment_type_id=hidden))  # fmt: skip
        assert (got.status, got.json["code"]) == (409, "doctor_not_bookable")
    assert start in clinic.free(patient, doctor)
    hold = {"doctor_id": doctor, "appointment_type_id": clinic.type, "starts_at": start}
    held = until(patient, "POST", f"{clinic.path}/holds", hold).expect(201).json
    mine = clinic.booked(patient, doctor, start, record, hold_id=held["id"], reason="My knee")
    assert (mine["created_as"], mine["reason"]) == ("self", "My knee")
    assert not {"created_by", "seat", "overbook_reason", "closing"} & set(mine)
    moved = change(patient, clinic, mine, "reschedule", {"starts_at": clinic.at("11:00")}).expect(200).json
    assert start in clinic.free(patient, doctor)
    change(patient, clinic, moved, "cancel", {"reason_code": "patient_request"}).expect(200)
    near = clinic.booked(receptionist, doctor, in_hours(6), record)
    for what, body in (("cancel", {"reason_code": "patient_ill"}), ("reschedule", {"starts_at": clinic.at("12:00")})):
        got = change(patient, clinic, near, what, body)
        assert (got.status, got.json["code"]) == (409, "call_us")
    change(receptionist, clinic, near, "cancel", {"reason_code": "patient_ill"}).expect(200)
    assert {each["id"] for each in own(patient, record)} >= {mine["id"], near["id"]}


def own(by: Person, record: str) -> list[dict]:
    return by.get(f"/api/v1/patients/{record}/appointments").expect(200).json["items"]


def test_the_appointments_of_another_are_not_there(clinic: Clinic, receptionist: Person, patient: Person, record: str):
    doctor, other = clinic.doctor(), registered(receptionist)
    theirs, nothing = clinic.booked(receptionist, doctor, clinic.at("10:00"), other), new_key()
    got = [
        patient.get(f"{clinic.path}/appointments/{theirs['id']}"),
        patient.get(f"{clinic.path}/appointments/{nothing}"),
        patient.get(f"/api/v1/patients/{other}/appointments"),
        patient.get(f"/api/v1/patients/{nothing}/appointments"),
        until(patient, "POST", f"{clinic.path}/appointments", clinic.wanted(doctor, clinic.at("11:00"), other)),
        until(patient, "POST", f"{clinic.path}/appointments", clinic.wanted(doctor, clinic.at("11:00"), nothing)),
        change(patient, clinic, theirs, "cancel", {"reason_code": "other"}),
        change(patient, clinic, theirs | {"id": nothing}, "cancel", {"reason_code": "other"}),
    ]
    assert [each.status for each in got] == [404] * len(got)
    assert len({str({**each.json, "request_id": None}) for each in got}) == 1


def test_a_guardian_books_for_the_child_and_for_nobody_else(clinic: Clinic, guardian: Person, record: str, child: str):
    doctor = clinic.doctor()
    made = clinic.booked(guardian, doctor, clinic.at("10:00"), child)
    assert made["created_as"] == "guardian"
    assert [each["id"] for each in own(guardian, child)] == [made["id"]]
    change(guardian, clinic, made, "cancel", {"reason_code": "patient_ill"}).expect(200)
    got = until(guardian, "POST", f"{clinic.path}/appointments", clinic.wanted(doctor, clinic.at("11:00"), record))
    assert got.status == 404


def test_a_receptionist_of_another_facility_reaches_nothing_of_this_one(
    clinic: Clinic, admin: Person, receptionist: Person, record: str
):
    elsewhere = clinics.opened(admin)
    clerk = hire(admin, "receptionist")
    made = clinic.booked(receptionist, clinic.doctor(), clinic.at("15:00"), record)
    user = admin.get(f"/api/v1/users/{clerk.id}").expect(200)
    body = {"roles": ["receptionist"], "areas": [{"role": "receptionist", "facilities": [elsewhere.facility]}]}
    admin.send("PUT", f"/api/v1/users/{clerk.id}/roles", body, if_match=user.etag).expect(200)
    path = f"{clinic.path}/appointments/{made['id']}"
    wait_for(lambda: clerk.get(path).status == 404, within_s=5, what="the area holds")
    since, till = (clinic.at("00:00", ahead=each).replace("+", "%2B") for each in (7, 8))
    period = f"since={since}&until={till}"
    assert clerk.get(f"{clinic.path}/appointments?{period}").status == 404
    assert clerk.get(f"{elsewhere.path}/appointments?{period}").status == 200

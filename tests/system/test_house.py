"""The first day in an empty house, through its gateway: accounts, patients, their history, and the trail of all."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.system.conftest import Beginning
from tests.system.house import Client, Person, Reply, add_user, new_allergy, new_key, new_patient, word
from tests.waiting import wait_for

ALL_WITHIN_S = 10.0
UNKNOWN = "01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20"


# ---- accounts --------------------------------------------------------------------------------------------------------


def test_the_super_admin_must_change_the_one_time_password_before_anything_else(beginning: Beginning):
    assert beginning.signed_in.json["must_change_password"] is True
    for what, refused in beginning.refused_before.items():
        assert refused.status == 403, f"{what}: {refused.said}"
    beginning.changed.expect(204)
    beginning.old_password.expect(401)
    assert beginning.signed_in_again.json["must_change_password"] is False


def test_the_super_admin_makes_a_facility_that_others_read(admin: Person, nurse: Person):
    made = admin.post("/api/v1/facilities", {"name": f"Hospital {word()}", "zone": "Europe/Berlin"}).expect(201)
    read = nurse.get(made.headers["location"]).expect(200)
    assert read.json == made.json
    assert read.etag == made.etag == '"1"'


@pytest.mark.parametrize("role", ["receptionist", "nurse", "doctor", "auditor"])
def test_a_new_user_can_do_nothing_before_changing_the_one_time_password(admin: Person, role: str):
    made, person = add_user(admin, role)
    assert made.json["must_change_password"] is True
    person.sign_in()
    assert person.tokens["must_change_password"] is True
    person.get("/api/v1/facilities").expect(403)
    person.change_password().works()
    person.sign_in()
    assert person.tokens["must_change_password"] is False
    assert person.get("/api/v1/account").expect(200).json["roles"] == [role]


# ---- patients --------------------------------------------------------------------------------------------------------


def test_a_patient_is_registered_once_however_often_the_request_is_sent(receptionist: Person):
    key, wanted = new_key(), new_patient(phones=[{"number": "+49 30 5550101", "use": "mobile"}])
    first = receptionist.post("/api/v1/patients", wanted, key=key).expect(201)
    assert re.fullmatch(r"[0-9]{8,12}", first.json["mrn"])
    assert first.etag == '"1"'
    assert first.headers["location"] == f"/api/v1/patients/{first.json['id']}"
    assert "idempotency-replayed" not in first.headers
    again = receptionist.post("/api/v1/patients", wanted, key=key).expect(201)
    assert again.json == first.json
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.etag, again.headers["location"]) == (first.etag, first.headers["location"])
    receptionist.post("/api/v1/patients", new_patient(), key=None).expect(428)
    assert _found(receptionist, wanted["family_name"]) == [first.json["id"]]


@pytest.mark.target("A-10")
def test_a_key_that_comes_with_another_body_is_refused_and_nothing_is_written(receptionist: Person):
    key, wanted = new_key(), new_patient()
    first = receptionist.post("/api/v1/patients", wanted, key=key).expect(201)
    for other in (new_patient(), {**wanted, "given_name": word()}, {**new_patient(), "confirm_duplicate": True}):
        refused = receptionist.post("/api/v1/patients", other, key=key).expect(422)
        assert refused.json["code"] == "key_reused"
        assert _found(receptionist, other["given_name"]) == []
    again = receptionist.post("/api/v1/patients", wanted, key=key).expect(201)
    assert again.json == first.json


@pytest.mark.row("PAT-14")
def test_a_stale_change_is_refused_with_the_names_of_the_fields_that_differ(receptionist: Person):
    made = receptionist.post("/api/v1/patients", new_patient()).expect(201)
    path = made.headers["location"]
    phones = [{"number": "+49 30 5550102", "use": "home"}]
    changed = receptionist.send("PATCH", path, {"phones": phones, "language": "de"}, if_match=made.etag).expect(200)
    assert changed.etag == '"2"'
    stale = receptionist.send("PATCH", path, {"middle_name": "Maria"}, if_match=made.etag).expect(412)
    assert sorted(stale.json["fields"]) == ["language", "phones"]
    missing = receptionist.send("PATCH", path, {"middle_name": "Maria"}).expect(428)
    assert missing.broken == {"If-Match"}
    now = receptionist.get(path).expect(200)
    assert now.etag == '"2"'
    assert now.json["middle_name"] is None


def test_a_patient_is_found_by_a_name_with_a_slip_of_the_finger(receptionist: Person):
    wanted = new_patient()
    made = receptionist.post("/api/v1/patients", wanted).expect(201)
    name = str(wanted["family_name"])
    slip = name[:4] + name[5] + name[4] + name[6:]
    assert made.json["id"] in _found(receptionist, slip)


# ---- history ---------------------------------------------------------------------------------------------------------


def test_an_allergy_stands_until_a_doctor_marks_it_entered_in_error(
    receptionist: Person, nurse: Person, doctor: Person
):
    patient = _patient(receptionist)
    made = nurse.post(f"{patient}/allergies", new_allergy("Penicillin")).expect(201)
    listed = nurse.get(f"{patient}/allergies").expect(200)
    assert listed.json["asked"] == "has_allergies"
    assert [each["id"] for each in listed.json["items"]] == [made.json["id"]]
    refused = nurse.post(f"{patient}/allergy-statement/none-known").expect(409)
    assert refused.json["code"] == "active_allergies_stand"
    mark, reason = f"{patient}/allergies/{made.json['id']}/entered-in-error", "Belongs to another patient."
    assert nurse.post(mark, {"reason": reason}, if_match=made.etag).status == 403
    assert doctor.post(mark, {}, if_match=made.etag).expect(422).broken == {"/reason"}
    marked = doctor.post(mark, {"reason": reason}, if_match=made.etag).expect(200)
    assert (marked.json["status"], marked.json["reason"]) == ("entered_in_error", reason)
    assert nurse.get(f"{patient}/allergies").expect(200).json["items"] == []
    kept = nurse.get(f"{patient}/allergies?include_errors=true").expect(200).json["items"]
    assert [each["status"] for each in kept] == ["entered_in_error"]
    nurse.post(f"{patient}/allergy-statement/none-known").expect(200)


def test_the_history_is_closed_to_reception_and_knows_no_unknown_patient(receptionist: Person, nurse: Person):
    patient = _patient(receptionist)
    receptionist.get(f"{patient}/allergies").expect(403)
    receptionist.post(f"{patient}/allergies", new_allergy("Latex")).expect(403)
    nurse.get(f"/api/v1/patients/{UNKNOWN}/allergies").expect(404)
    nurse.post(f"/api/v1/patients/{UNKNOWN}/allergies", new_allergy("Latex")).expect(404)
    assert nurse.get(f"{patient}/allergies").expect(200).json["asked"] == "not_asked"


# ---- audit -----------------------------------------------------------------------------------------------------------


def test_every_read_and_write_leaves_exactly_one_entry_of_who_did_what_to_whom(
    receptionist: Person, nurse: Person, doctor: Person, auditor: Person
):
    wanted = dict(_one_of_each(receptionist, nurse, doctor))
    found: dict[str, list[dict]] = {}

    def all_there() -> bool:
        found.clear()
        for person in (receptionist, nurse, doctor):
            for entry in _entries(auditor, {"actor": person.id}):
                found.setdefault(entry["request_id"], []).append(entry)
        return wanted.keys() <= found.keys()

    try:
        wait_for(all_there, within_s=ALL_WITHIN_S, what="an entry for everything", step_s=0.3)
    finally:
        lacking = [fields for request, fields in wanted.items() if request not in found]
        assert not lacking, f"without an entry: {lacking}"
    counts = Counter({request: len(found[request]) for request in wanted})
    assert set(counts.values()) == {1}, {str(wanted[r]): count for r, count in counts.items() if count != 1}
    for request, fields in wanted.items():
        entry = found[request][0]
        assert {name: entry[name] for name in fields} == fields
        assert all((entry["session"], entry["source"], entry["at"])), entry


def test_the_trail_is_whole(receptionist: Person, auditor: Person):
    made = receptionist.post("/api/v1/patients", new_patient()).expect(201)
    wait_for(
        lambda: bool(_entries(auditor, {"patient_id": made.json["id"]})),
        within_s=ALL_WITHIN_S,
        what="the entry is kept",
    )
    checked = auditor.post("/api/v1/audit-trail/verifications", {}, key=None).expect(200).json
    assert checked["whole"] is True, checked
    assert checked["checked_entries"] == checked["last_position"] > 0
    assert (checked["break"], checked["next_position"]) == (None, None)
    receptionist.post("/api/v1/audit-trail/verifications", {}, key=None).expect(403)


def test_a_service_answers_nobody_who_comes_around_the_gateway_without_a_token(house):
    asked = {
        "identity": "/api/v1/users",
        "patients": f"/api/v1/patients/{UNKNOWN}",
        "history": f"/api/v1/patients/{UNKNOWN}/allergies",
    }
    for service, path in asked.items():
        direct = Client(f"http://127.0.0.1:{house.port(service)}")
        direct.send("GET", path).expect(401)
        direct.send("GET", path, token="e30.e30.e30").expect(401)
        direct.close()
    direct = Client(f"http://127.0.0.1:{house.port('audit')}")
    direct.send("POST", "/api/v1/audit-entries/search", {}).expect(401)
    direct.close()


# ---- what the tests share --------------------------------------------------------------------------------------------


def _patient(receptionist: Person) -> str:
    """The path of a new patient."""
    return receptionist.post("/api/v1/patients", new_patient()).expect(201).headers["location"]


def _found(receptionist: Person, name: object) -> list[str]:
    """The ids that a search by name shows."""
    page = receptionist.post("/api/v1/patients/search", {"name": name}, key=None).expect(200).json
    return [hit["patient"]["id"] for hit in page["items"]]


def _entries(auditor: Person, search: dict) -> list[dict]:
    """Every entry that a search finds, over all of its pages."""
    found, cursor = [], None
    while True:
        query = "limit=200" + (f"&cursor={cursor}" if cursor else "")
        page = auditor.post(f"/api/v1/audit-entries/search?{query}", search, key=None).expect(200).json
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def _one_of_each(receptionist: Person, nurse: Person, doctor: Person) -> list[tuple[str, dict]]:
    """Reads, writes, searches and refusals; for each its request id and what the entry must say."""
    done: list[tuple[str, dict]] = []

    def note(who: Person, reply: Reply, operation: str, action: str, outcome: str, patient: str | None) -> Reply:
        said = {"actor": who.id, "roles": who.roles, "operation": operation, "action": action, "outcome": outcome}
        done.append((reply.request_id, {**said, "patient_id": patient, "request_id": reply.request_id}))
        return reply

    wanted = new_patient()
    made = receptionist.post("/api/v1/patients", wanted).expect(201)
    patient, path = made.json["id"], made.headers["location"]
    note(receptionist, made, "register_patient", "create", "success", patient)
    read = receptionist.get(path).expect(200)
    note(receptionist, read, "get_patient", "read", "success", patient)
    changed = receptionist.send("PATCH", path, {"language": "de"}, if_match='"1"').expect(200)
    note(receptionist, changed, "update_patient", "update", "success", patient)
    searched = receptionist.post("/api/v1/patients/search", {"name": wanted["family_name"]}, key=None).expect(200)
    note(receptionist, searched, "search_patients", "search", "success", None)
    denied = receptionist.get(f"{path}/allergies").expect(403)
    note(receptionist, denied, "list_allergies", "read", "denied", patient)
    added = nurse.post(f"{path}/allergies", new_allergy("Latex")).expect(201)
    note(nurse, added, "add_allergy", "create", "success", patient)
    listed = nurse.get(f"{path}/allergies").expect(200)
    note(nurse, listed, "list_allergies", "read", "success", patient)
    refused = nurse.post("/api/v1/patients", new_patient()).expect(403)
    note(nurse, refused, "register_patient", "create", "denied", None)
    lost = nurse.get(f"/api/v1/patients/{UNKNOWN}/allergies").expect(404)
    note(nurse, lost, "list_allergies", "read", "not_found", UNKNOWN)
    mark = f"{path}/allergies/{added.json['id']}/entered-in-error"
    marked = doctor.post(mark, {"reason": "Belongs to another patient."}, if_match=added.etag).expect(200)
    note(doctor, marked, "mark_allergy_entered_in_error", "update", "success", patient)
    gone = doctor.get(f"/api/v1/patients/{UNKNOWN}").expect(404)
    note(doctor, gone, "get_patient", "read", "not_found", UNKNOWN)
    return done

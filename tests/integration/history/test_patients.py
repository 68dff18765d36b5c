"""Whose history it is: `patients` is asked with the caller's own token, and what it says decides."""

from __future__ import annotations

import pytest

from tests.integration.chassis.peer import Connection
from tests.integration.history import making
from tests.integration.history.making import NOBODY, OTHER, PATIENT

READS = ["list_allergies", "get_allergy_statement", "list_problems"]


def test_patients_is_asked_with_the_token_of_the_caller(house, patients):
    house.call("list_allergies", role="nurse", subject="nurse-1", patient_id=PATIENT)
    assert patients.asked == ["Bearer nurse@nurse-1"]


@pytest.mark.parametrize(
    ("operation", "permission", "more"),
    [
        ("list_allergies", "history.read", {}),
        ("get_allergy_statement", "history.read", {}),
        ("add_problem", "history.write", {"body": making.problem()}),
        ("withdraw_no_known_allergies", "history.correct", {"version": 1, "body": {"reason": "x"}}),
    ],
)
def test_patients_is_told_which_permission_is_about_to_be_used(house, patients, operation, permission, more):
    house.call(operation, role="doctor", patient_id=PATIENT, **more)
    assert [each.target.partition("?")[2] for each in patients.peer.requests] == [f"permission={permission}"]


def test_what_is_out_of_reach_answers_as_what_is_not_there_and_leaves_its_entry(house, patients):
    """`patients` says 404 of both; whose record it was about is in the trail."""
    del patients.known[OTHER]
    answers = [house.call("list_problems", role="doctor", patient_id=each) for each in (OTHER, NOBODY)]
    assert [each.status for each in answers] == [404, 404]
    first, second = ({**each.body, "request_id": ""} for each in answers)
    assert first == second
    assert [(each["outcome"], each["patient_id"]) for each in making.entries(house)] == [
        ("not_found", OTHER),
        ("not_found", NOBODY),
    ]


def test_a_link_that_ended_is_not_known_for_a_moment_longer(house, patients):
    house.roles.links["p-1"] = [[PATIENT, "own", None]]
    assert house.call("list_problems", role="patient", subject="p-1", patient_id=PATIENT).status == 200
    house.roles.links["p-1"] = []
    patients.known.clear()
    assert house.call("list_problems", role="patient", subject="p-1", patient_id=PATIENT).status == 404


def test_a_good_answer_holds_for_a_moment_for_those_who_may_do_the_same_everywhere(house, patients):
    for subject in ("nurse-1", "nurse-1", "nurse-2"):
        house.call("list_allergies", role="nurse", subject=subject, patient_id=PATIENT)
    assert patients.asked == ["Bearer nurse@nurse-1"]


def test_whose_reach_is_narrowed_asks_for_itself(house, patients):
    here = {"nurse": {"facilities": [NOBODY], "departments": []}}
    house.roles.areas |= {"nurse-2": here, "nurse-3": here}
    for subject in ("nurse-1", "nurse-2", "nurse-3", "nurse-3"):
        house.call("list_allergies", role="nurse", subject=subject, patient_id=PATIENT)
    assert patients.asked == [f"Bearer nurse@{each}" for each in ("nurse-1", "nurse-2", "nurse-3")]


def test_that_there_is_no_such_patient_is_asked_each_time(house, patients):
    assert house.call("list_allergies", patient_id=NOBODY).status == 404
    patients.known[NOBODY] = ("active", None)
    assert house.call("list_allergies", patient_id=NOBODY).status == 200


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("standing", ["inactive", "deceased", "merged"])
def test_every_record_that_exists_can_be_read(house, patients, operation, standing):
    patients.known[PATIENT] = (standing, OTHER if standing == "merged" else None)
    assert house.call(operation, patient_id=PATIENT).status == 200


@pytest.mark.parametrize(("standing", "status"), [("inactive", 201), ("deceased", 201), ("merged", 409)])
def test_new_entries_are_taken_on_every_record_but_a_merged_one(house, patients, standing, status):
    """What is learned late about a patient's safety is kept; what was merged away says where it went."""
    patients.known[PATIENT] = (standing, OTHER if standing == "merged" else None)
    answers = [
        house.call("add_problem", patient_id=PATIENT, body=making.problem()),
        house.call("declare_no_known_allergies", patient_id=PATIENT),
        house.call("add_allergy", patient_id=PATIENT, body=making.allergy()),
    ]
    assert [each.status for each in answers] == ([201, 200, 201] if status == 201 else [409, 409, 409])
    if status == 409:
        assert {each.body["code"] for each in answers} == {"patient_merged"}
        assert all(each.body["facts"] == {"merged_into": OTHER} for each in answers)
        assert making.database(house)["allergies"].count_documents({}) == 0


def test_entries_of_a_merged_record_can_be_corrected(house, patients):
    allergy = making.add_allergy(house)
    patients.known[PATIENT] = ("merged", OTHER)
    got = house.call(
        "mark_allergy_entered_in_error",
        role="doctor",
        subject="another",
        patient_id=PATIENT,
        allergy_id=allergy["id"],
        version=1,
        body={"reason": "Wrong."},
    )
    assert got.status == 200


@pytest.mark.parametrize(("said", "status"), [(403, 403), (401, 401), (404, 404), (500, 503), (429, 503)])
def test_what_patients_refuses_is_refused_here(house, patients, said, status):
    patients.status = said
    got = house.call("add_problem", patient_id=PATIENT, body=making.problem())
    assert got.status == status
    assert making.database(house)["problems"].count_documents({}) == 0


def test_without_patients_nothing_is_shown_or_written(house, patients):
    """Away is 503 with Retry-After, for reads and writes; nothing was kept."""

    def hang_up(connection: Connection) -> None:
        connection.reset()

    patients.peer.behaviour = hang_up
    read = house.call("list_allergies", patient_id=PATIENT)
    written = house.call("add_allergy", patient_id=PATIENT, body=making.allergy())
    assert (read.status, written.status) == (503, 503)
    assert int(read.headers["retry-after"]) >= 1
    assert making.database(house)["allergies"].count_documents({}) == 0


@pytest.mark.parametrize("role", ["receptionist", "admin", "auditor", "service"])
def test_roles_without_the_permission_see_and_write_nothing(house, patients, role):
    assert house.call("list_allergies", role=role, patient_id=PATIENT).status == 403
    assert house.call("add_problem", role=role, patient_id=PATIENT, body=making.problem()).status == 403
    assert patients.asked == []


def test_a_pharmacist_reads_and_does_not_write_and_a_nurse_does_not_correct(house):
    allergy = making.add_allergy(house)
    assert house.call("list_allergies", role="pharmacist", patient_id=PATIENT).status == 200
    assert house.call("add_allergy", role="pharmacist", patient_id=PATIENT, body=making.allergy("x")).status == 403
    where = {"patient_id": PATIENT, "allergy_id": allergy["id"], "version": 1, "body": {"reason": "x"}}
    assert house.call("mark_allergy_entered_in_error", role="nurse", **where).status == 403
    assert house.call("mark_allergy_entered_in_error", role="doctor", **where).status == 200

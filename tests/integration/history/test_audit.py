"""Every read and write of a history is one entry: who, in which role, did or saw what, of whom, with which outcome."""

from __future__ import annotations

from tests.integration.history import making
from tests.integration.history.making import NOBODY, PATIENT


def test_each_operation_on_a_history_makes_exactly_one_entry(house):
    """All thirteen, each once, with the patient, the record, its version and names of fields, never their values."""
    allergy, problem = making.add_allergy(house), making.add_problem(house)
    second = making.add_problem(house)
    one, other = (
        {"patient_id": PATIENT, "allergy_id": allergy["id"]},
        {"patient_id": PATIENT, "problem_id": problem["id"]},
    )
    reason = {"reason": "canary"}
    calls = [
        ("list_allergies", {"patient_id": PATIENT}, None),
        ("get_allergy", one, None),
        ("resolve_allergy", {**one, "version": 1}, reason),
        ("mark_allergy_entered_in_error", {**one, "version": 2}, reason),
        ("get_allergy_statement", {"patient_id": PATIENT}, None),
        ("declare_no_known_allergies", {"patient_id": PATIENT}, None),
        ("withdraw_no_known_allergies", {"patient_id": PATIENT, "version": 4}, reason),
        ("add_allergy", {"patient_id": PATIENT}, making.allergy("Latex")),
        ("list_problems", {"patient_id": PATIENT}, None),
        ("get_problem", other, None),
        ("resolve_problem", {**other, "version": 1}, reason),
        ("mark_problem_entered_in_error", {"patient_id": PATIENT, "problem_id": second["id"], "version": 1}, reason),
        ("add_problem", {"patient_id": PATIENT}, making.problem()),
    ]
    assert {name for name, _, _ in calls} == set(house.contract.operations)
    for name, where, body in calls:
        before = len(making.entries(house))
        got = house.call(name, role="super_admin", subject="somebody", body=body, **where)
        assert got.status in {200, 201}, (name, got.raw)
        new = making.entries(house)[before:]
        assert len(new) == 1, name
        [entry] = new
        assert (entry["operation"], entry["action"]) == (name, house.contract.operations[name].audit)
        assert (entry["actor"], entry["roles"], entry["outcome"]) == ("somebody", ["super_admin"], "success")
        assert entry["patient_id"] == PATIENT
        assert entry["request_id"].startswith("test-")
        if "id" in got.body:
            assert (entry["record_id"], entry["version"]) == (got.body["id"], got.body["version"])
        if "items" in got.body:
            assert entry["found"] == [each["id"] for each in got.body["items"]]
        assert "canary" not in str(entry)
        assert bool(entry["fields"]) == (entry["action"] in {"create", "update"})


def test_what_was_denied_or_not_found_makes_one_entry_too(house):
    house.call("list_allergies", role="receptionist", subject="r", patient_id=PATIENT)
    house.call("get_problem", role="nurse", subject="n", patient_id=PATIENT, problem_id=NOBODY)
    house.call("list_problems", role="nurse", subject="n", patient_id=NOBODY)
    assert [(each["actor"], each["operation"], each["outcome"]) for each in making.entries(house)] == [
        ("r", "list_allergies", "denied"),
        ("n", "get_problem", "not_found"),
        ("n", "list_problems", "not_found"),
    ]


def test_what_was_not_found_names_whose_record_it_was_about(house):
    """A privacy officer searches by patient, and wants to see who tried."""
    house.call("get_problem", role="nurse", patient_id=PATIENT, problem_id=NOBODY)
    [entry] = making.entries(house)
    assert (entry["patient_id"], entry["record_id"], entry["outcome"]) == (PATIENT, NOBODY, "not_found")


def test_a_write_that_a_rule_refused_makes_an_entry_and_one_of_the_wrong_form_makes_none(house):
    """That this allergy is known already tells something of the patient."""
    making.add_allergy(house)
    before = len(making.entries(house))
    assert house.call("add_allergy", patient_id=PATIENT, body=making.allergy()).status == 409
    assert house.call("add_allergy", patient_id=PATIENT, body={}).status == 422
    [entry] = making.entries(house)[before:]
    assert (entry["patient_id"], entry["record_id"], entry["outcome"]) == (PATIENT, None, "failed")


def test_a_replayed_answer_is_not_a_second_write_and_was_seen_again(house):
    for _ in range(3):
        got = house.call("add_allergy", patient_id=PATIENT, body=making.allergy(), key="one-intent-1")
        assert got.status == 201
    told = [(each["operation"], each["action"], each["record_id"]) for each in making.entries(house)]
    assert told == [("add_allergy", action, got.body["id"]) for action in ("create", "read", "read")]

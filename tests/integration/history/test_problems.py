"""Problems over the whole application and a real MongoDB."""

from __future__ import annotations

import base64

import orjson
import pytest

from tests.integration.history import making
from tests.integration.history.making import OTHER, PATIENT


def test_a_problem_is_recorded_coded_or_in_words(house):
    coded = making.add_problem(house, onset="2015", note="Diet and metformin.")
    assert coded["condition"] == {
        "display": "Type 2 diabetes",
        "system": making.ICD_10,
        "code": "E11.9",
        "coded": True,
    }
    words = making.add_problem(house, condition={"display": "Often tired"}, certainty="unconfirmed")
    assert words["condition"] == {"display": "Often tired", "system": None, "code": None, "coded": False}
    assert house.call("get_problem", patient_id=PATIENT, problem_id=words["id"]).body == words


def test_a_code_that_cannot_be_right_is_refused(house):
    wrong = {"display": "x", "system": making.ICD_10, "code": "diabetes"}
    refused = house.call("add_problem", patient_id=PATIENT, body=making.problem(condition=wrong))
    assert (refused.status, refused.body["errors"]) == (422, [{"pointer": "/condition/code", "rule": "code_format"}])


@pytest.mark.row("CHT-04")
def test_a_resolved_problem_leaves_the_active_list_and_stays_in_the_history(house):
    """It is over, with since when and why, and can be found and read as before."""
    chronic = making.add_problem(house, condition={"display": "Asthma"})
    fracture = making.add_problem(house, condition={"display": "Fracture"}, onset="2026-01")
    over = house.call(
        "resolve_problem",
        role="doctor",
        patient_id=PATIENT,
        problem_id=fracture["id"],
        version=1,
        body={"resolved_on": "2026-03", "reason": "Healed."},
    )
    assert (over.status, over.body["status"], over.body["resolved_on"]) == (200, "resolved", "2026-03")
    active = house.call("list_problems", patient_id=PATIENT, query={"status": "active"})
    assert making.shown(active) == ["Asthma"]
    assert making.shown(house.call("list_problems", patient_id=PATIENT)) == ["Fracture", "Asthma"]
    resolved = house.call("list_problems", patient_id=PATIENT, query={"status": "resolved"})
    assert making.shown(resolved) == ["Fracture"]
    read = house.call("get_problem", patient_id=PATIENT, problem_id=fracture["id"])
    assert read.body == over.body
    kept = making.revisions(house, "problems", fracture["id"])
    assert [(each["version"], each["status"]) for each in kept] == [(1, "active"), (2, "resolved")]
    assert chronic["status"] == "active"


def test_a_wrong_problem_is_marked_and_hidden(house):
    problem = making.add_problem(house)
    where = {"patient_id": PATIENT, "problem_id": problem["id"], "body": {"reason": "Wrong patient."}}
    marked = house.call("mark_problem_entered_in_error", role="records_clerk", version=1, **where)
    assert (marked.status, marked.body["status"]) == (200, "entered_in_error")
    assert house.call("list_problems", patient_id=PATIENT).body["items"] == []
    shown = house.call("list_problems", patient_id=PATIENT, query={"include_errors": "true"})
    assert shown.body["items"] == [marked.body]
    again = house.call("mark_problem_entered_in_error", version=2, **where)
    assert (again.status, again.body["code"]) == (409, "already_entered_in_error")
    over = house.call("resolve_problem", version=2, **where)
    assert (over.status, over.body["code"]) == (409, "entry_not_active")


def test_a_stale_change_of_a_problem_names_what_changed(house):
    problem = making.add_problem(house)
    where = {"patient_id": PATIENT, "problem_id": problem["id"]}
    house.call("resolve_problem", version=1, body={"resolved_on": "2026"}, **where)
    stale = house.call("mark_problem_entered_in_error", version=1, body={"reason": "x"}, **where)
    assert (stale.status, stale.body["fields"]) == (412, ["resolved_on", "status"])


def test_another_patients_problem_is_not_found(house):
    problem = making.add_problem(house)
    where = {"patient_id": OTHER, "problem_id": problem["id"]}
    assert house.call("get_problem", **where).status == 404
    assert house.call("resolve_problem", version=1, body={}, **where).status == 404
    assert house.call("mark_problem_entered_in_error", version=1, body={"reason": "x"}, **where).status == 404


def test_problems_are_paged(house):
    for number in range(3):
        making.add_problem(house, condition={"display": f"Problem {number}"})
    first = house.call("list_problems", patient_id=PATIENT, query={"limit": 2})
    second = house.call("list_problems", patient_id=PATIENT, query={"limit": 2, "cursor": first.body["next_cursor"]})
    assert making.shown(first) + making.shown(second) == ["Problem 2", "Problem 1", "Problem 0"]


def test_a_cursor_that_was_written_by_hand_is_refused(house):
    making.add_problem(house)
    making.add_problem(house)
    good = house.call("list_problems", patient_id=PATIENT, query={"limit": 1}).body["next_cursor"]
    mark, _ = orjson.loads(base64.urlsafe_b64decode(good + "=="))
    for keys in ([], [{"$gt": ""}], ["x"], [None], [1, 2], {"$ne": 1}):
        forged = base64.urlsafe_b64encode(orjson.dumps([mark, keys])).rstrip(b"=").decode()
        assert house.call("list_problems", patient_id=PATIENT, query={"limit": 1, "cursor": forged}).status == 400

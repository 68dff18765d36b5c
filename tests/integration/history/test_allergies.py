"""Allergies, and the statement whether anybody asked for them, over the whole application and a real MongoDB."""

from __future__ import annotations

import pytest

from tests.integration.history import making
from tests.integration.history.making import NOBODY, OTHER, PATIENT


def test_an_allergy_is_recorded_as_it_was_said_and_read_back_the_same(house):
    body = making.allergy(
        substance={"display": " Penicillin ", "system": making.SNOMED, "code": "764146007"},
        onset="2019-05",
        note="Within an hour.",
    )
    added = house.call("add_allergy", role="nurse", subject="nurse-1", patient_id=PATIENT, body=body)
    assert added.status == 201
    assert added.headers["etag"] == '"1"'
    assert added.headers["location"] == f"/api/v1/patients/{PATIENT}/allergies/{added.body['id']}"
    assert added.body["substance"] == {
        "display": "Penicillin",
        "system": making.SNOMED,
        "code": "764146007",
        "coded": True,
    }
    assert (added.body["status"], added.body["version"], added.body["recorded_by"]) == ("active", 1, "nurse-1")
    read = house.call("get_allergy", patient_id=PATIENT, allergy_id=added.body["id"])
    assert read.body == added.body


@pytest.mark.row("CHT-03")
def test_none_known_differs_from_not_asked_and_ends_with_the_first_allergy(house):
    """Substance, reaction, severity and status are kept; nobody asked, none known and some are three states."""
    assert making.asked(house) == "not_asked"
    declared = house.call("declare_no_known_allergies", role="nurse", subject="nurse-1", patient_id=PATIENT)
    assert (declared.status, declared.body["asked"], declared.body["stated_by"]) == (200, "none_known", "nurse-1")
    added = making.add_allergy(house)
    assert making.asked(house) == "has_allergies"
    assert house.call("list_allergies", patient_id=PATIENT).body["asked"] == "has_allergies"
    assert (added["substance"]["display"], added["status"]) == ("Penicillin", "active")
    [reaction] = added["reactions"]
    assert (reaction["manifestation"]["display"], reaction["severity"]) == ("Urticaria", "mild")
    refused = house.call("declare_no_known_allergies", patient_id=PATIENT)
    assert (refused.status, refused.body["code"]) == (409, "active_allergies_stand")
    assert refused.body["facts"] == {"active_allergies": 1}


@pytest.mark.parametrize("operation", ["resolve_allergy", "mark_allergy_entered_in_error"])
def test_when_the_last_allergy_goes_nobody_has_asked(house, operation):
    house.call("declare_no_known_allergies", patient_id=PATIENT)
    first, second = making.add_allergy(house), making.add_allergy(house, "Latex")
    for allergy, known in ((first, "has_allergies"), (second, "not_asked")):
        got = house.call(
            operation, patient_id=PATIENT, allergy_id=allergy["id"], version=1, body={"reason": "Refuted."}
        )
        assert got.status == 200
        assert making.asked(house) == known
    assert house.call("declare_no_known_allergies", patient_id=PATIENT).body["asked"] == "none_known"


def test_marking_a_resolved_allergy_leaves_what_was_stated_since(house):
    allergy = making.add_allergy(house)
    house.call("resolve_allergy", patient_id=PATIENT, allergy_id=allergy["id"], version=1, body={"reason": "Outgrown."})
    house.call("declare_no_known_allergies", patient_id=PATIENT)
    reason = {"reason": "Never was."}
    marked = house.call(
        "mark_allergy_entered_in_error", patient_id=PATIENT, allergy_id=allergy["id"], version=2, body=reason
    )
    assert (marked.status, marked.body["status"]) == (200, "entered_in_error")
    assert making.asked(house) == "none_known"


@pytest.mark.row("CHT-12")
def test_a_wrong_entry_is_marked_with_its_reason_hidden_and_never_deleted(house):
    """The status changes; it is hidden by default and shown on request; its revisions and its audit entry stay."""
    wrong, right = making.add_allergy(house, "Latex"), making.add_allergy(house, "Peanut")
    marked = house.call(
        "mark_allergy_entered_in_error",
        role="doctor",
        patient_id=PATIENT,
        allergy_id=wrong["id"],
        version=1,
        body={"reason": "Belongs to another patient."},
    )
    assert (marked.status, marked.body["status"], marked.body["reason"]) == (
        200,
        "entered_in_error",
        "Belongs to another patient.",
    )
    assert making.shown(house.call("list_allergies", patient_id=PATIENT)) == ["Peanut"]
    with_errors = house.call("list_allergies", patient_id=PATIENT, query={"include_errors": "true"})
    assert making.shown(with_errors) == ["Peanut", "Latex"]
    only = house.call("list_allergies", patient_id=PATIENT, query={"status": "entered_in_error"})
    assert making.shown(only) == ["Latex"]
    assert house.call("get_allergy", patient_id=PATIENT, allergy_id=wrong["id"]).body["version"] == 2
    kept = making.revisions(house, "allergies", wrong["id"])
    assert [(each["version"], each["status"]) for each in kept] == [(1, "active"), (2, "entered_in_error")]
    entry = next(each for each in making.entries(house) if each["operation"] == "mark_allergy_entered_in_error")
    assert (entry["patient_id"], entry["record_id"], entry["version"]) == (PATIENT, wrong["id"], 2)
    assert entry["fields"] == ["reason", "status"]
    assert right["status"] == "active"


def test_an_entry_is_marked_once(house):
    allergy = making.add_allergy(house)
    where = {"patient_id": PATIENT, "allergy_id": allergy["id"], "body": {"reason": "Wrong."}}
    assert house.call("mark_allergy_entered_in_error", version=1, **where).status == 200
    again = house.call("mark_allergy_entered_in_error", version=2, **where)
    assert (again.status, again.body["code"]) == (409, "already_entered_in_error")
    over = house.call("resolve_allergy", version=2, **where)
    assert (over.status, over.body["code"], over.body["facts"]) == (
        409,
        "entry_not_active",
        {"status": "entered_in_error"},
    )


def test_the_same_active_substance_stands_once(house):
    first = making.add_allergy(house, "Penicillin")
    again = house.call("add_allergy", patient_id=PATIENT, body=making.allergy("  PENICILLIN"))
    assert (again.status, again.body["code"]) == (409, "allergy_already_recorded")
    assert again.body["facts"] == {"allergy_id": first["id"]}
    reason = {"reason": "Refuted."}
    house.call("resolve_allergy", patient_id=PATIENT, allergy_id=first["id"], version=1, body=reason)
    assert making.add_allergy(house, "Penicillin")["id"] != first["id"]


def test_the_same_code_is_the_same_substance_whatever_its_words(house):
    coded = {"system": making.SNOMED, "code": "764146007"}
    making.add_allergy(house, substance={"display": "Penicillin", **coded})
    again = house.call("add_allergy", patient_id=PATIENT, body=making.allergy(substance={"display": "PCN", **coded}))
    assert again.status == 409


def test_a_withdrawn_statement_is_not_asked_again_and_keeps_its_reason(house):
    nothing = house.call("withdraw_no_known_allergies", patient_id=PATIENT, version=1, body={"reason": "x"})
    assert (nothing.status, nothing.body["code"]) == (412, "stale_version")
    house.call("declare_no_known_allergies", patient_id=PATIENT)
    withdrawn = house.call(
        "withdraw_no_known_allergies", patient_id=PATIENT, version=1, body={"reason": "Could not answer."}
    )
    assert (withdrawn.body["asked"], withdrawn.body["reason"], withdrawn.headers["etag"]) == (
        "not_asked",
        "Could not answer.",
        '"2"',
    )
    again = house.call("withdraw_no_known_allergies", patient_id=PATIENT, version=2, body={"reason": "x"})
    assert (again.status, again.body["code"]) == (409, "nothing_stated")


def test_a_stale_version_is_refused_and_names_what_changed(house):
    allergy = making.add_allergy(house)
    where = {"patient_id": PATIENT, "allergy_id": allergy["id"], "body": {"reason": "Outgrown."}}
    house.call("resolve_allergy", version=1, **where)
    stale = house.call("mark_allergy_entered_in_error", version=1, **where)
    assert (stale.status, stale.body["fields"]) == (412, ["reason", "status"])
    missing = house.call("mark_allergy_entered_in_error", **where)
    assert missing.status == 428


def test_every_bad_field_is_named_and_nothing_is_repeated(house):
    rash = {"display": "canary3", "system": making.ICD_10, "code": "canary2"}
    body = making.allergy(
        substance={"display": "canary4", "code": "canary1"}, reactions=[{"manifestation": rash}], onset="2098"
    )
    refused = house.call("add_allergy", patient_id=PATIENT, body=body)
    assert refused.status == 422
    assert [(each["pointer"], each["rule"]) for each in refused.body["errors"]] == [
        ("/substance/system", "code_and_system_together"),
        ("/reactions/0/manifestation/code", "code_format"),
        ("/onset", "not_in_future"),
    ]
    assert b"canary" not in refused.raw
    assert making.database(house)["allergies"].count_documents({}) == 0


def test_lists_are_paged_newest_first_and_stable_while_entries_are_added(house):
    names = [f"Substance {number}" for number in range(5)]
    for name in names:
        making.add_allergy(house, name)
    first = house.call("list_allergies", patient_id=PATIENT, query={"limit": 2})
    making.add_allergy(house, "Later")
    second = house.call("list_allergies", patient_id=PATIENT, query={"limit": 2, "cursor": first.body["next_cursor"]})
    third = house.call("list_allergies", patient_id=PATIENT, query={"limit": 2, "cursor": second.body["next_cursor"]})
    assert [making.shown(each) for each in (first, second, third)] == [names[:2:-1], names[2:0:-1], names[:1]]
    assert third.body["next_cursor"] is None
    of_others = house.call("list_allergies", patient_id=OTHER, query={"cursor": first.body["next_cursor"]})
    assert of_others.status == 400


def test_another_patients_allergy_is_not_found_and_looks_like_none(house):
    allergy = making.add_allergy(house)
    same = {"x-request-id": "same-id-1"}
    others = house.call("get_allergy", patient_id=OTHER, allergy_id=allergy["id"], headers=same)
    nobodys = house.call("get_allergy", patient_id=OTHER, allergy_id=NOBODY, headers=same)
    assert others.status == 404
    assert others.raw == nobodys.raw
    reason = {"reason": "x"}
    for operation in ("resolve_allergy", "mark_allergy_entered_in_error"):
        got = house.call(operation, patient_id=OTHER, allergy_id=allergy["id"], version=1, body=reason)
        assert got.status == 404


def test_a_key_is_answered_once_and_again(house):
    body = making.allergy()
    first = house.call("add_allergy", patient_id=PATIENT, body=body, key="one-intent-1")
    again = house.call("add_allergy", patient_id=PATIENT, body=body, key="one-intent-1")
    other = house.call("add_allergy", patient_id=PATIENT, body=making.allergy("Latex"), key="one-intent-1")
    assert (first.status, again.status, other.status) == (201, 201, 422)
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    assert making.database(house)["allergies"].count_documents({}) == 1

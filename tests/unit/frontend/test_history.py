"""What is sent of a form for an allergy or a problem."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from frontend.controllers.history import KINDS, entry_of
from frontend.forms import Form


def sent(**values: str) -> Form:
    return Form.sent(MultiDict({key.replace("__", "."): value for key, value in values.items()}))


def test_an_allergy_is_sent_without_what_was_left_empty() -> None:
    form = sent(
        substance__display=" Penicillin ",
        substance__code="",
        category="medication",
        criticality="high",
        certainty="confirmed",
        onset="",
        note="",
        reactions__0__manifestation__display="Rash",
        reactions__0__severity="",
    )

    assert entry_of(form, KINDS["allergies"]) == {
        "substance": {"display": "Penicillin"},
        "category": "medication",
        "criticality": "high",
        "certainty": "confirmed",
        "reactions": [{"manifestation": {"display": "Rash"}}],
    }


def test_rows_of_reactions_move_together_so_that_an_error_stands_beside_its_row() -> None:
    form = sent(
        reactions__0__manifestation__display="",
        reactions__0__severity="",
        reactions__1__manifestation__display="",
        reactions__1__severity="mild",
    )

    body = entry_of(form, KINDS["allergies"])

    assert body["reactions"] == [{"manifestation": {}, "severity": "mild"}]
    assert form.value("reactions.0.severity") == "mild"
    assert form.value("reactions.1.severity") == ""


def test_a_problem_has_a_condition_with_its_code() -> None:
    form = sent(
        condition__display="Asthma",
        condition__system="http://hl7.org/fhir/sid/icd-10",
        condition__code="J45.9",
        certainty="confirmed",
    )

    assert entry_of(form, KINDS["problems"]) == {
        "condition": {"display": "Asthma", "system": "http://hl7.org/fhir/sid/icd-10", "code": "J45.9"},
        "certainty": "confirmed",
    }

"""The rules of allergies, and of the statement whether anybody asked for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.history import model
from services.kernel.errors import Invalid
from tests.unit.history.making import AT, FIRST, LATER, PATIENT, SECOND, draft, recorded


def declared():
    """The statement of a patient who was asked and knows of none."""
    return model.declare_none_known(model.no_statement(PATIENT), at=AT, by="nurse-1")


def test_of_a_patient_of_whom_nothing_was_said_nobody_has_asked():
    statement = model.no_statement(PATIENT)
    assert (statement.asked, statement.active, statement.version) == (model.Asked.NOT_ASKED, 0, 0)


def test_recording_an_allergy_ends_a_statement_of_none_known():
    allergy, statement = recorded(statement=declared())
    assert (allergy.status, allergy.version) == (model.Status.ACTIVE, 1)
    assert (statement.asked, statement.active, statement.version) == (model.Asked.HAS_ALLERGIES, 1, 2)


def test_none_known_cannot_be_said_while_allergies_stand():
    _, statement = recorded()
    with pytest.raises(model.ActiveAllergiesStand) as refused:
        model.declare_none_known(statement, at=AT, by="nurse-1")
    assert refused.value.facts == {"active_allergies": 1}


def test_saying_none_known_again_renews_the_day():
    again = model.declare_none_known(declared(), at=LATER, by="nurse-2")
    assert (again.asked, again.stated_at, again.stated_by, again.version) == (
        model.Asked.NONE_KNOWN,
        LATER,
        "nurse-2",
        2,
    )


@pytest.mark.parametrize("end", [model.resolve_allergy, model.mark_allergy_entered_in_error])
def test_when_the_last_allergy_goes_nobody_has_asked(end):
    """That this one is over does not say that there are no others."""
    allergy, statement = recorded(statement=declared())
    _, after = end(allergy, reason="Refuted.", statement=statement, at=LATER, by="doctor-1")
    assert (after.asked, after.active) == (model.Asked.NOT_ASKED, 0)


@pytest.mark.parametrize("end", [model.resolve_allergy, model.mark_allergy_entered_in_error])
def test_while_others_stand_it_stays_known_that_there_are_some(end):
    first, statement = recorded()
    _, statement = recorded("Latex", allergy_id=SECOND, statement=statement, active=(first,))
    _, after = end(first, reason="Refuted.", statement=statement, at=LATER, by="doctor-1")
    assert (after.asked, after.active, after.stated_at) == (model.Asked.HAS_ALLERGIES, 1, AT)


def test_marking_a_resolved_allergy_does_not_touch_what_was_stated_since():
    allergy, statement = recorded()
    resolved, statement = model.resolve_allergy(allergy, reason="x", statement=statement, at=AT, by="doctor-1")
    statement = model.declare_none_known(statement, at=AT, by="nurse-1")
    _, after = model.mark_allergy_entered_in_error(resolved, reason="x", statement=statement, at=LATER, by="doctor-1")
    assert (after.asked, after.stated_at, after.version) == (model.Asked.NONE_KNOWN, AT, 4)


def test_an_allergy_is_resolved_only_while_it_stands_and_marked_once():
    allergy, statement = recorded()
    words = {"reason": "x", "statement": statement, "at": AT, "by": "doctor-1"}
    resolved, _ = model.resolve_allergy(allergy, **words)
    with pytest.raises(model.EntryNotActive):
        model.resolve_allergy(resolved, **words)
    marked, _ = model.mark_allergy_entered_in_error(resolved, **words)
    with pytest.raises(model.AlreadyInError):
        model.mark_allergy_entered_in_error(marked, **words)
    assert (marked.status, marked.version, marked.recorded_by) == (model.Status.ENTERED_IN_ERROR, 3, "nurse-1")


def test_only_a_statement_of_none_known_can_be_withdrawn():
    withdrawn = model.withdraw_none_known(declared(), reason="Asleep.", at=LATER, by="doctor-1")
    assert (withdrawn.asked, withdrawn.reason) == (model.Asked.NOT_ASKED, "Asleep.")
    with pytest.raises(model.NothingStated):
        model.withdraw_none_known(withdrawn, reason="x", at=LATER, by="doctor-1")
    assert model.declare_none_known(withdrawn, at=LATER, by="nurse-1").reason is None


def test_the_same_substance_stands_once():
    allergy, statement = recorded("Penicillin")
    with pytest.raises(model.AllergyAlreadyRecorded) as refused:
        recorded("  penicillin ", allergy_id=SECOND, statement=statement, active=(allergy,))
    assert refused.value.facts == {"allergy_id": str(FIRST)}


def test_every_bad_field_of_an_allergy_is_named():
    bad = draft(
        substance=model.Term(display="x", code="1"),
        reactions=(
            model.ReactionDraft(manifestation=model.Term(display="fine")),
            model.ReactionDraft(
                manifestation=model.Term(display="x", system="http://hl7.org/fhir/sid/icd-10", code="rash")
            ),
        ),
        onset="2999",
    )
    with pytest.raises(Invalid) as refused:
        model.record_allergy(
            bad, allergy_id=FIRST, statement=model.no_statement(PATIENT), active=(), at=AT, by="nurse-1"
        )
    assert [(each.pointer, each.rule) for each in refused.value.errors] == [
        ("/substance/system", "code_and_system_together"),
        ("/reactions/1/manifestation/code", "code_format"),
        ("/onset", "not_in_future"),
    ]


def test_two_revisions_differ_in_the_fields_that_changed():
    allergy, statement = recorded()
    resolved, _ = model.resolve_allergy(allergy, reason="x", statement=statement, at=LATER, by="doctor-1")
    assert model.changed_fields(allergy, resolved) == ("reason", "status")
    assert model.changed_fields(allergy, allergy) == ()


@given(st.lists(st.sampled_from(["add", "resolve", "mark", "none", "withdraw"]), max_size=30))
def test_whatever_happens_the_statement_agrees_with_the_allergies(steps):
    """Some stand if and only if the statement says so, its count is theirs, and every step makes one version."""
    statement, kept = model.no_statement(PATIENT), []
    for number, step in enumerate(steps):
        standing = [each for each in kept if each.status is model.Status.ACTIVE]
        before, words = statement.version, {"reason": "x", "at": AT, "by": "doctor-1"}
        if step == "add":
            added, statement = recorded(f"Substance {number}", statement=statement, active=tuple(standing))
            kept.append(added)
        elif step == "none" and not standing:
            statement = model.declare_none_known(statement, at=AT, by="nurse-1")
        elif step == "withdraw" and statement.asked is model.Asked.NONE_KNOWN:
            statement = model.withdraw_none_known(statement, **words)
        elif step in {"resolve", "mark"} and standing:
            end = model.resolve_allergy if step == "resolve" else model.mark_allergy_entered_in_error
            gone, statement = end(standing[0], statement=statement, **words)
            kept[kept.index(standing[0])] = gone
        else:
            continue
        standing = [each for each in kept if each.status is model.Status.ACTIVE]
        assert statement.active == len(standing)
        assert (statement.asked is model.Asked.HAS_ALLERGIES) == bool(standing)
        assert statement.version == before + 1

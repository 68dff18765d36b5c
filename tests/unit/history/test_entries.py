"""The rules of problems, of versions, of what lists show, and of whose record may be opened."""

from __future__ import annotations

import pytest

from services.history import model
from services.kernel.errors import Invalid, Stale
from tests.unit.history.making import LATER, PATIENT, problem


def test_a_problem_without_a_code_is_free_text_and_known_as_such():
    assert problem().condition.is_coded is False
    coded = problem(condition=model.Term(display="Diabetes", system="http://hl7.org/fhir/sid/icd-10", code="E11.9"))
    assert coded.condition.is_coded is True


def test_a_problem_with_a_bad_code_or_date_is_refused():
    with pytest.raises(Invalid) as refused:
        problem(condition=model.Term(display="x", system="http://snomed.info/sct", code="73211009"), onset="2999")
    assert [each.pointer for each in refused.value.errors] == ["/condition/system", "/onset"]


def test_a_resolved_problem_keeps_since_when_and_why():
    over = model.resolve_problem(problem(onset="2020"), resolved_on="2021", reason="Healed.", at=LATER, by="doctor-2")
    assert (over.status, over.resolved_on, over.reason, over.version) == (
        model.Status.RESOLVED,
        "2021",
        "Healed.",
        2,
    )
    assert (over.recorded_by, over.changed_by, over.changed_at) == ("doctor-1", "doctor-2", LATER)
    with pytest.raises(model.EntryNotActive):
        model.resolve_problem(over, resolved_on=None, reason=None, at=LATER, by="doctor-2")


@pytest.mark.parametrize(
    ("resolved_on", "rule"), [("2019", "not_before_onset"), ("2999", "not_in_future"), ("2021-02-30", "date")]
)
def test_a_problem_is_over_neither_before_it_began_nor_in_the_future(resolved_on, rule):
    with pytest.raises(Invalid) as refused:
        model.resolve_problem(problem(onset="2020"), resolved_on=resolved_on, reason=None, at=LATER, by="doctor-2")
    assert [(each.pointer, each.rule) for each in refused.value.errors] == [("/resolved_on", rule)]


def test_a_problem_is_marked_once_whatever_its_status():
    over = model.resolve_problem(problem(), resolved_on=None, reason=None, at=LATER, by="doctor-2")
    for each in (problem(), over):
        marked = model.mark_problem_entered_in_error(each, reason="Wrong patient.", at=LATER, by="clerk-1")
        assert (marked.status, marked.version) == (model.Status.ENTERED_IN_ERROR, each.version + 1)
        with pytest.raises(model.AlreadyInError):
            model.mark_problem_entered_in_error(marked, reason="Again.", at=LATER, by="clerk-1")


def test_lists_hide_errors_unless_asked():
    active, resolved, wrong = model.Status
    assert model.shown(None, include_errors=False) == (active, resolved)
    assert model.shown(None, include_errors=True) == (active, resolved, wrong)
    assert model.shown("entered_in_error", include_errors=False) == (wrong,)
    assert model.shown("active", include_errors=True) == (active,)


def test_a_change_from_an_old_version_names_what_others_changed():
    old = problem()
    new = model.resolve_problem(old, resolved_on="2026-03", reason="Healed.", at=LATER, by="doctor-2")
    with pytest.raises(Stale) as refused:
        model.check_version(new, expected=1, earlier=old)
    assert refused.value.fields == ("reason", "resolved_on", "status")
    with pytest.raises(Stale) as refused:
        model.check_version(new, expected=7, earlier=None)
    assert refused.value.fields == ()
    model.check_version(new, expected=2, earlier=new)


def test_a_merged_record_takes_no_new_entries_and_says_where_it_went():
    with pytest.raises(model.PatientMerged) as refused:
        model.check_may_add(model.Standing(standing="merged", merged_into="there"))
    assert refused.value.facts == {"merged_into": "there"}
    for standing in ("active", "inactive", "deceased"):
        model.check_may_add(model.Standing(standing=standing))


def test_events_carry_ids_and_nothing_else():
    event = model.problem_recorded(problem(note="canary"))
    assert (event.type, event.version, dict(event.data)) == (
        "history.problem_recorded.v1",
        1,
        {"patient_id": str(PATIENT)},
    )
    assert event.subject == str(problem().id)

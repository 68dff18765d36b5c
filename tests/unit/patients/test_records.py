"""Decisions about a record, and what is told of them."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import Malformed
from services.kernel.identifiers import is_checked
from services.patients import model
from tests.unit.patients.making import AT, HOUSE, TODAY, patient, patient_id

LATER = AT + timedelta(hours=1)


def change(record: model.Patient, **fields) -> model.Patient:
    return model.change(record, fields, today=TODAY, house=HOUSE, at=LATER)


def dead(record: model.Patient, on: str = "2026-03-01") -> model.Patient:
    return model.mark_deceased(record, on=date.fromisoformat(on), today=TODAY, at=LATER)


def inactive() -> model.Patient:
    return model.deactivate(patient(), reason="moved_away", at=LATER)


def merged() -> model.Patient:
    return dataclasses.replace(patient(), merged_into=patient_id(2))


@given(st.integers(1, 10**9))
def test_every_record_number_has_its_check_digit_and_at_least_eight_digits(number):
    mrn = model.medical_record_number(number)
    assert is_checked(mrn)
    assert len(mrn) >= 8


def test_a_new_record_is_active_and_in_its_first_version():
    record = patient()
    assert (record.version, record.standing, record.registered_at) == (1, model.Standing.ACTIVE, AT)


def test_a_change_makes_the_next_version_and_names_its_fields():
    before = patient()
    after = change(before, middle_name="Q", birth_date="1984-11-06")
    assert (after.version, after.changed_at, after.registered_at) == (2, LATER, AT)
    assert model.changed_fields(before, after) == ["birth_date", "middle_name"]


def test_what_changes_nothing_makes_no_version():
    record = patient()
    assert change(record, family_name="Smith") is record


def test_a_deactivated_record_is_hidden_and_restored():
    record = inactive()
    assert (record.standing, record.is_listed) == (model.Standing.INACTIVE, False)
    restored = model.restore(record, at=LATER)
    assert (restored.standing, restored.is_listed, restored.version) == (model.Standing.ACTIVE, True, 3)


def test_death_is_recorded_once_on_a_possible_day():
    record = dead(patient())
    assert record.standing is model.Standing.DECEASED
    assert record.is_listed
    with pytest.raises(model.AlreadyDeceased):
        dead(record)


@pytest.mark.parametrize(("on", "rule"), [("1984-11-04", "not_before_birth"), ("2026-03-03", "not_in_future")])
def test_nobody_dies_before_birth_or_in_the_future(on, rule):
    with pytest.raises(model.DeathDateInvalid) as refused:
        dead(patient(), on)
    assert [(each.pointer, each.rule) for each in refused.value.errors] == [("/deceased_on", rule)]


def test_nobody_dies_years_before_an_estimated_birth():
    guessed = patient(birth_date=None, estimated_age=10)
    assert dead(guessed, "2015-06-01").deceased_on == date(2015, 6, 1)
    with pytest.raises(model.DeathDateInvalid):
        dead(guessed, "2014-06-01")


def test_age_stops_at_death():
    record = dead(patient(), "2020-01-01")
    assert model.age_of(record, today=TODAY) == 35


@pytest.mark.parametrize(
    ("said", "pointer"), [({"birth_date": "2026-03-02"}, "/birth_date"), ({"estimated_age": 0}, None)]
)
def test_a_birth_is_not_moved_behind_the_death(said, pointer):
    record = dead(patient(), "2020-01-01")
    with pytest.raises(model.DemographicsInvalid) as refused:
        change(record, **said)
    assert [each.pointer for each in refused.value.errors] == [pointer or "/estimated_age"]


@pytest.mark.parametrize(
    "act",
    [
        lambda record: change(record, middle_name="Q"),
        lambda record: model.deactivate(record, reason="other", at=LATER),
        dead,
    ],
)
def test_a_record_out_of_use_stays_as_it_is(act):
    with pytest.raises(model.PatientInactive):
        act(inactive())
    with pytest.raises(model.PatientMerged) as refused:
        act(merged())
    assert refused.value.facts == {"merged_into": str(patient_id(2))}


def test_only_a_deactivated_record_is_restored():
    with pytest.raises(model.PatientNotInactive):
        model.restore(patient(), at=LATER)
    with pytest.raises(model.PatientMerged):
        model.restore(merged(), at=LATER)


def test_a_merged_record_is_neither_active_nor_listed():
    assert (merged().standing, merged().is_listed) == (model.Standing.MERGED, False)


def test_events_carry_ids_and_names_of_fields_only():
    event = model.happened("changed", change(patient(), middle_name="Q"), fields=["middle_name"])
    assert (event.type, event.subject, event.version) == ("patients.changed.v1", str(patient_id(1)), 2)
    assert event.data == {"fields": ["middle_name"]}


def kept(*records: model.Patient) -> list[model.KeptVersion]:
    """Versions as the history gives them: newest first."""
    return [
        model.KeptVersion(version=each.version, at=each.changed_at, by="clerk", record=model.snapshot(each))
        for each in reversed(records)
    ]


def test_a_stale_change_is_told_the_fields_that_differ():
    first = patient()
    second = change(first, middle_name="Q")
    third = change(second, prefix="Dr.", middle_name="R")
    assert model.stale(third, since=model.snapshot(first)).fields == ("middle_name", "prefix")
    assert model.stale(third, since=None).fields == ()


def test_changes_are_told_field_by_field_newest_first():
    first = patient()
    second = change(first, middle_name="Q", prefix="Dr.")
    third = change(second, middle_name="R")
    told = model.changes(kept(first, second, third), after=None)
    assert [(each.version, each.field, each.old, each.new) for each in told] == [
        (3, "middle_name", "Q", "R"),
        (2, "middle_name", None, "Q"),
        (2, "prefix", None, "Dr."),
    ]
    rest = model.changes(kept(first, second), after=model.Place(version=2, field="middle_name"))
    assert [each.field for each in rest] == ["prefix"]


def test_the_registration_is_no_change():
    assert model.changes(kept(patient()), after=None) == []


def test_a_place_in_the_changes_comes_from_a_cursor():
    assert model.place_at(None) is None
    assert model.place_at((2, "prefix")) == model.Place(version=2, field="prefix")
    for other in ((1,), ("2", "prefix"), (2, 3), ()):
        with pytest.raises(Malformed):
            model.place_at(other)

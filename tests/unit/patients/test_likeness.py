"""Likely duplicates, and identifiers that are taken."""

from __future__ import annotations

import dataclasses

import pytest

from services.patients import model
from tests.unit.patients.fake_store import FakePatientStore
from tests.unit.patients.making import HOUSE, call, everybody, nobody, patient, patient_id, person

PASSPORT = [{"type": "passport", "value": "C01X00T47", "issuer": "DE"}]
SHARED = [{"type": "insurance", "value": "A123456", "issuer": "AOK"}]


def like(said: dict[str, object], *known: dict[str, object]) -> list[tuple[int, int, tuple[str, ...]]]:
    """Who of the known is like somebody new: number, score, reasons."""
    store = FakePatientStore(house=HOUSE)
    with store.begin(call()) as tx:
        for number, each in enumerate(known, start=1):
            tx.add(patient(number, **each))
        new = person(**said)
        found = model.likely_duplicates(new, tx.alike(model.probe(new, house=HOUSE)), house=HOUSE)
    return [(each.patient.id.int - patient_id(0).int, each.score, each.reasons) for each in found]


@pytest.mark.parametrize(
    ("said", "known", "score", "reasons"),
    [
        ({}, {}, 100, ("name_and_birth_date",)),
        ({"given_name": "Jhon"}, {}, 90, ("name_and_birth_date",)),
        ({"family_name": "John", "given_name": "Smith"}, {}, 100, ("name_and_birth_date",)),
        ({"birth_date": None, "estimated_age": 41}, {}, 80, ("name_and_birth_date",)),
        ({}, {"birth_date": None, "estimated_age": 42}, 85, ("name_and_birth_date",)),
        (
            {"birth_date": "1999-01-01", "phones": [{"number": "+1 555 010 1234"}]},
            {"phones": [{"number": "5550101234"}]},
            95,
            ("name_and_phone",),
        ),
        (
            {"phones": [{"number": "+1 555 010 1234"}]},
            {"phones": [{"number": "5550101234"}]},
            100,
            ("name_and_birth_date", "name_and_phone"),
        ),
        ({"identifiers": PASSPORT, "birth_date": "1999-01-01"}, {"identifiers": PASSPORT}, 100, ("identifier",)),
        (
            {"family_name": "Other", "given_name": "Person", "identifiers": SHARED, "birth_date": "1999-01-01"},
            {"identifiers": SHARED},
            80,
            ("identifier",),
        ),
        (
            {"family_name": "山田", "given_name": "太郎"},
            {"family_name": "太郎", "given_name": "山田"},
            100,
            ("name_and_birth_date",),
        ),
    ],
)
def test_who_is_probably_the_same(said, known, score, reasons):
    assert like(said, known) == [(1, score, reasons)]


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ({"given_name": "Peter"}, {}),
        ({"birth_date": "1984-11-06"}, {}),
        ({"birth_date": None, "estimated_age": 38}, {}),
        ({"given_name": "Peter", "phones": [{"number": "5550101234"}]}, {"phones": [{"number": "5550101234"}]}),
        ({"identifiers": PASSPORT, "given_name": "Peter"}, {"identifiers": [PASSPORT[0] | {"issuer": "FR"}]}),
    ],
)
def test_who_is_somebody_else(said, known):
    assert like(said, known) == []


def test_the_most_probable_comes_first_and_one_character_names_count():
    assert [number for number, *_ in like({}, {"given_name": "Jhon"}, {})] == [2, 1]
    assert like({"family_name": "王", "given_name": "王"}, {"family_name": "王", "given_name": "王"})[0][1] == 100


def test_a_number_of_somebody_else_is_refused_with_the_others_number_for_those_who_may_see_it():
    new, other = person(given_name="Peter", identifiers=SHARED + PASSPORT), patient(1, identifiers=PASSPORT)
    with pytest.raises(model.IdentifierTaken) as refused:
        model.ensure_identifiers_free(new, [other], shown=everybody, forgive_same_name=True)
    assert refused.value.facts == {"patient_id": str(other.id), "mrn": other.mrn}
    assert [(each.pointer, each.rule) for each in refused.value.errors] == [("/identifiers/1/value", "unique")]
    with pytest.raises(model.IdentifierTaken) as refused:
        model.ensure_identifiers_free(new, [other], shown=nobody)
    assert refused.value.facts == {}


def test_the_same_number_with_the_same_name_is_a_duplicate_and_refused_only_when_confirmed():
    new, other = person(identifiers=PASSPORT), patient(1, identifiers=PASSPORT)
    model.ensure_identifiers_free(new, [other], shown=everybody, forgive_same_name=True)
    with pytest.raises(model.IdentifierTaken):
        model.ensure_identifiers_free(new, [other], shown=everybody)


def test_own_and_shared_numbers_are_free():
    new, other = person(identifiers=PASSPORT + SHARED), patient(1, identifiers=SHARED)
    model.ensure_identifiers_free(new, [patient(2, identifiers=PASSPORT), other], but=patient_id(2), shown=everybody)


def test_merged_records_are_no_candidates():
    store = FakePatientStore(house=HOUSE)
    with store.begin(call()) as tx:
        tx.add(dataclasses.replace(patient(1), merged_into=patient_id(2)))
        assert tx.alike(model.probe(person(), house=HOUSE)) == []

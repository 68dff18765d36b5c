"""Searching: what was typed finds whom it means, the best first."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.kernel.errors import Malformed
from services.patients import model
from services.patients.model.search import name_score
from tests.unit.patients.fake_store import FakePatientStore
from tests.unit.patients.making import EVERYWHERE, HOUSE, call, patient, patient_id

PEOPLE = {
    1: {"family_name": "Smith", "given_name": "John", "phones": [{"number": "5550101234"}]},
    2: {"family_name": "Smithers", "given_name": "Johanna"},
    3: {"family_name": "Schmidt", "given_name": "Jo"},
    4: {"family_name": "O'Brien", "given_name": "Anne-Marie", "middle_name": "Rose"},
    5: {"family_name": "山田", "given_name": "太郎"},
    6: {"family_name": "محمود", "given_name": "محمد"},
    7: {"family_name": "Ångström", "given_name": "Zoë"},
    8: {"family_name": "Müller", "given_name": "Jürgen", "birth_date": "1950-05-05"},
    9: {"family_name": "Иванов", "given_name": "Пётр", "identifiers": [{"type": "passport", "value": "C01X00T47"}]},
    10: {"family_name": "Παπαδόπουλος", "given_name": "Γιώργος", "phones": [{"number": "+49 30 5550101"}]},
}


@pytest.fixture(scope="module")
def store() -> FakePatientStore:
    made = FakePatientStore(house=HOUSE)
    with made.begin(call()) as tx:
        for number, said in PEOPLE.items():
            tx.add(patient(number, **said))
        tx.add(model.deactivate(patient(11, family_name="Gone", given_name="Smith"), reason="other", at=call().at))
    return made


def find(store: FakePatientStore, **asked) -> list[int]:
    search = model.read_search(asked, house=HOUSE)
    with store.read() as tx:
        hits = model.ranked(tx.matching(search, within=EVERYWHERE, limit=model.MOST_RANKED + 1), asked=search)
    return [hit.id.int - patient_id(0).int for hit in hits]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("john smith", 1),
        ("jhon smit", 1),
        ("Smith, John", 1),
        ("JOHN SMITH", 1),
        ("smi joh", 1),
        ("j smith", 1),
        ("jonh smyth", 1),
        ("obrien", 4),
        ("o'brien", 4),
        ("o brien", 4),
        ("annemarie", 4),
        ("marie o’brien", 4),
        ("rose brien", 4),
        ("山田", 5),
        ("山田太郎", 5),
        ("太郎 山田", 5),
        ("太郎山田", 5),
        ("山", 5),
        ("محمد", 6),
        ("angstrom", 7),
        ("Zoe", 7),
        ("mueller", 8),
        ("muller jurgen", 8),
        ("петр иванов", 9),
        ("ИВАНОВ", 9),
        ("παπαδοπουλος", 10),
        ("c01x00t47", 9),
        ("C01X-00T47 иванов", 9),
        ("5550101234", 1),
        ("+1 (555) 010-1234", 1),
        ("smith 555 010 1234", 1),
        ("john 010-1234", 1),
        ("1950-05-05", 8),
        ("müller 1950-05-05", 8),
        ("10000012", 1),
        ("thers", 2),
    ],
)
def test_what_was_typed_finds_whom_it_means(store, text, expected):
    assert find(store, text=text)[0] == expected


@pytest.mark.parametrize(
    "text", ["smith jane", "wxyz", "1950-05-06", "5550109999", "smith 1950-05-05", "田山郎", "Dr", "123-45-6789"]
)
def test_what_fits_nobody_finds_nobody(store, text):
    assert find(store, text=text) == []


def test_the_same_phone_is_found_in_any_writing(store):
    assert find(store, phone="+1 (555) 010-1234") == find(store, phone="5550101234") == [1]
    assert (
        find(store, phone="030 5550101")
        == find(store, phone="0049305550101")
        == find(store, phone="+49305550101")
        == [10]
    )
    assert find(store, phone="555-0101") == [10]
    assert find(store, phone="999") == find(store, phone="+1-2") == []


def test_single_fields_are_joined(store):
    assert find(store, name="smith", mrn=patient(1).mrn) == [1]
    assert find(store, name="smith", mrn=patient(2).mrn) == [2]
    assert find(store, identifier="c01x 00t47", birth_date="1984-11-05") == [9]
    assert find(store, identifier="c01x 00t47", birth_date="1984-11-06") == []


def test_the_exact_name_comes_before_what_begins_with_it_and_what_is_like_it(store):
    assert find(store, text="smith")[:2] == [1, 2]
    assert 3 not in find(store, text="smith")


def test_deactivated_records_are_shown_only_when_asked_for(store):
    assert find(store, text="gone") == []
    assert find(store, text="gone", include_inactive=True) == [11]


@pytest.mark.parametrize("asked", [{}, {"text": "-"}, {"name": "'"}, {"text": " \u200b "}, {"include_inactive": True}])
def test_nothing_to_search_for_is_refused(asked):
    with pytest.raises(model.NothingToSearch):
        model.read_search(asked, house=HOUSE)


def test_an_impossible_day_is_a_number_and_no_date():
    (term,) = model.read_search({"text": "1984-13-45"}, house=HOUSE).terms
    assert not any(key.startswith("b") for key in term.any_of)


WORD = st.text(string.ascii_lowercase, min_size=5, max_size=12)


def slipped(word: str, place: int, kind: int) -> str:
    """A word with one slip: a letter missing, doubled, wrong, or swapped with its neighbour."""
    at = place % (len(word) - 1)
    return [
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + "q" + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    ][kind]


@given(WORD, WORD, st.integers(0, 11), st.integers(0, 3))
def test_one_slip_of_the_finger_in_any_name_still_finds_it(family, given_name, place, kind):
    store = FakePatientStore(house=HOUSE)
    with store.begin(call()) as tx:
        tx.add(patient(1, family_name=family, given_name=given_name))
    assert find(store, text=f"{given_name} {slipped(family, place, kind)}") == [1]


@given(WORD, st.integers(0, 9), st.integers(3, 12))
def test_any_part_of_three_letters_finds_the_name(word, start, length):
    part = word[start : start + length]
    assume(len(part) >= 3)
    store = FakePatientStore(house=HOUSE)
    with store.begin(call()) as tx:
        tx.add(patient(1, family_name=word))
    assert find(store, text=part) == [1]


@given(st.text(min_size=1, max_size=200))
def test_any_text_is_a_search_or_refused(text):
    try:
        search = model.read_search({"text": text}, house=HOUSE)
    except model.NothingToSearch:
        return
    assert search.terms
    assert all(term.any_of or all(term.all_of) for term in search.terms)


@given(st.lists(WORD, min_size=1, max_size=4), st.lists(WORD, min_size=1, max_size=4))
def test_scores_are_between_nothing_and_exact(asked, name):
    assert 0 <= name_score(asked, name) <= 100
    assert name_score(name, name) == 100


def hits(*scores: int) -> list[model.Hit]:
    return [model.Hit(id=patient_id(number), score=score) for number, score in enumerate(scores)]


def test_a_page_goes_on_after_the_last_hit():
    ranked = hits(100, 90, 90, 80)
    assert list(model.hits_after(ranked, place=None)) == ranked
    assert list(model.hits_after(ranked, place=ranked[1])) == ranked[2:]
    gone = model.Hit(id=patient_id(77), score=90)
    assert list(model.hits_after(ranked, place=gone)) == ranked[1:]


def test_a_place_among_the_hits_comes_from_a_cursor():
    assert model.hit_at(None) is None
    assert model.hit_at((90, str(patient_id(1)))) == model.Hit(id=patient_id(1), score=90)
    for other in ((90, "x"), ("90", str(patient_id(1))), (1,), ()):
        with pytest.raises(Malformed):
            model.hit_at(other)

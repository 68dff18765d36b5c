"""Names in any script: kept as written, compared without what nobody types."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.patients.model import names


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Ångström", "angstrom"),
        ("A\u030angstro\u0308m", "angstrom"),
        ("STRAẞE", "strasse"),
        ("Łukasz Ødegård", "lukasz odegard"),
        ("İstanbul", "istanbul"),
        ("Ｊｏｈｎ", "john"),
        ("Йовков", "йовков"),
        ("ЙОВКОВ", "йовков"),
        ("Παπαδόπουλος", "παπαδόπουλοσ"),
        ("محمد", "محمد"),
        ("山田", "山田"),
        ("ｶﾞ", "ガ"),
    ],
)
def test_latin_loses_its_accents_and_other_scripts_keep_their_marks(written, compared):
    assert names.fold(written) == compared


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("O'Brien", ("obrien",)),
        ("O\u2019Brien", ("obrien",)),
        ("Anne-Marie", ("anne", "marie")),
        ("van der Berg", ("van", "der", "berg")),
        ("  ", ()),
        ("می\u200cخواهم", ("میخواهم",)),
    ],
)
def test_words_of_a_name(name, words):
    assert names.words(name) == words


def test_hyphenated_names_are_found_written_together_too():
    assert names.words_for_index("Anne-Marie", None, "Smith") == ("anne", "marie", "annemarie", "smith")


@pytest.mark.parametrize(
    ("word", "unspaced"),
    [("山田", True), ("さくら", True), ("김철수", True), ("สมชาย", True), ("иван", False), ("ann", False)],
)
def test_scripts_without_blanks_are_known(word, unspaced):
    assert names.is_unspaced(word) is unspaced


@pytest.mark.parametrize("name", ["\u200b", "\u3164", "\u0301", "\u2060\u200d"])
def test_what_cannot_be_seen_is_no_name(name):
    assert not names.is_visible(name)


@pytest.mark.parametrize("name", ["a\x00b", "a\u202eb", "a\u2066b", "a\ud800b", "a\x7f"])
def test_control_and_direction_characters_are_not_plain(name):
    assert not names.is_plain(name)


@given(st.text(max_size=200))
def test_a_tidy_name_is_composed_and_stays_as_it_is(text):
    tidied = names.tidy(text)
    assert unicodedata.is_normalized("NFC", tidied)
    assert names.tidy(tidied) == tidied


@given(st.text(max_size=200))
def test_both_forms_of_the_same_text_compare_equal(text):
    assert names.words(unicodedata.normalize("NFC", text)) == names.words(unicodedata.normalize("NFD", text))


@given(st.text(max_size=200))
def test_words_hold_nothing_but_letters_marks_and_digits(text):
    for word in names.words(text):
        assert 0 < len(word) <= names.LONGEST_WORD
        assert all(unicodedata.category(each)[0] in "LMN" for each in word)

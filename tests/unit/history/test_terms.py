"""Codes have the form of their system, and dates are as exact as they are known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.history.model import terms
from services.history.model.terms import Term, date_errors, is_before, term_errors

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ALL = frozenset({*terms.SUBSTANCES, *terms.MANIFESTATIONS, *terms.CONDITIONS})


def rules(term, systems=ALL):
    """The rules that a term breaks, with where."""
    return [(each.rule, each.pointer) for each in term_errors(term, systems=systems, pointer="/x")]


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (terms.ICD_10, "E11"),
        (terms.ICD_10, "E11.9"),
        (terms.ICD_10, "U07.1"),
        (terms.ICD_10_CM, "S52.521A"),
        (terms.ICD_10_CM, "Z3A.20"),
        (terms.ICD_11, "5A11"),
        (terms.ICD_11, "BA00.Z"),
        (terms.SNOMED_CT, "764146007"),
        (terms.SNOMED_CT, "73211009"),
        (terms.SNOMED_CT, "716186003"),
        (terms.SNOMED_CT, "999999990989121104"),
        (terms.RXNORM, "7980"),
        (terms.ATC, "J01CE01"),
        (terms.ATC, "J01"),
        (terms.UNII, "Q42T66VG0C"),
    ],
)
def test_a_code_in_the_form_of_its_system_is_taken(system, code):
    assert rules(Term(display="x", system=system, code=code)) == []


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (terms.ICD_10, "e11.9"),
        (terms.ICD_10, "E1"),
        (terms.ICD_10, "E11."),
        (terms.ICD_10, "E11.9 "),
        (terms.ICD_10, "E11.9\n"),
        (terms.ICD_10, "11E"),
        (terms.ICD_10, "\u0415\u0661\u0661"),
        (terms.ICD_10_CM, "S52.52100A"),
        (terms.ICD_11, "5O11"),
        (terms.ICD_11, "5A"),
        (terms.SNOMED_CT, "764146008"),
        (terms.SNOMED_CT, "746146007"),
        (terms.SNOMED_CT, "12345"),
        (terms.SNOMED_CT, "0764146007"),
        (terms.RXNORM, "123456789"),
        (terms.ATC, "J01CE0"),
        (terms.ATC, "E01"),
        (terms.UNII, "Q42T66VG0"),
    ],
)
def test_a_code_that_cannot_be_one_of_its_system_is_refused(system, code):
    assert rules(Term(display="x", system=system, code=code)) == [("code_format", "/x/code")]


def test_a_code_and_its_system_go_together():
    assert rules(Term(display="x", code="E11")) == [("code_and_system_together", "/x/system")]
    assert rules(Term(display="x", system=terms.ICD_10)) == [("code_and_system_together", "/x/code")]
    assert rules(Term(display="x")) == []


def test_a_system_that_does_not_fit_the_place_is_refused():
    term = Term(display="x", system=terms.ICD_10, code="E11")
    assert rules(term, terms.SUBSTANCES) == [("code_system_not_used_here", "/x/system")]


def test_every_system_has_a_form():
    assert set(terms._FORMS) == ALL


@given(st.integers(min_value=0, max_value=7), st.integers(min_value=1, max_value=9))
def test_one_wrong_digit_of_a_snomed_code_shows(place, by):
    """What a check digit is for: any single digit that was mistyped."""
    code = "764146007"
    wrong = code[:place] + str((int(code[place]) + by) % 10) + code[place + 1 :]
    assert not terms._is_sctid(wrong)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (None, None),
        ("2019", None),
        ("2024-02-29", None),
        ("2026-03-02", None),
        ("2026", None),
        ("2026-12", "not_in_future"),
        ("2027", "not_in_future"),
        ("2026-03-03", "not_in_future"),
        ("2023-02-29", "date"),
        ("2023-04-31", "date"),
    ],
)
def test_a_date_is_a_day_that_has_begun_somewhere(text, rule):
    """A year that has begun may be meant; a month that has not cannot."""
    assert [each.rule for each in date_errors(text, at=AT, pointer="/onset")] == ([rule] if rule else [])


def test_a_day_that_has_begun_east_of_here_is_not_in_the_future():
    late = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
    assert date_errors("2026-03-03", at=late, pointer="/onset") == []


@pytest.mark.parametrize(
    ("one", "other", "before"),
    [
        ("2018", "2019", True),
        ("2019", "2019-05", False),
        ("2019-04", "2019-05-01", True),
        ("2019-05", "2019-05-31", False),
        ("2020", "2019", False),
    ],
)
def test_a_partial_date_is_before_another_only_when_it_is_surely_over(one, other, before):
    assert is_before(one, other) is before

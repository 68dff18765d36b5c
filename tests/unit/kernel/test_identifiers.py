"""Ids are ordered by time; a check digit shows every slip of one digit and every swap of neighbours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.identifiers import check_digit, is_checked, uuid7

NUMBERS = st.text("0123456789", min_size=1, max_size=12)
MOMENTS = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2500, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.binary(min_size=10, max_size=10))
def test_an_id_says_its_version_variant_and_millisecond(at: datetime, randomness: bytes) -> None:
    made = uuid7(at, randomness)
    assert (made.version, str(made)[19] in "89ab") == (7, True)
    assert made.int >> 80 == int(at.timestamp() * 1000)


@given(MOMENTS, st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_later_ids_sort_after_earlier_ones(at: datetime, one: bytes, other: bytes) -> None:
    assert uuid7(at, one) < uuid7(at + timedelta(milliseconds=2), other)


def test_an_id_wants_a_zone_and_ten_bytes() -> None:
    with pytest.raises(ValueError, match="zone"):
        uuid7(datetime(2026, 1, 1), b"0" * 10)  # noqa: DTZ001
    with pytest.raises(ValueError, match="10 bytes"):
        uuid7(datetime(2026, 1, 1, tzinfo=UTC), b"0")


def test_the_check_digit_is_that_of_the_published_example() -> None:
    assert check_digit("572") == "4"
    assert is_checked("5724")


@given(NUMBERS, st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_shows(number: str, place: int, by: int) -> None:
    whole = number + check_digit(number)
    place %= len(whole)
    wrong = whole[:place] + str((int(whole[place]) + by) % 10) + whole[place + 1 :]
    assert is_checked(whole)
    assert not is_checked(wrong)


@given(NUMBERS, st.integers(0, 12))
def test_two_neighbours_swapped_show(number: str, place: int) -> None:
    whole = number + check_digit(number)
    place %= len(whole) - 1
    swapped = whole[:place] + whole[place + 1] + whole[place] + whole[place + 2 :]
    assert is_checked(swapped) == (swapped == whole)


@pytest.mark.parametrize("text", ["", "4", "12a", "٣٤", " 5724", "-5724"])
def test_what_is_no_number_is_not_checked(text: str) -> None:
    assert not is_checked(text)


@pytest.mark.parametrize("text", ["", "1a", "٣"])
def test_a_check_digit_is_made_for_ascii_digits_only(text: str) -> None:
    with pytest.raises(ValueError, match="not digits"):
        check_digit(text)

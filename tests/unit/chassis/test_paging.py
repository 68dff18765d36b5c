"""Cursors: a walk over pages gives the whole list, and a cursor belongs to its list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.paging import cut, page
from services.kernel.errors import Malformed


@given(st.sets(st.integers(0, 10_000), max_size=60), st.integers(1, 20))
def test_walking_the_pages_gives_every_item_once_and_in_order(numbers: set[int], limit: int) -> None:
    rows = sorted(numbers)
    seen: list[int] = []
    cursor = None
    for _ in range(len(rows) + 2):
        asked = page(cursor, limit=limit, of=("numbers",))
        rest = [row for row in rows if asked.after is None or row > asked.after[0]]
        items, cursor = cut(rest[: limit + 1], limit=limit, keys=lambda row: [row], of=("numbers",))
        seen += items
        if cursor is None:
            break
    assert seen == rows


@pytest.mark.parametrize("cursor", ["x", "AAAA", "W10", "bnVsbA", "WyJhIiwxXQ", "é"])
def test_what_is_no_cursor_is_refused_by_the_name_of_the_parameter(cursor: str) -> None:
    with pytest.raises(Malformed) as raised:
        page(cursor, limit=5, of=("numbers",))
    assert [each.parameter for each in raised.value.errors] == ["cursor"]


def test_a_cursor_of_another_list_or_filter_does_not_count() -> None:
    _, cursor = cut([1, 2], limit=1, keys=lambda row: [row], of=("numbers", "odd"))
    assert page(cursor, limit=1, of=("numbers", "odd")).after == (1,)
    with pytest.raises(Malformed):
        page(cursor, limit=1, of=("numbers", "even"))

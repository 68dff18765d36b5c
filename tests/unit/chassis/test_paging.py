"""Cursors: a walk over pages gives the whole list, and a cursor belongs to its list."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.paging import Page, cut, page
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


def test_a_list_in_the_order_of_its_ids_goes_on_after_an_id() -> None:
    last = UUID("01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20")
    assert Page(5).after_id is None
    assert Page(5, (str(last),)).after_id == last


@pytest.mark.parametrize("keys", [(), ("x",), (None,), (7,), ("01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20", 1), ({},)])
def test_a_cursor_that_was_written_by_hand_is_refused(keys: tuple[object, ...]) -> None:
    with pytest.raises(Malformed) as raised:
        _ = Page(5, keys).after_id
    assert [each.parameter for each in raised.value.errors] == ["cursor"]

"""Rows as CSV: read back as they were, and nothing that a spreadsheet calculates."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import comma_separated

FORMULAS = tuple("=+-@\t\r\n＝＋－＠")
# Any text that can be written as UTF-8; the reader of the standard library gives up at NUL.
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
BEGINNINGS = st.sampled_from([*FORMULAS, " =", "\u00a0@", "  \t+", '"', "'", ";", ",", ""])


def read(parts: list[bytes]) -> list[list[str]]:
    """The rows as a reader of RFC 4180 gets them."""
    return list(csv.reader(io.StringIO(b"".join(parts).decode("utf-8-sig"), newline="")))


@given(st.lists(st.lists(st.tuples(BEGINNINGS, CELLS).map("".join), min_size=2, max_size=4), max_size=5))
def test_every_cell_comes_back_and_none_is_a_formula(rows):
    width = 4
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    _, *found = read(list(comma_separated.written(["a", "b", "c", "d"], padded)))
    assert len(found) == len(padded)
    for written, given_ in zip(found, padded, strict=True):
        for cell, original in zip(written, given_, strict=True):
            assert cell in {original, f"'{original}"}
            assert not cell.startswith(FORMULAS)
            assert not cell.lstrip().startswith(FORMULAS)


@pytest.mark.parametrize("sign", FORMULAS)
def test_each_sign_of_a_formula_is_made_harmless_also_behind_blanks(sign):
    behind = [f" {sign}cmd|' /C calc'!A0", f"\u3000{sign}x"] if sign.strip() else []
    for cell in (f"{sign}1+1", *behind):
        assert comma_separated.harmless(cell) == f"'{cell}"


def test_numbers_empty_cells_and_usual_words_stay():
    rows = [["Dr. Ada Example", 17, None, "a=b", "2026-03-02", "5-3", "O'Neill"]]
    assert read(list(comma_separated.written(["n"] * 7, rows)))[1] == [
        "Dr. Ada Example", "17", "", "a=b", "2026-03-02", "5-3", "O'Neill",
    ]  # fmt: skip


def test_a_file_begins_with_the_mark_and_ends_each_line_as_the_standard_says():
    raw = b"".join(
        comma_separated.written(["day", "name"], [["2026-03-02", 'a "b", c'], ["2026-03-03", "zwei\nZeilen"]])
    )
    assert raw == '\ufeffday,name\r\n2026-03-02,"a ""b"", c"\r\n2026-03-03,"zwei\nZeilen"\r\n'.encode()


def test_many_rows_come_in_parts_and_none_is_lost():
    rows = [[f"row {n}", "x" * 100] for n in range(5000)]
    parts = list(comma_separated.written(["name", "rest"], iter(rows)))
    assert len(parts) > 5
    assert all(len(part) < 70_000 for part in parts)
    assert read(parts)[1:] == rows

"""Rows as CSV for people with a spreadsheet: RFC 4180, UTF-8 with a byte order mark, and no cell that is a formula.

Without the mark a spreadsheet takes UTF-8 for the code page of its machine. What begins like a formula is calculated,
whoever has written it: such a cell begins with an apostrophe here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

MEDIA_TYPE: Final = "text/csv"
_MARK: Final = b"\xef\xbb\xbf"
_PART: Final = 64 * 1024
# OWASP, CSV Injection: these, also in their full-width forms, where a spreadsheet takes them for the same.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
Cell = str | int | None


def written(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """A line of names and the rows, in parts of 64 KiB and a little more."""
    yield _MARK
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([harmless(each) for each in names])
    for row in rows:
        writer.writerow([harmless(each) for each in row])
        if text.tell() >= _PART:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def harmless(cell: Cell) -> Cell:
    """The same, or behind an apostrophe where a spreadsheet would take it for a formula.

    Blanks before it are looked over. A number is one that was counted here, and stays.
    """
    if isinstance(cell, str) and (cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA)):
        return f"'{cell}"
    return cell

"""The tables of docs/administration.md: what an administrator does, by which operation, and which one shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.contract.contracts import OPENAPI

PAGE = OPENAPI.parent / "docs" / "administration.md"
_ROW = re.compile(r"\| (?P<matter>[^|`]+) \| `(?P<operation>\w+)` \| `(?P<call>[^`]+)` \| `(?P<shown_by>\w+)` \|")


@dataclass(frozen=True)
class Row:
    """One thing to do."""

    matter: str
    operation: str
    call: str
    shown_by: str


ROWS = [
    Row(**found.groupdict()) for found in map(_ROW.fullmatch, PAGE.read_text(encoding="utf-8").splitlines()) if found
]

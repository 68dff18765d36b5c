"""Whatever an administrator has to do is done on a page."""

from __future__ import annotations

import ast
from pathlib import Path

from frontend.words import HERE
from tests.contract.administered import ROWS


def called() -> tuple[set[str], set[str]]:
    """Texts that stand in the controllers, and how those begin that are put together there."""
    whole: set[str] = set()
    begun: set[str] = set()
    for path in sorted(Path(HERE, "controllers").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begun.add(str(node.values[0].value))
    return whole, begun


def test_every_job_of_the_administration_has_a_page():
    """`create_facility` is called by its name, or as `create_` and `facility`."""
    whole, begun = called()
    missing = [
        row.operation
        for row in ROWS
        if row.operation not in whole
        and not any(row.operation.startswith(each) and row.operation.removeprefix(each) in whole for each in begun)
    ]
    assert missing == []

"""What may be offered can be done: permissions beside a change are those of the operations behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import pages

CONTRACT = Path(__file__).parents[3] / "openapi" / "permissions.yaml"
ROLES: dict[str, Any] = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["roles"]
PATIENTS_OWN = {"mine.hold", "mine.send_book"}
"""Shown to patients alone; they book or ask, by what one may."""
SYSTEM = [name for name, role in ROLES.items() if name not in {"super_admin", "first_sign_in", "service"}]


@pytest.mark.parametrize("role", SYSTEM)
def test_no_role_is_offered_what_an_operation_behind_it_refuses(role: str) -> None:
    may = set(ROLES[role]["permissions"])
    offered = [name for name, _ in pages.every("POST") if pages.NEEDED[name] and set(pages.NEEDED[name]) <= may]
    offered = [name for name in offered if role == "patient" or name not in PATIENTS_OWN]
    assert offered
    assert {name: pages.missing(name, may) for name in offered if pages.missing(name, may)} == {}


def test_operations_behind_a_change_are_found_in_what_it_calls_and_in_tables() -> None:
    assert [each.operation_id for each in pages.changes("closures.remove")] == ["remove_closure"]
    assert {each.operation_id for each in pages.changes("history.add", tables=True)} >= {"add_allergy", "add_problem"}

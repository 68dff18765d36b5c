"""Permissions and roles of the contract all have words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from frontend.rights import AREAS, RIGHTS, ROLES, grouped

CONTRACT = Path(__file__).parents[3] / "openapi" / "permissions.yaml"


def contract() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    return read


def test_every_permission_of_the_contract_has_a_sentence_and_no_other() -> None:
    assert set(RIGHTS) == set(contract()["permissions"])


def test_every_permission_belongs_to_an_area_with_a_title() -> None:
    assert {name.partition(".")[0] for name in RIGHTS} == set(AREAS)


def test_every_role_of_the_system_has_its_title_and_its_description() -> None:
    assert {name: (role["title"], role["description"]) for name, role in contract()["roles"].items()} == dict(ROLES)


def test_permissions_are_grouped_in_the_order_of_the_contract() -> None:
    assert grouped(["audit.read", "account.own", "account.open"]) == [
        ("account", ["account.open", "account.own"]),
        ("audit", ["audit.read"]),
    ]


def test_a_permission_that_nobody_knows_comes_last() -> None:
    assert grouped(["beds.clean", "audit.read"]) == [("audit", ["audit.read"]), ("beds", ["beds.clean"])]

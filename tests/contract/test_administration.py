"""What only administrators may do stands in the page on administration, as the contracts have it."""

from __future__ import annotations

import pytest

from services.chassis import spec
from tests.contract.administered import ROWS, Row
from tests.contract.contracts import OPENAPI, OPERATIONS

KNOWN = {each.operation_id: each for each in OPERATIONS}
CHANGES = {"create", "update", "delete", "sign_out"}


def administrative() -> set[str]:
    """Changes that `admin` may make, and those that nobody but the super admin may; one's own account apart."""
    document = spec.permissions(OPENAPI)
    roles = document["roles"]
    admin = {each for each in roles["admin"]["permissions"] if not each.startswith("account.")}
    others = {each for name, role in roles.items() if name != "super_admin" for each in role["permissions"]}
    rights = admin | (set(document["permissions"]) - others)
    return {each.operation_id for each in OPERATIONS if each.permission in rights and each.audit in CHANGES}


def test_nothing_that_only_administrators_may_do_is_missing_and_nothing_stands_twice():
    named = [row.operation for row in ROWS]
    assert administrative() - set(named) == set()
    assert sorted(named) == sorted(set(named))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation)
def test_a_row_is_as_the_contract_has_it(row: Row):
    operation = KNOWN[row.operation]
    assert row.call == f"{operation.method} {operation.path}"
    assert row.shown_by in KNOWN
    assert row.matter == row.matter.strip()

"""Generated requests of people who are not signed in. The gateway takes few changes of them in a second, so most of the
time is waiting, which is why they stand apart.
"""

from __future__ import annotations

import pytest

from services.chassis.spec import Operation
from tests.contract.contracts import OPERATIONS, named
from tests.system import fuzzing


@pytest.mark.row("API-01")
@pytest.mark.target("C-28")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.is_public], ids=named)
def test_generated_requests_to_what_is_public_break_nothing_and_get_documented_answers(
    house, visit, admin, tokens, rounds, operation: Operation
):
    examples = rounds(full=fuzzing.FULL, short=fuzzing.SHORT)
    with fuzzing.waits_end(admin):
        statuses = fuzzing.fuzz(operation, house=house, visit=visit, tokens=tokens, examples=examples)
    assert statuses["limit"] <= statuses.total() / 2, f"too often, so nothing was tried: {statuses}"

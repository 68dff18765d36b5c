"""Generated requests of people who are signed in, through the gateway of the running house: nothing breaks, and no
answer is undocumented.
"""

from __future__ import annotations

import pytest

from services.chassis.spec import Operation
from tests.contract.contracts import OPERATIONS, named
from tests.system import fuzzing


@pytest.mark.row("API-01")
@pytest.mark.target("C-28")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("operation", [each for each in OPERATIONS if not each.is_public], ids=named)
def test_generated_requests_break_nothing_and_get_documented_answers(
    house, visit, admin, tokens, rounds, operation: Operation
):
    examples = rounds(full=fuzzing.FULL, short=fuzzing.SHORT)
    with fuzzing.waits_end(admin):
        statuses = fuzzing.fuzz(operation, house=house, visit=visit, tokens=tokens, examples=examples)
    if operation.operation_id not in fuzzing.ENDS_ITSELF:  # a third of the wrong requests spoil the token
        # Where there is nothing else to spoil every wrong one does, which by chance are nearly all.
        tried = statuses.total() - statuses["door"] - statuses["limit"]
        assert tried >= statuses.total() / 10, f"refused at the door, so nothing was tried: {statuses}"

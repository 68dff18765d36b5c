"""Every row of docs/administration.md, done by the super admin through the gateway, and its effect read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.testing import Got
from tests.contract.administered import ROWS, Row
from tests.contract.contracts import OPERATIONS
from tests.contract.journey import MADE_BY
from tests.system.visit import Visit
from tests.waiting import wait_for

KNOWN = {each.operation_id: each for each in OPERATIONS}
NEW = {each.operation_id for each in OPERATIONS if each.audit == "create"} | {"set_doctor_photo"}
# By which names addresses know what an operation makes.
CALLED = {made: [name for name, (maker, _) in MADE_BY.items() if maker == made] for made, _ in MADE_BY.values()} | {
    "create_role": ["role_name"]
}
# What shows a new thing by its id, or a list of such; the others show by working.
SHOW_BY_ID = {row.shown_by for row in ROWS} - {"activate_account", "get_doctor_photo"}
# Lists that are asked about one thing.
ASKED_ABOUT = {"list_record_links": "patient_id"}


def somebody_signed_in(visit: Visit) -> None:
    """Who is thrown out is somebody who is in."""
    visit.made["user_id"] = visit.account["id"]


def somebody_with_a_second_factor(visit: Visit) -> None:
    visit.made["user_id"] = visit.enrolled["id"]


BEFORE: dict[str, Callable[[Visit], None]] = {
    "end_user_sessions": somebody_signed_in,
    "reset_second_factor": somebody_with_a_second_factor,
}


def read(visit: Visit, row: Row) -> Got:
    """What shows the effect, as it is now."""
    query = {ASKED_ABOUT[row.shown_by]: visit.need(ASKED_ABOUT[row.shown_by])} if row.shown_by in ASKED_ABOUT else None
    return visit.perform(row.shown_by, query=query)


def make_ready(visit: Visit, row: Row) -> None:
    """All that the row acts on is there."""
    BEFORE.get(row.operation, lambda _: None)(visit)
    visit.prepare(row.operation)
    for each in KNOWN[row.operation].parameters:
        if each["in"] == "path":
            visit.need(each["name"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation)
def test_the_super_admin_does_it_without_a_shell_and_sees_what_came_of_it(visit: Callable[[], Visit], row: Row):
    here = visit()
    make_ready(here, row)
    before = None if row.operation in NEW else seen(read(here, row))
    done = here.perform(row.operation)
    assert 200 <= done.status < 300, done.body
    if before is not None:
        wait_for(lambda: seen(read(here, row)) != before, within_s=5, what="it shows")
        return
    made = done.body or {}
    known_by = made.get("id") or made.get("name")
    here.made |= {name: str(known_by) for name in CALLED.get(row.operation, [])}
    after = read(here, row)
    assert after.status < 300, after.body
    assert row.shown_by not in SHOW_BY_ID or known_by in texts(after.body)


def seen(got: Got) -> tuple[int, bytes]:
    """What an answer shows; the id of its request is another one each time."""
    return got.status, b"" if got.status >= 400 else got.raw


def texts(body: Any) -> set[Any]:
    """Every value in an answer, ids among them."""
    if isinstance(body, dict):
        return {found for each in body.values() for found in texts(each)}
    if isinstance(body, list):
        return {found for each in body for found in texts(each)}
    return {body}

"""Beside a change stands who made it: a colleague by name, a patient only as one."""

from __future__ import annotations

import pytest

from tests.integration.frontend.conftest import ACCOUNT, problem

RECORD = "01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b30"
COLLEAGUE, GUARDIAN, GONE = (f"01939c3e-0000-7000-8000-00000000000{number}" for number in (1, 2, 3))
CALLED = [
    {"id": COLLEAGUE, "kind": "staff", "display_name": "Karim Colleague"},
    {"id": GUARDIAN, "kind": "patient", "display_name": None},
]


@pytest.fixture
def record(hospital):
    """A record that three accounts have changed."""
    by = {"family_name": COLLEAGUE, "language": GUARDIAN, "zone": GONE}
    at = {"at": "2026-03-02T08:15:00Z", "version": 2, "old": "a", "new": "b"}
    changes = [{**at, "field": field, "by": account} for field, account in by.items()]
    hospital.on("GET", f"/api/v1/patients/{RECORD}/changes", 200, {"items": changes, "next_cursor": None})
    hospital.on("GET", "/api/v1/user-names", 200, {"items": CALLED, "next_cursor": None})


def rows(browser):
    """What stands at the end of each row."""
    page = browser.get(f"/patients/{RECORD}/changes", **{"HX-Request": "true"}).text
    return [row.rpartition("<td>")[2].partition("</td>")[0] for row in page.split("</tr>")[:3]]


def test_who_changed_a_record_is_told_by_name_and_of_a_patient_only_that_it_was_one(browser, hospital, record):
    browser.sign_in(hospital, permissions=[*ACCOUNT["permissions"], "users.name"])
    assert rows(browser) == ["Karim Colleague", "a patient or guardian", "–"]


@pytest.mark.parametrize("status", [403, 503])
def test_a_history_is_shown_without_names_while_nobody_tells_them(browser, hospital, record, status):
    hospital.on("GET", "/api/v1/user-names", status, problem(status, "not_allowed"))
    browser.sign_in(hospital, permissions=[*ACCOUNT["permissions"], "users.name"])
    assert rows(browser) == ["–", "–", "–"]


def test_who_may_not_know_names_does_not_ask_for_them(browser, hospital, record):
    browser.sign_in(hospital)
    assert rows(browser) == ["–", "–", "–"]
    assert "/api/v1/user-names" not in [path for _, path, *_ in hospital.asked]

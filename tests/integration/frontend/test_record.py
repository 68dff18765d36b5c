"""A patient's page while a part of the house is away: the rest stands, and what is unknown is not taken for none."""

from __future__ import annotations

import pytest

from tests.integration.frontend.conftest import ACCOUNT, PATIENT, RECORD, problem

READS = ["patients.read", "history.read", "appointments.read"]
CANNOT = "This cannot be read now."
EMPTY = {"items": [], "next_cursor": None}
PARTS = {
    "allergies": {**EMPTY, "asked": "none_known"},
    "problems": EMPTY,
    "appointments": EMPTY,
}


@pytest.fixture
def page(browser, hospital):
    """The page of a record while some of its parts are refused or away."""
    browser.sign_in(hospital, permissions=[*ACCOUNT["permissions"], *READS])
    hospital.on("GET", f"/api/v1/patients/{RECORD}", 200, {**PATIENT, "standing": "active"})

    def opened(status: int, code: str, *parts: str) -> str:
        for name, body in PARTS.items():
            answer = (status, problem(status, code)) if name in parts else (200, body)
            hospital.on("GET", f"/api/v1/patients/{RECORD}/{name}", *answer)
        got = browser.get(f"/patients/{RECORD}")
        assert got.status_code == 200
        assert "Unlikely" in got.text
        return got.text

    return opened


def test_allergies_that_cannot_be_read_are_not_taken_for_none(page):
    text = page(503, "unavailable", "allergies", "problems")
    assert "Allergies cannot be read now" in text
    assert text.count(CANNOT) == 2
    assert "None known" not in text
    assert "No known allergies" not in text
    assert "None on the list" not in text


def test_a_record_is_read_while_its_appointments_are_away(page):
    text = page(503, "unavailable", "appointments")
    assert text.count(CANNOT) == 1
    assert "No known allergies" in text


def test_a_part_that_is_refused_is_not_shown_as_empty(page):
    text = page(403, "forbidden", *PARTS)
    assert CANNOT not in text
    for heading in ("Allergies", "Problems", "Appointments"):
        assert f"<h2>{heading}</h2>" not in text

"""What is dangerous asks for the second factor once more, and goes on with what was sent."""

from __future__ import annotations

import pytest

from tests.integration.frontend.conftest import ACCOUNT, GIVEN, problem

ROLE = "/api/v1/roles/nurse"
RIGHTS = [*ACCOUNT["permissions"], "roles.read", "roles.manage"]
CHANGE = {"requires_second_factor": "true", "_key": "0198-of-the-form", "_version": "4"}


@pytest.fixture
def asked(browser, hospital):
    """Somebody has sent a change that wants the second factor, and is asked for it."""
    browser.sign_in(hospital, permissions=RIGHTS, roles=["admin"], second_factor=True)
    hospital.on("PATCH", ROLE, 403, problem(403, "step_up_required"))
    got = browser.post("/roles/nurse/second-factor", {**CHANGE, "_csrf": browser.csrf("/account/password")})
    assert (got.status_code, got.location) == (303, "/step-up")
    return browser


def test_after_the_code_the_same_form_is_sent(asked, hospital):
    hospital.on("POST", "/api/v1/sessions/current/second-factor", 201, GIVEN)
    assert asked.post("/step-up", {"code": "123 456", "_csrf": asked.csrf("/step-up")}).location == "/step-up/go-on"
    shown = asked.get("/step-up/go-on").text
    assert 'action="/roles/nurse/second-factor"' in shown
    for name, value in CHANGE.items():
        assert f'name="{name}" value="{value}"' in shown


def test_a_wrong_code_asks_again_and_forgets_nothing(asked, hospital):
    hospital.on("POST", "/api/v1/sessions/current/second-factor", 401, problem(401, "second_factor_refused"))
    got = asked.post("/step-up", {"code": "000000", "_csrf": asked.csrf("/step-up")})
    assert got.status_code == 401
    assert "does not fit" in got.text
    hospital.on("POST", "/api/v1/sessions/current/second-factor", 201, GIVEN)
    assert asked.post("/step-up", {"code": "123456", "_csrf": asked.csrf("/step-up")}).location == "/step-up/go-on"


def test_whose_work_wants_a_code_that_this_session_has_not_shown_is_asked_before_anything_else(browser, hospital):
    browser.sign_in(hospital, permissions=["account.open"], roles=["admin"], second_factor=True)
    assert browser.get("/").location == "/account/second-factor"
    assert browser.get("/account/second-factor").location == "/step-up"
    assert browser.get("/step-up").status_code == 200

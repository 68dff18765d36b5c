"""Records are taken out of use by one, and brought back by another who need not see them."""

from __future__ import annotations

import pytest

from tests.integration.frontend.conftest import ACCOUNT, PATIENT, RECORD


@pytest.fixture
def stands(hospital):
    """A record that stands so from now on."""

    def so(standing: str) -> None:
        hospital.on("GET", f"/api/v1/patients/{RECORD}", 200, {**PATIENT, "standing": standing})
        known = {"id": RECORD, "standing": standing, "merged_into": None, "version": 3}
        hospital.on("GET", f"/api/v1/patients/{RECORD}/standing", 200, known)

    return so


def test_who_takes_records_out_of_use_is_told_who_brings_them_back(browser, hospital, stands):
    browser.sign_in(hospital, permissions=[*ACCOUNT["permissions"], "patients.deactivate"])
    stands("active")
    assert "Take out of use" in browser.get(f"/standing/{RECORD}").text
    hospital.on("DELETE", f"/api/v1/patients/{RECORD}", 200, {**PATIENT, "standing": "inactive"})
    form = {"reason": "moved_away", "_version": "3", "_csrf": browser.csrf(f"/standing/{RECORD}")}
    assert browser.post(f"/standing/{RECORD}/deactivate", form).location == f"/standing/{RECORD}"
    sent = next(headers for method, _, headers, _ in hospital.asked if method == "DELETE")
    assert sent["if-match"] == '"3"'
    stands("inactive")
    page = browser.get(f"/standing/{RECORD}").text
    assert "Take out of use" not in page
    assert f"/standing/{RECORD}/back" in page


def test_a_record_is_brought_back_by_somebody_who_sees_nothing_of_the_person(browser, hospital, stands):
    browser.sign_in(hospital, permissions=["account.open", "account.own", "facilities.read", "patients.restore"])
    stands("inactive")
    page = browser.get(f"/standing/{RECORD}/back").text
    assert "Unlikely" not in page
    hospital.on("POST", f"/api/v1/patients/{RECORD}/restore", 200, {**PATIENT, "standing": "active"})
    form = {"_version": "3", "_csrf": browser.csrf(f"/standing/{RECORD}/back")}
    assert browser.post(f"/standing/{RECORD}/back", form).location == f"/standing/{RECORD}/back"
    assert ("GET", f"/api/v1/patients/{RECORD}") not in [(method, path) for method, path, *_ in hospital.asked]

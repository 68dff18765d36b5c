"""An auditor: who did what, whose record it was, and all of it as a file."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import expect

from tests.browser import deeds
from tests.waiting import wait_for


def test_the_trail_is_searched_by_person_and_taken_along_and_is_whole(tab):
    desk, auditor = tab("receptionist"), tab("auditor")
    deeds.registered(desk, deeds.a_name("Seen"))
    patient = deeds.id_of(desk)
    page = auditor.page
    auditor.goto("/audit")
    deeds.fits(auditor)

    def is_written() -> bool:
        page.locator("#f-patient_id").fill(f"{auditor.home}/patients/{patient}")
        deeds.send_named(auditor, "Search")
        page.wait_for_load_state("networkidle")
        return page.locator("#found tbody tr").count() > 1

    wait_for(is_written, within_s=60, what="the entry stands in the trail")
    expect(page.locator("#found")).to_contain_text("Demo receptionist")
    expect(page.locator("#found")).to_contain_text("register patient")
    deeds.fits(auditor)

    with page.expect_download() as taken:
        page.get_by_role("button", name="For a spreadsheet (CSV)").click()
    rows = list(csv.reader(Path(taken.value.path()).read_text(encoding="utf-8").splitlines()))
    assert len(rows) > 2
    assert "register_patient" in str(rows)

    page.get_by_role("link", name="this record").first.click()
    expect(page.get_by_role("heading", name="Who opened this record")).to_be_visible()
    expect(page.locator("tbody tr", has_text="Receptionist").first).to_be_visible()
    assert page.locator(".patient").count() == 0, "an auditor sees no medical record"
    deeds.fits(auditor)

    auditor.goto("/audit/check")
    deeds.send_named(auditor, "Check them")
    expect(page.get_by_role("status").filter(has_text="Nothing is wrong")).to_be_focused()
    deeds.fits(auditor)

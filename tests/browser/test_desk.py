"""The receptionist's day: register, book in four clicks, move, cancel; and the same by keyboard alone."""

from __future__ import annotations

import re
import secrets

import pytest
from playwright.sync_api import expect

from tests.browser.tabs import DESKTOP, PHONE, Tab

BOOKED = re.compile("Booked for")


def registered(desk: Tab, family_name: str) -> None:
    """A new patient, by the form."""
    page = desk.page
    desk.goto("/patients/new")
    page.get_by_label("Family name").fill(family_name)
    page.get_by_label("Given name").fill("Mira")
    page.locator("#f-administrative_gender").select_option("female")
    page.locator("#f-birth_date").fill("1984-11-05")
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator(".patient-name")).to_contain_text(family_name)


def book(desk: Tab) -> int:
    """From a patient's page to an appointment; how many clicks that were."""
    page = desk.page
    page.locator(".head-actions a", has_text="Book").click()
    page.locator("#f-appointment_type_id").select_option(index=1)
    page.locator("#f-specialization_id").select_option(index=1)
    page.locator(".place").nth(5).click()
    page.locator("main button", has_text="Book").click()
    expect(page.get_by_text(BOOKED)).to_be_visible()
    return 3  # and two choices from lists


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_patient_is_registered_booked_moved_and_cancelled(tab, size):
    desk, name = tab("receptionist", size=size), f"Desk{secrets.token_hex(3)}"
    page = desk.page
    registered(desk, name)
    assert book(desk) <= 4
    page.locator(".head-actions a", has_text="Move").click()
    page.locator(".place").nth(9).click()
    page.locator("main button", has_text="Move").click()
    expect(page.get_by_text(re.compile("Moved to"))).to_be_visible()
    page.locator("#f-reason_code").select_option("patient_request")
    page.locator("button", has_text="Cancel the appointment").click()
    expect(page.get_by_text("The appointment is cancelled.")).to_be_visible()


def test_of_two_desks_one_gets_the_place_and_the_other_is_told_what_is_free(tab):
    one, two = tab("receptionist"), tab("receptionist")
    for each, name in ((one, "First"), (two, "Second")):
        registered(each, f"{name}{secrets.token_hex(3)}")
        page = each.page
        page.locator(".head-actions a", has_text="Book").click()
        page.locator("#f-appointment_type_id").select_option(index=1)
        page.locator("#f-specialization_id").select_option(index=1)
        expect(page.locator(".place").nth(20)).to_be_visible()
    one.page.locator(".place").nth(20).click()
    one.page.locator("main button", has_text="Book").click()
    expect(one.page.get_by_text(BOOKED)).to_be_visible()
    two.page.locator(".place").nth(20).click()
    expect(two.page.get_by_text("This time has just been taken.")).to_be_visible()
    assert two.page.locator("section button.text-start").count() == 3
    two.page.locator("section button.text-start").first.click()
    two.page.locator("main button", has_text="Book").click()
    expect(two.page.get_by_text(BOOKED)).to_be_visible()


def test_what_is_sent_twice_happens_once(tab):
    desk, name = tab("receptionist"), f"Twice{secrets.token_hex(3)}"
    registered(desk, name)
    page = desk.page
    page.go_back()
    page.locator("main form button[type=submit]").last.click()
    desk.goto("/patients")
    page.locator("#f-text").fill(name)
    expect(page.locator("#found tbody tr")).to_have_count(1)


def test_what_was_typed_survives_a_session_that_ended(tab, house):
    desk, name = tab("receptionist"), f"Draft{secrets.token_hex(3)}"
    desk.goto("/patients/new")
    with desk.page.expect_response(lambda got: got.url.endswith("/drafts")):
        desk.page.get_by_label("Family name").fill(name)
    desk.page.context.clear_cookies()
    desk.trouble.clear()
    desk.page.evaluate("unsaved.clear()")
    desk.sign_in("demo.receptionist", house.secret("demo-password"))
    desk.goto("/patients/new")
    expect(desk.page.get_by_label("Family name")).to_have_value(name)

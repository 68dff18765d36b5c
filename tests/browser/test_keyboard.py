"""The work of a desk without a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import deeds
from tests.browser.conftest import ROLES
from tests.browser.keys import Keys


def test_somebody_signs_in_registers_and_books_by_keyboard_alone(tab, house):
    desk, name = tab(reduced_motion="reduce"), deeds.a_name("Keys")
    page, keys = desk.page, Keys(desk)
    desk.goto("/sign-in")
    expect(page.locator("#f-username")).to_be_focused()
    keys.type(ROLES["receptionist"])
    keys.to("#f-password")
    keys.type(house.secret("demo-password"))
    keys.enter()

    keys.to("a[href='/patients']")
    keys.enter()
    keys.to("a[href='/patients/new']")
    keys.enter()
    expect(page.get_by_label("Family name")).to_be_focused()
    keys.type(name)
    keys.to("#f-given_name")
    keys.type("Mira")
    keys.choose("#f-administrative_gender", "female")
    keys.to("#f-birth_date")
    keys.type("11051984")
    keys.press("Enter")
    expect(page.locator(".patient-name")).to_contain_text(name)

    keys.to(".head-actions a", text="Book")
    keys.enter()
    keys.choose("#f-specialization_id", "General")
    page.wait_for_url(lambda url: "specialization_id" in url)
    expect(page.locator(".place").nth(8)).to_be_visible()
    keys.to(".place")
    keys.enter()
    keys.to("main button", text="Book")
    keys.enter()
    expect(page.get_by_text(deeds.BOOKED)).to_be_visible()
    assert not keys.wrong, "\n".join(keys.wrong)


@pytest.mark.row("UI-09")
def test_ctrl_k_finds_a_patient_and_a_page_and_knows_whom_one_had_lately(tab):
    desk, given = tab("receptionist"), deeds.a_name("Ada")
    page, keys = desk.page, Keys(desk)
    deeds.registered(desk, "Smith", given)
    record = page.url
    found = page.locator("#command-found a")

    keys.press("Control+k")
    expect(page.locator("#command-text")).to_be_focused()
    expect(page.locator("#command-found")).to_contain_text("Opened lately")
    expect(found.first).to_contain_text(given)
    keys.press("Escape")
    expect(page.locator("#command")).to_be_hidden()

    desk.goto("/")
    keys.press("Control+k")
    expect(page.locator("#command-text")).to_be_focused()
    keys.type(f"smith {given}")
    expect(found.first).to_contain_text(given)
    keys.press("ArrowDown")
    expect(found.first).to_be_focused()
    keys.enter()
    assert page.url == record

    keys.press("Control+k")
    expect(page.locator("#command-text")).to_be_focused()
    keys.type("calen")
    expect(found.first).to_contain_text("Calendar")
    keys.press("ArrowDown")
    expect(found.first).to_be_focused()
    keys.enter()
    assert desk.path == "/calendar"

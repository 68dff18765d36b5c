"""The network or a part of the house is cut off and comes back: what is shown stays, nothing is lost or doubled."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser import deeds
from tests.browser.tabs import Tab
from tests.system.house import RunningHouse, held_down, word

HOUSE_IS_AWAY = "The house cannot be reached"
COMES_BACK_MS = 90_000.0


def chosen(desk: Tab, family_name: str, nth: int) -> str:
    """A patient, and a place that is kept for them; the day of it."""
    deeds.registered(desk, family_name)
    place = deeds.places(desk).nth(nth)
    day = str(place.get_attribute("value")).partition(" ")[2][:10]
    place.click()
    expect(book(desk.page)).to_be_visible()
    return day


def book(page: Page) -> Any:
    return page.locator("main button", has_text="Book")


def expect_one_appointment(desk: Tab, family_name: str) -> None:
    page = desk.page
    desk.goto("/patients")
    page.locator("#f-text").fill(family_name)
    page.locator("#found tbody a").first.click()
    expect(page.locator(".patient-name")).to_contain_text(family_name)
    expect(page.locator("main a[href^='/booking/']:not([href*=slip])")).to_have_count(1)


def banner(desk: Tab, text: str) -> Any:
    return desk.page.locator("#away").get_by_text(text)


def test_what_is_sent_and_typed_while_the_gateway_is_down_waits_and_happens_once(tab, house: RunningHouse):
    desk, other, name, note = tab("receptionist"), tab("receptionist"), word(), word()
    chosen(desk, name, 9)
    other.goto("/patients/new")
    with held_down(house, "gateway"):
        desk.page.evaluate("heardAt = 0")  # a while after the last word of the house
        book(desk.page).click()
        expect(banner(desk, "This was not sent.")).to_be_visible()
        expect(banner(desk, HOUSE_IS_AWAY)).to_be_visible()
        other.page.get_by_label("Family name").fill(note)
        expect(banner(other, HOUSE_IS_AWAY)).to_be_visible()
    with other.page.expect_response(lambda got: got.url.endswith("/drafts") and got.status == 204):
        expect(other.page.locator("#away")).to_be_hidden(timeout=COMES_BACK_MS)
    expect(desk.page.locator("#away")).to_be_hidden(timeout=COMES_BACK_MS)
    expect(other.page.get_by_label("Family name")).to_have_value(note)
    other.page.evaluate("unsaved.clear()")
    book(desk.page).click()
    expect(desk.page.get_by_text(deeds.BOOKED).first).to_be_visible()
    expect_one_appointment(desk, name)
    for each in (desk, other):
        each.trouble.clear()

"""What people of a house do again and again in its pages, so that each journey tells only what is its own."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import Locator, expect

from tests.browser.tabs import Tab
from tests.system.house import word

BOOKED = re.compile("Booked for")
MOVED = re.compile("Moved to")
BIRTH_DATE = "1984-11-05"
PASSWORD = "Kolibri Farnwedel Mondlicht"


def a_name(begin: str) -> str:
    """One that nobody else in the house has."""
    return begin + word().lower()


def send(tab: Tab) -> None:
    """The form of the page, by its last button, as it stands at the end of each."""
    tab.page.locator("main form button[type=submit]").last.click()


def registered(desk: Tab, family_name: str, given_name: str = "Mira") -> None:
    """A new patient, by the form."""
    desk.goto("/patients/new")
    fill_in(desk, family_name, given_name)
    send(desk)
    expect(desk.page.locator(".patient-name")).to_contain_text(family_name)


def fill_in(desk: Tab, family_name: str, given_name: str = "Mira") -> None:
    """The form of a new patient."""
    page = desk.page
    page.get_by_label("Family name").fill(family_name)
    page.get_by_label("Given name").fill(given_name)
    page.locator("#f-administrative_gender").select_option("female")
    page.locator("#f-birth_date").fill(BIRTH_DATE)


def id_of(desk: Tab) -> str:
    """Whose page is open."""
    return urlsplit(desk.page.url).path.split("/")[2]


def code(desk: Tab) -> str:
    """From a patient's page to the code for an account of their own, as it stands on the slip."""
    page = desk.page
    page.locator(".head-actions a", has_text="Accounts").click()
    page.get_by_role("button", name="Make a code").click()
    return page.locator("#once").inner_text()


def activate(own: Tab, code: str, username: str, password: str = PASSWORD) -> None:
    """An account of one's own, from the page for signing in."""
    page = own.page
    own.goto("/sign-in")
    page.locator("a[href='/activate']").click()
    page.locator("#f-code").fill(code)
    page.locator("#f-birth_date").fill(BIRTH_DATE)
    page.locator("#f-username").fill(username)
    page.locator("#f-password").fill(password)
    page.locator("#f-repeated").fill(password)
    send(own)
    page.wait_for_url(lambda url: "/activate" not in url)


def places(desk: Tab, field: str = "General practice") -> Locator:
    """From a patient's page to the free times of a field."""
    page = desk.page
    page.locator(".head-actions a", has_text="Book").click()
    page.locator("#f-specialization_id").select_option(label=field)
    page.wait_for_url(lambda url: "specialization_id" in url)
    found = page.locator(".place")
    expect(found.nth(20)).to_be_visible()
    return found


def book(desk: Tab, *, at: int = 5) -> None:
    """From a patient's page to an appointment."""
    places(desk).nth(at).click()
    desk.page.locator("main button", has_text="Book").click()
    expect(desk.page.get_by_text(BOOKED)).to_be_visible()

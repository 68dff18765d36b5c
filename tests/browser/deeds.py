"""What people of a house do again and again in its pages, so that each journey tells only what is its own."""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

import pyotp
from playwright.sync_api import Locator, expect

from tests.browser.tabs import DESKTOP, PHONE, Tab
from tests.system.house import word
from tests.waiting import wait_for

BOOKED = re.compile("Booked for")
MOVED = re.compile("Moved to")
BIRTH_DATE = "1984-11-05"
LATE_S = 10  # so near its end a code may be over before it is looked at
PASSWORD = "Kolibri Farnwedel Mondlicht"


def a_name(begin: str) -> str:
    """One that nobody else in the house has."""
    return begin + word().lower()


def send(tab: Tab) -> None:
    """The form of the page, by its last button, as it stands at the end of each."""
    tab.page.locator("main form button[type=submit]").last.click()


def send_named(tab: Tab, text: str) -> None:
    """One of several forms of the page, by what its button says."""
    tab.page.locator("main").get_by_role("button", name=text, exact=True).click()


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


def look_at(desk: Tab, field: str, value: str) -> None:
    """Others in the calendar: `by` what they are chosen, or which."""
    page = desk.page
    # A new address alone is no new page: the calendar writes there what is shown.
    page.evaluate("document.body.dataset.former = 'yes'")
    page.locator(f"#f-{field}").select_option(value)
    expect(page.locator("body[data-former]")).to_have_count(0)
    page.wait_for_load_state()


def look_at_doctor(desk: Tab, doctor: str) -> None:
    """The days of one doctor, in the calendar that is open; who is new is in its list within half a minute."""
    page = desk.page
    look_at(desk, "by", "doctor")

    def is_listed() -> bool:
        page.reload()
        return page.locator(f"#f-doctor option[value='{doctor}']").count() > 0

    wait_for(is_listed, within_s=30, what="the doctor is in the list", step_s=1)
    look_at(desk, "doctor", doctor)
    expect(desk.page.locator("#f-doctor")).to_have_value(doctor)


def book(desk: Tab, *, at: int = 5) -> None:
    """From a patient's page to an appointment."""
    places(desk).nth(at).click()
    desk.page.locator("main button", has_text="Book").click()
    expect(desk.page.get_by_text(BOOKED)).to_be_visible()


def agree(tab: Tab) -> None:
    """To what the page asks before it does something that cannot be taken back."""
    tab.page.locator("#ask-yes").click()


def signed_out(tab: Tab) -> None:
    tab.page.get_by_label("Your account").click()
    tab.page.get_by_role("button", name="Sign out", exact=True).click()
    expect(tab.page.get_by_text("You are signed out.")).to_be_visible()


def fits(tab: Tab) -> None:
    """The page, at a desk and in a hand."""
    for size in (PHONE, DESKTOP):
        tab.page.set_viewport_size(size)
        assert not tab.overflows(), f"{tab.path} scrolls sideways at {size['width']}"


def own_password(tab: Tab, once: str, wanted: str = PASSWORD) -> None:
    """The first thing after a password that works once: one of one's own."""
    page = tab.page
    page.wait_for_url(lambda url: url.endswith("/account/password"))
    page.locator("#f-current_password").fill(once)
    page.locator("#f-new_password").fill(wanted)
    page.locator("#f-repeated").fill(wanted)
    send(tab)
    page.wait_for_url(lambda url: not url.endswith("/account/password"))


def enrol(tab: Tab) -> tuple[pyotp.TOTP, list[str]]:
    """A device that shows codes, and the codes for the day it is lost; from the question for the password on."""
    page = tab.page
    page.locator("#f-current_password").fill(PASSWORD)
    send(tab)
    page.get_by_text("The app cannot read it").click()
    device = pyotp.TOTP(page.locator("code.secret").inner_text().replace(" ", ""))
    # The code of the step before counts too, and leaves that of this moment for the first sign-in; not at its very end.
    left_s = device.interval - time.time() % device.interval
    if left_s < LATE_S:
        page.wait_for_timeout(1000 * left_s)
    page.locator("#f-code").fill(device.at(int(time.time()) - device.interval))
    send(tab)
    expect(page.get_by_text("The second factor is set up.")).to_be_visible()
    codes = page.locator(".codes code").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    return device, codes


def new_user(tab: Tab, username: str, *roles: str) -> str:
    """An account, by the form that is open; the password that works once."""
    page = tab.page
    page.locator("#f-display_name").fill("Mara Lindqvist")
    page.locator("#f-username").fill(username)
    for role in roles:
        page.locator(f"[name=roles][value={role}]").check()
    send(tab)
    expect(page.get_by_role("heading", name="One-time password")).to_be_visible()
    return page.locator("#once").inner_text()

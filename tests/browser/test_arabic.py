"""A patient who reads Arabic, from the code to an appointment: every word is Arabic, every page goes right to left."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from frontend import translating
from tests.browser import deeds
from tests.browser.conftest import KIND
from tests.browser.tabs import PHONE, Tab
from tests.waiting import wait_for

OWN_TO_ALL = (
    "Infirmary", "English", "Deutsch", "Demo Hospital", "Main building", "Garden wing",
    "7QX3-9FWT-H4PA",  # how a code looks
)  # fmt: skip

# Latin words that are shown or read out, and parts that run from left to right, apart from what is a datum by itself.
_NOT_ARABIC = r"""(known) => {
  const isDatum = (one) => one.closest("bdi, code, kbd, option, [lang]:not(html), [dir=ltr]");
  const wrong = [];
  const look = (text, one) => {
    let left = text;
    for (const each of known) left = left.replaceAll(each, "");
    if (/[A-Za-z]{2,}/.test(left)) wrong.push(`${one.tagName}: ${text.trim()}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const one = text.parentElement;
    if (one.matches("script, style, noscript") || isDatum(one)) continue;
    look(text.data, one);
  }
  for (const one of document.querySelectorAll("[aria-label], [title], [placeholder]")) {
    for (const name of ["aria-label", "title", "placeholder"]) look(one.getAttribute(name) || "", one);
  }
  for (const one of document.querySelectorAll("body *")) {
    const isFree = isDatum(one) || one.matches("svg, svg *, input");
    if (!isFree && one.checkVisibility() && getComputedStyle(one).direction !== "rtl")
      wrong.push(`${one.tagName}.${one.className} runs from left to right`);
  }
  return [...new Set(wrong)];
}"""


def is_arabic(own: Tab, known: Collection[str]) -> None:
    """All of the page that is open."""
    html = own.page.locator("html")
    expect(html).to_have_attribute("lang", "ar")
    expect(html).to_have_attribute("dir", "rtl")
    wrong = own.page.evaluate(_NOT_ARABIC, sorted([*OWN_TO_ALL, *known], key=len, reverse=True))
    assert not wrong, f"{own.path}: {wrong}"
    assert not own.overflows(), own.path


def agreed(own: Tab) -> None:
    """To the place that is kept meanwhile; the appointment is shown then."""
    own.page.locator("form:has([name=starts_at]) .actions button:not([formaction])").click()
    own.page.wait_for_url(lambda url: "/mine/book" not in url)
    expect(own.page.locator("details.sheet")).to_be_visible()


@pytest.mark.row("UI-04")
def test_the_whole_way_of_a_patient_is_in_arabic_from_right_to_left(tab, clinic):
    assert translating.findings() == [], "no text is without its translation"
    doctor, name = clinic.doctor(), deeds.a_name("Noor")
    found = clinic.admin.get(f"/api/v1/doctors/{doctor}").expect(200).json
    known = [found["family_name"], found["given_name"], name, "Mira", KIND, f"own.{name.lower()}"]
    desk, own = tab("receptionist"), tab(size=PHONE, locale="ar")
    page = own.page
    deeds.registered(desk, name)
    own.goto("/sign-in")
    is_arabic(own, known)
    own.goto("/activate")
    is_arabic(own, known)
    deeds.activate(own, deeds.code(desk), known[-1])
    is_arabic(own, known)

    page.locator(".head-actions a[href='/mine/book']").click()
    page.locator("#f-since").fill(clinic.day().isoformat())
    page.locator("#f-appointment_type_id").select_option(label=KIND)
    page.locator("#f-doctor_id").select_option(value=doctor)
    expect(page.locator(".place").nth(8)).to_be_visible()
    is_arabic(own, known)
    page.locator(".place").nth(3).click()
    is_arabic(own, known)
    agreed(own)
    is_arabic(own, known)
    page.locator(".head-actions a[href*='moved=']").click()
    page.locator("#f-since").fill(clinic.day().isoformat())
    later = page.locator(f".place[value*='{clinic.day()}T1']")
    expect(later.nth(2)).to_be_visible()
    later.nth(2).click()
    agreed(own)
    booked = f"{clinic.path}/appointments/{urlsplit(page.url).path.rsplit('/', 1)[1]}"
    page.locator("details.sheet summary").click()
    page.locator("#f-reason_code").select_option("patient_ill")
    page.locator("details.sheet form button[type=submit]").click()
    wait_for(lambda: clinic.admin.get(booked).expect(200).json["status"] == "cancelled", what="it is cancelled")
    is_arabic(own, known)
    for path in ("/mine", "/mine/record", "/mine/accesses", "/mine/messages", "/account", "/account/password"):
        own.goto(path)
        is_arabic(own, known)

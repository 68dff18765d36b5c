"""What goes on paper: the slip that a patient takes home, and the list of a day that hangs on a door."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser import deeds
from tests.browser.tabs import Tab
from tests.system.clinic import registered

_NOT_ON_PAPER = "header.top, nav.side, nav.foot, .no-print, .head-actions, [data-print], .calendar-choice"


def pages(tab: Tab) -> int:
    """How many there are of A4, and that nothing is on them that only a screen can do."""
    tab.page.emulate_media(media="print")
    for each in tab.page.locator(_NOT_ON_PAPER).all():
        expect(each).to_be_hidden()
    paper = tab.page.pdf(format="A4")
    return len(re.findall(rb"/Type\s*/Page\b", paper))


def test_a_slip_is_one_page_with_time_place_and_number_to_call(tab):
    desk, name = tab("receptionist"), deeds.a_name("Slip")
    deeds.registered(desk, name)
    deeds.book(desk)
    desk.page.locator(".head-actions a", has_text="Slip").click()
    assert pages(desk) == 1
    slip = desk.page.locator(".slip")
    expect(slip).to_contain_text(re.compile(r"\d\d:\d\d \(Berlin\)"))
    expect(slip).to_contain_text("+49 30 23125 000")
    expect(desk.page.locator(".patient-name")).to_contain_text(name)


def test_a_list_of_a_day_says_of_which_day_whom_and_when_it_was_printed(tab, clinic):
    desk, doctor = tab("super_admin"), clinic.doctor()
    for clock, patient in zip(("09:00", "09:30", "14:00"), registered(clinic.admin, 3), strict=True):
        clinic.booked(clinic.admin, doctor, clinic.at(clock), patient)
    desk.goto("/calendar")
    deeds.look_at_doctor(desk, doctor)
    desk.goto(f"/calendar/day?day={clinic.day()}")
    expect(desk.page.locator(".day-list tbody tr")).to_have_count(3)
    assert pages(desk) == 1
    expect(desk.page.locator(".only-print")).to_contain_text("Demo Hospital")
    expect(desk.page.locator(".only-print")).to_contain_text("printed")
    for number, clock in enumerate(("09:00", "09:30", "14:00")):
        expect(desk.page.locator(".day-list tbody tr").nth(number)).to_contain_text(re.compile(f"^\\s*{clock}"))

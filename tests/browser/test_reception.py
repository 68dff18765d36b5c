"""The receptionist's day: who comes, when, and what becomes of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import deeds
from tests.browser.tabs import DESKTOP, PHONE

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


@SIZES
def test_a_patient_is_registered_booked_moved_and_cancelled(tab, size):
    desk, name = tab("receptionist", size=size), deeds.a_name("Desk")
    page = desk.page
    deeds.registered(desk, name)

    before = desk.acts
    deeds.book(desk)
    assert desk.acts - before <= 4, "from the patient to the appointment"

    page.locator(".head-actions a", has_text="Slip").click()
    expect(page.locator(".slip")).to_contain_text("If you cannot come, please call: +49 30 23125 000")
    page.go_back()
    page.locator(".head-actions a", has_text="Move").click()
    page.locator(".place").nth(9).click()
    page.locator("main button", has_text="Move").click()
    expect(page.get_by_text(deeds.MOVED)).to_be_visible()
    page.locator("#f-reason_code").select_option("patient_request")
    page.locator("button", has_text="Cancel the appointment").click()
    expect(page.get_by_text("The appointment is cancelled.")).to_be_visible()
    expect(page.locator(".badge", has_text="cancelled")).to_be_visible()
    assert not desk.overflows()


@SIZES
def test_who_may_have_a_record_already_is_shown_before_there_are_two(tab, size):
    desk, name = tab("receptionist", size=size), deeds.a_name("Twin")
    page = desk.page
    deeds.registered(desk, name)
    number = page.locator(".patient strong").first.inner_text()
    desk.goto("/patients/new")
    deeds.fill_in(desk, name)
    deeds.send(desk)
    found = page.get_by_role("alert").filter(has_text="This may be somebody who has a record")
    expect(found).to_be_focused()
    expect(found).to_contain_text(number)
    assert not desk.overflows()
    with page.context.expect_page() as beside:
        found.get_by_role("link", name=name).click()
    expect(beside.value.locator(".patient strong").first).to_have_text(number)
    beside.value.close()
    expect(page.get_by_label("Family name")).to_have_value(name)
    page.get_by_role("button", name="It is another person: register").click()
    expect(page.locator(".patient-name")).to_contain_text(name)
    expect(page.locator(".patient strong").first).not_to_have_text(number)


def test_a_page_that_was_found_by_number_is_the_one_of_the_patient(tab):
    desk, name = tab("receptionist"), deeds.a_name("Found")
    page = desk.page
    deeds.registered(desk, name)
    number = page.locator(".patient strong").first.inner_text()
    desk.goto("/patients")
    page.locator("#f-text").fill(number)
    page.locator("#found").get_by_role("link", name=re.compile(name)).click()
    expect(page.locator(".patient-name")).to_contain_text(name)


def test_a_place_that_is_taken_is_booked_over_with_a_reason_that_stands_on_it(tab):
    """By whoever may; the reception is offered what is free instead, and no such field."""
    one, other, chief = tab("receptionist"), tab("receptionist"), tab("super_admin")
    for each in (other, chief, one):
        deeds.registered(one, deeds.a_name("Over"))
        each.page.goto(one.page.url)
    for each in (one, other, chief):
        deeds.places(each)
    taken = one.page.locator(".place").nth(15)
    wanted = taken.get_attribute("value")
    taken.click()
    one.page.locator("main button", has_text="Book").click()
    expect(one.page.get_by_text(deeds.BOOKED)).to_be_visible()
    for each in (other, chief):
        each.page.locator(f".place[value='{wanted}']").click()
        expect(each.page.get_by_text("This time has just been taken.")).to_be_visible()
    assert other.page.locator("#f-overbook_reason").count() == 0
    chief.page.locator("#f-overbook_reason").fill("Comes from far away")
    chief.page.locator("main form button[type=submit]", has_text="Book").first.click()
    expect(chief.page.get_by_text(deeds.BOOKED)).to_be_visible()
    expect(chief.page.get_by_text("Comes from far away")).to_be_visible()
    chief.goto("/calendar/day?day=" + wanted.split()[1][:10])
    expect(chief.page.locator(".day-list tr", has_text="over").first).to_be_visible()

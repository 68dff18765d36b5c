"""A patient at home: an account with the code of the reception, appointments, and who has looked."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import deeds
from tests.browser.conftest import KIND
from tests.browser.tabs import DESKTOP, PHONE, Tab
from tests.system.clinic import ZONE, Clinic
from tests.waiting import wait_for

PHONE_OF_THE_HOUSE = "+49 30 23125 000"


def soon() -> str:
    """The next full hour that is at least one hour away, on the clinic's clock."""
    return (datetime.now(ZONE).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)).isoformat()


def doctor_around_the_clock(clinic: Clinic) -> str:
    return clinic.doctor(starts="00:00", ends="23:30")


def choose(own: Tab, doctor: str, *, since: str) -> None:
    """What it is for, with whom, and not before when; free times stand there then."""
    own.page.locator("#f-since").fill(since)
    own.page.locator("#f-appointment_type_id").select_option(label=KIND)
    own.page.locator("#f-doctor_id").select_option(value=doctor)


def places(own: Tab, day: str) -> Locator:
    """The free times of one day; values are of the world's clock."""
    return own.page.locator(f".place[value*='{day}T1']")


@pytest.mark.row("APT-18")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_from_the_code_of_the_reception_to_an_appointment_of_ones_own(tab, clinic, size):
    doctor, name, day = doctor_around_the_clock(clinic), deeds.a_name("Own"), clinic.day().isoformat()
    desk, own = tab("receptionist"), tab(size=size)
    page = own.page
    deeds.registered(desk, name)
    patient = deeds.id_of(desk)
    deeds.activate(own, deeds.code(desk), f"own.{name.lower()}")
    expect(page.get_by_text("Your account is ready. Good to see you.")).to_be_visible()
    expect(page.get_by_text("No appointment is planned.")).to_be_visible()

    page.locator(".head-actions a", has_text="Book").click()
    offered = page.locator("#f-appointment_type_id option").all_inner_texts()
    assert KIND in offered
    assert "Case conference" not in offered, "which only staff book"
    choose(own, doctor, since=day)
    places(own, day).nth(3).click()
    expect(page.get_by_role("heading", name="Is this right?")).to_be_visible()
    page.get_by_role("button", name="Book it").click()
    expect(page.locator("details.sheet")).to_be_visible()
    booked = page.locator(".when").inner_text()

    page.locator(".head-actions a", has_text="Move").click()
    page.locator("#f-since").fill(day)
    places(own, day).nth(5).click()
    page.get_by_role("button", name="Move it").click()
    expect(page.locator("details.sheet")).to_be_visible()
    expect(page.locator(".when")).not_to_have_text(booked)

    page.get_by_text("I cannot come: cancel it").click()
    page.locator("#f-reason_code").select_option("patient_ill")
    page.get_by_role("button", name="Cancel the appointment").click()
    expect(page.get_by_text("Cancelled").first).to_be_visible()
    _too_late_to_cancel_is_said_with_the_number_to_call(own, clinic, doctor, patient)


def _too_late_to_cancel_is_said_with_the_number_to_call(own, clinic, doctor, patient):
    page = own.page
    late = clinic.booked(clinic.admin, doctor, soon(), patient)
    own.goto("/mine")
    page.locator(f"a[href*='{late['id']}']").click()
    page.get_by_text("I cannot come: cancel it").click()
    page.locator("#f-reason_code").select_option("patient_request")
    page.get_by_role("button", name="Cancel the appointment").click()
    call = page.get_by_role("alert").filter(has_text="Please call us")
    expect(call).to_be_focused()
    expect(call.get_by_role("link", name=PHONE_OF_THE_HOUSE)).to_have_attribute("href", "tel:+493023125000")
    expect(page.get_by_text("Booked").first).to_be_visible()
    assert not own.overflows()


def test_who_opened_the_record_and_what_the_house_wrote_are_there_to_be_read(tab, clinic):
    doctor, name = clinic.doctor(), deeds.a_name("Reads")
    desk, own = tab("receptionist"), tab(size=PHONE)
    page = own.page
    deeds.registered(desk, name)
    patient = deeds.id_of(desk)
    deeds.activate(own, deeds.code(desk), f"own.{name.lower()}")
    clinic.booked(clinic.admin, doctor, clinic.at("10:00"), patient)

    foot = page.locator("nav.foot")
    foot.get_by_role("link", name="Record").click()
    expect(page.locator(".facts", has_text=name)).to_be_visible()
    expect(page.get_by_text("Nobody has asked yet. Tell us at the next visit.")).to_be_visible()
    foot.get_by_role("link", name="Who looked").click()
    expect(page.locator(".accesses li", has_text="Receptionist").first).to_be_visible()
    expect(page.locator(".accesses time").first).to_have_text(re.compile(r"^\d\d:\d\d$"))

    def has_come() -> bool:
        foot.get_by_role("link", name="Messages").click()
        page.wait_for_load_state()
        return page.locator(".message").count() > 0

    wait_for(has_come, within_s=60, what="the message about the appointment")
    expect(page.locator(".message").first).to_contain_text("10:00")

"""A doctor's day: the own calendar, what is known of a patient, the own hours, and being away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from tests.browser import deeds
from tests.browser.tabs import DESKTOP, PHONE, Tab
from tests.system.clinic import Clinic, registered
from tests.system.house import Person, hire
from tests.waiting import wait_for

HOUR_PX = 88  # four quarters of an hour, as the calendar draws them


@dataclass(frozen=True)
class Practice:
    """A doctor who signs in, in a department, and patients at ten and at twelve o'clock of one day."""

    account: Person
    doctor: str
    department: str
    day: str
    early: dict[str, str]
    late: dict[str, str]


@pytest.fixture(scope="module")
def practice(admin: Person, clinic: Clinic) -> Practice:
    account = hire(admin, "doctor")
    departments = admin.get(f"/api/v1/departments?facility_id={clinic.facility}").expect(200).json["items"]
    department = departments[0]["id"]
    doctor = clinic.doctor({"user_id": account.id, "department_ids": [department]})
    one, two = registered(admin, 2)
    early = clinic.booked(admin, doctor, clinic.at("10:00"), one)
    late = clinic.booked(admin, doctor, clinic.at("12:00"), two)
    return Practice(account, doctor, department, clinic.day().isoformat(), early, late)


@pytest.fixture
def signed_in(tab, practice):
    def come(size: dict[str, int]) -> Tab:
        own = tab(size=size)
        own.sign_in(practice.account.username, practice.account.password)
        return own

    return come


def drawn(own: Tab, appointment: dict[str, str]) -> Locator:
    return own.page.locator(f"[data-appointment='{appointment['id']}']")


def place_of(event: Locator) -> FloatRect:
    """Where it is drawn, once it stays there: what comes from the house is drawn anew."""
    seen: list[FloatRect | None] = [event.bounding_box()]

    def is_at_rest() -> bool:
        seen.append(event.bounding_box())
        return seen[-1] is not None and seen[-1] == seen[-2]

    wait_for(is_at_rest, what="the calendar is at rest", step_s=0.2)
    assert seen[-1] is not None
    return seen[-1]


def drag(own: Tab, appointment: dict[str, str], hours: float) -> None:
    """With the mouse, up or down."""
    box = place_of(drawn(own, appointment))
    x, y = box["x"] + box["width"] / 2, box["y"] + 8
    mouse = own.page.mouse
    mouse.move(x, y)
    mouse.down()
    for step in range(1, 9):
        mouse.move(x, y + hours * HOUR_PX * step / 8)
    mouse.up()


@pytest.mark.row("APT-20")
@pytest.mark.row("UI-07")
def test_the_own_calendar_moves_what_is_dragged_and_says_why_it_does_not(signed_in, practice):
    own = signed_in(DESKTOP)
    page, early, late = own.page, drawn(own, practice.early), drawn(own, practice.late)
    own.goto(f"/calendar?view=week&day={practice.day}")
    for name, view in (("Day", "day"), ("Month", "month"), ("Week", "week")):
        page.locator(".ec-toolbar").get_by_role("button", name=name, exact=True).click()
        expect(page).to_have_url(re.compile(f"view={view}"))
        expect(early).to_be_visible()

    drag(own, practice.early, 1)
    expect(page.locator("#calendar-said")).to_contain_text("11:00 (Berlin)")
    expect(early.locator("time")).to_have_text("11:00")
    expect(early).to_have_css("opacity", "1")

    drag(own, practice.early, 1)
    refused = page.locator("#ask-content")
    expect(refused).to_contain_text("It stays where it was")
    expect(refused).to_contain_text("This time has just been taken.")
    expect(early.locator("time")).to_have_text("11:00")
    alternatives = refused.locator("form[aria-labelledby=ask-free] button")
    expect(alternatives.nth(1)).to_be_visible()
    expect(alternatives.filter(has_text="11:00")).to_have_count(0)
    alternatives.first.click()
    expect(page.locator("#calendar-said")).to_contain_text("Moved to")
    expect(page.locator("#calendar-dialog")).to_be_hidden()
    expect(early.locator("time")).not_to_have_text("11:00")
    expect(late.locator("time")).to_have_text("12:00")
    _each_choice_shows_its_own(own, practice)


def _each_choice_shows_its_own(own, practice):
    """What the lists above the calendar choose between: states, departments, doctors."""
    page, early = own.page, drawn(own, practice.early)

    deeds.look_at(own, "status", "cancelled")
    expect(early).to_have_count(0)
    deeds.look_at(own, "status", "booked")
    expect(early).to_be_visible()
    deeds.look_at(own, "by", "department")
    deeds.look_at(own, "department", practice.department)
    expect(early).to_be_visible()
    other = page.locator("#f-department option").nth(2).get_attribute("value")
    deeds.look_at(own, "department", other)
    expect(early).to_have_count(0)
    deeds.look_at_doctor(own, practice.doctor)
    expect(early).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_from_the_list_of_the_day_to_what_is_known_of_the_patient(signed_in, practice, clinic, size):
    own = signed_in(size)
    page = own.page
    (patient,) = registered(clinic.admin, 1)
    clinic.booked(clinic.admin, practice.doctor, clinic.at("15:00" if size == PHONE else "16:00"), patient)
    own.goto(f"/calendar/day?day={practice.day}")
    page.locator(f".day-list a[href='/patients/{patient}']").click()
    expect(page.locator(".patient")).to_contain_text("Allergies not asked")

    page.get_by_role("link", name="Allergies and problems").click()
    page.get_by_role("link", name="Add an allergy").click()
    page.locator("[name='substance.display']").fill("Penicillin")
    page.locator("#f-category").select_option("medication")
    page.locator("#f-criticality").select_option("high")
    page.locator("#f-certainty").select_option("confirmed")
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator(".patient")).to_contain_text("Allergies: Penicillin")
    page.get_by_role("link", name="Add a problem").click()
    page.locator("[name='condition.display']").fill("Asthma")
    page.locator("#f-certainty").select_option("confirmed")
    page.locator("main form button[type=submit]").last.click()
    expect(page.get_by_role("link", name="Asthma")).to_be_visible()
    assert not own.overflows()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_own_hours_and_leave_that_stands_against_nobody(signed_in, clinic, size):
    own = signed_in(size)
    page = own.page
    own.goto("/doctors/my-hours")
    if size == PHONE:
        page.get_by_role("button", name="Areas").click()
    page.locator("nav.side").get_by_role("link", name="My leave").click()
    day = clinic.day(30 if size == PHONE else 40)
    page.locator("#f-starts_local").fill(f"{day}T00:00")
    page.locator("#f-ends_local").fill(f"{day + timedelta(days=2)}T00:00")
    page.locator("#f-reason").fill("A congress")
    page.get_by_role("button", name="Add the leave").click()
    kept = page.locator(".row-item", has_text="A congress").first
    expect(kept).to_be_visible()
    kept.get_by_role("button", name="Take back").click()
    deeds.agree(own)
    expect(page.locator(".row-item", has_text=f"{day.day} ")).to_have_count(0)
    assert not own.overflows()

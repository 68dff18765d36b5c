"""The network or a part of the house is cut off and comes back: what is shown stays, nothing is lost or doubled."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser import deeds
from tests.browser.tabs import Tab
from tests.system.clinic import Clinic, registered
from tests.system.house import RunningHouse, held_down, word

HOUSE_IS_AWAY, PART_IS_AWAY = "The house cannot be reached", "A part of the house is away"
COMES_BACK_MS = 90_000.0


def chosen(desk: Tab, family_name: str, nth: int) -> str:
    """A patient, and a place that is kept for them; the day of it."""
    deeds.registered(desk, family_name)
    place = deeds.places(desk).nth(nth)
    day = str(place.get_attribute("value")).partition(" ")[2][:10]
    place.click()
    expect(book(desk.page)).to_be_visible()
    return day


def book(page: Page) -> Locator:
    return page.locator("main button", has_text="Book")


def expect_one_appointment(desk: Tab, family_name: str) -> None:
    page = desk.page
    desk.goto("/patients")
    page.locator("#f-text").fill(family_name)
    page.locator("#found tbody a").first.click()
    expect(page.locator(".patient-name")).to_contain_text(family_name)
    expect(page.locator("main a[href^='/booking/']:not([href*=slip])")).to_have_count(1)


def banner(desk: Tab, text: str) -> Locator:
    return desk.page.locator("#away").get_by_text(text)


@dataclass
class Morning:
    """A morning of one doctor, in the calendar of a desk."""

    clinic: Clinic
    doctor: str

    def shown_on(self, desk: Tab) -> None:
        desk.goto(f"/calendar?view=day&day={self.clinic.day()}")
        deeds.look_at_doctor(desk, self.doctor)

    def booked(self, clock: str) -> str:
        """The id of another appointment."""
        (patient,) = registered(self.clinic.admin, 1)
        return str(self.clinic.booked(self.clinic.admin, self.doctor, self.clinic.at(clock), patient)["id"])


@pytest.fixture
def morning(clinic: Clinic) -> Morning:
    """Of a doctor whom nobody else books."""
    return Morning(clinic, clinic.doctor())


def in_calendar(desk: Tab, appointment: str) -> Locator:
    return desk.page.locator(f"[data-appointment='{appointment}']")


def test_what_is_on_the_screen_stays_without_a_network_and_what_was_missed_comes_by_itself(tab, morning):
    desk, early = tab("receptionist"), morning.booked("09:00")
    morning.shown_on(desk)
    expect(in_calendar(desk, early)).to_be_visible()
    desk.page.context.set_offline(True)
    expect(banner(desk, HOUSE_IS_AWAY)).to_be_visible()
    expect(desk.page.locator("#away time").first).to_have_text(desk.page.evaluate("since.toLocaleTimeString('en')"))
    late = morning.booked("10:00")
    expect(in_calendar(desk, early)).to_be_visible()
    assert in_calendar(desk, late).count() == 0
    desk.page.context.set_offline(False)
    expect(desk.page.locator("#away")).to_be_hidden()
    expect(in_calendar(desk, late)).to_be_visible()


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


def test_a_booking_whose_answer_was_lost_on_the_way_is_there_once_when_it_is_sent_again(tab):
    desk, name = tab("receptionist"), word()
    chosen(desk, name, 11)

    def lose(route: Route) -> None:
        route.fetch(max_redirects=0)
        route.fulfill(status=503, content_type="text/html", body="<title>away</title>")

    desk.page.route("**/booking/book", lose)
    with desk.page.expect_navigation():
        book(desk.page).click()
    desk.page.unroute("**/booking/book")
    desk.page.reload()
    expect(desk.page.get_by_text(deeds.BOOKED).first).to_be_visible()
    expect_one_appointment(desk, name)
    desk.trouble.clear()


def test_a_form_that_found_a_part_of_the_house_away_is_sent_again_with_one_click(tab, house: RunningHouse):
    desk, name = tab("receptionist"), word()
    chosen(desk, name, 13)
    with held_down(house, "appointments"):
        book(desk.page).click()
        expect(desk.page.get_by_text("A part of the house is away for a moment.")).to_be_visible()
        expect(desk.page.locator("main code")).not_to_be_empty()
    desk.page.get_by_role("button", name="Send it again").click()
    expect(desk.page.get_by_text(deeds.BOOKED).first).to_be_visible()
    expect_one_appointment(desk, name)
    desk.trouble.clear()


def test_without_patients_a_search_says_so_and_finds_by_itself_when_they_are_back(tab, house: RunningHouse):
    desk, name = tab("receptionist"), word()
    deeds.registered(desk, name)
    desk.goto("/patients")
    with held_down(house, "patients"):
        desk.page.locator("#f-text").fill(name)
        expect(banner(desk, PART_IS_AWAY)).to_be_visible()
        expect(desk.page.locator("#trouble code")).not_to_be_empty()
    expect(desk.page.locator("#found tbody tr")).to_have_count(1, timeout=COMES_BACK_MS)
    expect(desk.page.locator("#away")).to_be_hidden()
    expect(desk.page.locator("#trouble")).to_be_hidden()
    desk.trouble.clear()


def test_without_appointments_calendar_and_record_keep_what_they_have_and_go_on_by_themselves(
    tab, house: RunningHouse, morning
):
    desk, beside, name, early = tab("receptionist"), tab("receptionist"), word(), morning.booked("09:00")
    deeds.registered(beside, name)
    morning.shown_on(desk)
    expect(in_calendar(desk, early)).to_be_visible()
    with held_down(house, "appointments"):
        desk.page.evaluate("tell()")  # as when an id was heard
        expect(banner(desk, PART_IS_AWAY)).to_be_visible()
        expect(in_calendar(desk, early)).to_be_visible()
        beside.page.reload()
        expect(beside.page.locator(".patient-name")).to_contain_text(name)
        expect(beside.page.get_by_text("This cannot be read now.")).to_be_visible()
    expect(desk.page.locator("#away")).to_be_hidden(timeout=COMES_BACK_MS)
    late = morning.booked("10:00")
    expect(in_calendar(desk, late)).to_be_visible()
    for each in (desk, beside):
        each.trouble.clear()


def test_without_identity_who_is_signed_in_works_on_and_nobody_comes_in(tab, house: RunningHouse):
    desk, new, name = tab("receptionist"), tab(), word()
    new.goto("/sign-in")
    deeds.registered(desk, word())  # a `patients` that has just come up has to ask once which facilities there are
    with held_down(house, "identity"):
        deeds.registered(desk, name)
        new.page.get_by_label("User name").fill("demo.nurse")
        new.page.locator("#f-password").fill(house.secret("demo-password"))
        new.page.locator("main form button[type=submit]").click()
        expect(new.page.get_by_text("is away for a moment")).to_be_visible()
        expect(new.page.locator("main code")).not_to_be_empty()
    new.sign_in("demo.nurse", house.secret("demo-password"))
    new.trouble.clear()

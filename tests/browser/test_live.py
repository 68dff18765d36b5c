"""What one desk does is on the screen of another at once, and nothing of a person is said on the way."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser import deeds
from tests.browser.tabs import Tab
from tests.system.house import word

WITHIN_MS = 2000.0  # the row's own
_APPOINTMENT = re.compile("/booking/([0-9a-f-]{36})")
_HEARD = """() => {
  window.heard = [];
  const source = new EventSource("/live");
  const keep = (event) => window.heard.push([event.type, event.data]);
  for (const kind of ["appointment", "ping", "lost"]) source.addEventListener(kind, keep);
  return new Promise((ready) => source.addEventListener("open", ready, { once: true }));
}"""


def place(desk: Tab, nth: int) -> tuple[str, str]:
    """Go from a patient's page to a free place; the day and the doctor of it, before it is taken."""
    doctor, _, starts_at = str(deeds.places(desk).nth(nth).get_attribute("value")).partition(" ")
    return starts_at[:10], doctor


@pytest.mark.row("UI-06")
def test_a_booking_of_one_desk_is_in_the_calendar_of_another_at_once_and_only_ids_were_sent(tab):
    one, two, name = tab("receptionist"), tab("receptionist"), word()
    deeds.registered(one, name)
    day, _ = place(one, 5)
    with two.page.expect_response("**/calendar/feed"):
        two.goto(f"/calendar?view=day&day={day}")
    two.page.evaluate(_HEARD)
    one.page.locator(".place").nth(5).click()
    one.page.locator("main button", has_text="Book").click()
    one.page.wait_for_url(_APPOINTMENT)
    booked = _APPOINTMENT.search(one.page.url)[1]
    expect(two.page.locator(f"[data-appointment='{booked}']")).to_be_visible(timeout=WITHIN_MS)
    heard = two.page.evaluate("window.heard")
    said = [json.loads(data) for kind, data in heard if kind == "appointment"]
    assert booked in [each["id"] for each in said]
    assert {frozenset(each) for each in said} == {frozenset({"id", "doctor_id", "facility_id"})}
    assert name not in json.dumps(heard)

"""The main pages as others see them: in the dark, from right to left, on a telephone; axe finds nothing serious."""

from __future__ import annotations

import pytest

from tests.browser.tabs import PHONE
from tests.browser.walking import closely

MAIN = {
    "super_admin": ["home.show", "components.show", "people.show", "roles.create", "trail.search", "wording.edit",
                    "reports.appointments", "places.show", "programs.list_all"],
    "receptionist": ["calendar.show", "patients.search", "patients.register", "patients.show", "booking.free",
                     "booking.show", "requests.show", "messages.deliveries", "account.show"],
    "doctor": ["home.show", "schedules.hours", "history.new allergies", "doctors.show"],
    "patient": ["mine.appointments", "mine.book", "mine.record", "mine.accesses", "mine.messages"],
}  # fmt: skip
NOT_LINKED = {"components.show": "/ui"}


@pytest.mark.parametrize("role", MAIN)
def test_the_main_pages_can_be_used_in_the_dark_and_from_right_to_left(tab, walks, role):
    """Both at once: colours know nothing of directions. Then the same in daylight on a telephone, in Arabic."""
    known = {**walks.of(role).opened, **NOT_LINKED}
    dark, phone = tab(role, color_scheme="dark", locale="ar"), tab(role, size=PHONE, locale="ar")
    wrong = []
    for kind in MAIN[role]:
        for window in (dark, phone):
            window.goto(known[kind])
            window.settle()
            root = window.page.locator("html")
            assert (root.get_attribute("dir"), root.get_attribute("lang")) == ("rtl", "ar")
            wrong += [f"{kind}: {each}" for each in (closely(window) if window is dark else window.serious())]
    assert dark.page.locator("html").get_attribute("data-bs-theme") == "dark"
    assert wrong == []

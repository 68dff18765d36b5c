"""One's own account: a second factor and what to do without the device, another password, and going home."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import deeds
from tests.browser.tabs import DESKTOP, PHONE
from tests.system.house import add_user


def answer(own, code: str) -> None:
    """The question for a code, at the door."""
    own.page.locator("#f-code").fill(code)
    deeds.send(own)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_second_factor_is_set_up_asked_for_used_once_and_taken_away_by_an_administrator(tab, admin, size):
    _, person = add_user(admin, "receptionist")
    own = tab(size=size)
    page = own.page
    own.sign_in(person.username, person.password)
    deeds.own_password(own, person.password)
    own.goto("/account")
    page.get_by_role("link", name="Set it up").click()
    device, (backup, *_) = deeds.enrol(own)

    def again(code: str) -> None:
        deeds.signed_out(own)
        own.knock(person.username, deeds.PASSWORD)
        answer(own, code)

    again("000000")
    expect(page.get_by_role("alert")).to_contain_text("This code does not fit.")
    shown = device.now()
    answer(own, shown)
    expect(page.get_by_role("heading", name="Today").or_(page.locator("h1")).first).to_be_visible()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    again(shown)
    expect(page.get_by_role("alert")).to_contain_text("This code does not fit.")
    answer(own, backup)
    page.wait_for_url(lambda url: "/sign-in" not in url)
    again(backup)
    expect(page.get_by_role("alert")).to_contain_text("This code does not fit.")
    assert not own.overflows()

    chief = tab("super_admin")
    chief.goto(f"/people/{person.id}")
    chief.page.get_by_role("button", name="Take the second factor away").click()
    deeds.agree(chief)
    expect(chief.page.get_by_text("none", exact=True)).to_be_visible()
    own.sign_in(person.username, deeds.PASSWORD)
    expect(page.get_by_label("Your account")).to_be_visible()


def test_another_password_counts_at_once_and_what_was_typed_outlives_a_sign_out(tab, admin):
    _, person = add_user(admin, "receptionist")
    own, wanted = tab(), "Seifenblase Gartentor Lakritze"
    page = own.page
    own.sign_in(person.username, person.password)
    deeds.own_password(own, person.password)
    own.goto("/account/password")
    for name, value in {"current_password": deeds.PASSWORD, "new_password": wanted, "repeated": "Another"}.items():
        page.locator(f"#f-{name}").fill(value)
    deeds.send(own)
    expect(page.locator("#f-repeated")).to_have_attribute("aria-invalid", "true")
    for name, value in {"current_password": deeds.PASSWORD, "new_password": wanted, "repeated": wanted}.items():
        page.locator(f"#f-{name}").fill(value)
    deeds.send(own)
    expect(page.get_by_text("The password is changed.")).to_be_visible()

    own.goto("/patients/new")
    with page.expect_response(lambda got: got.url.endswith("/drafts")):
        page.get_by_label("Family name").fill("Halfway")
    page.evaluate("unsaved.clear()")
    deeds.signed_out(own)
    page.locator("#f-username").fill(person.username)
    page.locator("#f-password").fill(deeds.PASSWORD)
    deeds.send(own)
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("#f-password").fill(wanted)
    deeds.send(own)
    page.wait_for_url(lambda url: "/sign-in" not in url)
    own.goto("/patients/new")
    expect(page.get_by_text("This was typed before and not sent.")).to_be_visible()
    expect(page.get_by_label("Family name")).to_have_value("Halfway")

"""Two desks at once, forms that are sent twice, and what is kept of them when a session ends."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser import deeds
from tests.system.house import word


def test_of_two_desks_one_gets_the_place_and_the_other_is_told_what_is_free(tab):
    one, two = tab("receptionist"), tab("receptionist")
    for each in (one, two):
        deeds.registered(each, word())
        deeds.places(each)
    one.page.locator(".place").nth(20).click()
    one.page.locator("main button", has_text="Book").click()
    expect(one.page.get_by_text(deeds.BOOKED)).to_be_visible()
    two.page.locator(".place").nth(20).click()
    expect(two.page.get_by_text("This time has just been taken.")).to_be_visible()
    assert two.page.locator("section button.text-start").count() == 3
    two.page.locator("section button.text-start").first.click()
    two.page.locator("main button", has_text="Book").click()
    expect(two.page.get_by_text(deeds.BOOKED)).to_be_visible()


def test_what_is_sent_twice_happens_once(tab):
    desk, name = tab("receptionist"), word()
    deeds.registered(desk, name)
    page = desk.page
    page.go_back()
    page.locator("main form button[type=submit]").last.click()
    desk.goto("/patients")
    page.locator("#f-text").fill(name)
    expect(page.locator("#found tbody tr")).to_have_count(1)


def test_what_was_typed_survives_a_session_that_ended(tab, house):
    desk, name = tab("receptionist"), word()
    desk.goto("/patients/new")
    with desk.page.expect_response(lambda got: got.url.endswith("/drafts")):
        desk.page.get_by_label("Family name").fill(name)
    desk.page.context.clear_cookies()
    desk.trouble.clear()
    desk.page.evaluate("unsaved.clear()")
    desk.sign_in("demo.receptionist", house.secret("demo-password"))
    desk.goto("/patients/new")
    expect(desk.page.get_by_label("Family name")).to_have_value(name)

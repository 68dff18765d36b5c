"""A house in which nobody has been: the super admin sets it up, and the first people come, some from outside."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import deeds
from tests.browser.conftest import SUPER_ADMIN
from tests.browser.tabs import Tab, opened
from tests.provider import Provider
from tests.system.effects import messages
from tests.system.house import RunningHouse

ROLE, DIRECTORY = "ward_clerk", "Ward Directory"


@pytest.fixture(scope="module")
def outside() -> Iterator[Provider]:
    """Where people of the town sign in too."""
    with Provider() as made:
        yield made


@pytest.fixture(scope="module")
def new_house(outside: Provider) -> Iterator[RunningHouse]:
    """Empty, and with an outside provider."""
    with tempfile.TemporaryDirectory(prefix="house-", ignore_cleanup_errors=True) as folder:
        running = RunningHouse(Path(folder) / "house", provider={**outside.client(), "SIGN_IN_PROVIDER": DIRECTORY})
        try:
            running.up()
            yield running
        finally:
            running.down()


@pytest.fixture
def window(chromium: Browser, new_house: RunningHouse, outside: Provider) -> Iterator[Callable[..., Tab]]:
    """Opens windows on the new house."""
    made: list[Tab] = []

    def open_one(**options: Any) -> Tab:
        made.append(opened(chromium, new_house.url, beside=(outside.url,), **options))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def ready(chromium: Browser, new_house: RunningHouse) -> Iterator[tuple[Tab, str]]:
    """The super admin, from the password that works once through all first steps to the first user, and what opens for
    that one.
    """
    first = opened(chromium, new_house.url)
    once = new_house.secret("super-admin")
    first.sign_in(SUPER_ADMIN, once)
    deeds.own_password(first, once)
    expect(first.page.get_by_role("heading", name="Welcome to your house")).to_be_visible()
    yield first, first_steps(first, new_house)
    first.close()


def first_steps(begun: Tab, new_house: RunningHouse) -> str:
    page = begun.page
    deeds.fits(begun)
    page.get_by_role("link", name="Go on The facility and its clocks").click()
    deeds.fits(begun)
    page.locator("#f-name").fill("Lindenhof")
    page.locator("#f-zone").fill("Moon/Tranquility")
    deeds.send_named(begun, "Add it and go on")
    expect(page.locator("#f-zone")).to_have_attribute("aria-invalid", "true")
    page.locator("#f-zone").fill("Africa/Cairo")
    page.locator("#f-phone").fill("+20 2 2735 0000")
    deeds.send_named(begun, "Add it and go on")

    expect(page.get_by_text("Lindenhof is there.")).to_be_visible()
    deeds.fits(begun)
    page.locator("#f-name").fill("Garden wing")
    deeds.send_named(begun, "Add it and go on")

    expect(page.get_by_role("heading", name="A test message")).to_be_visible()
    page.locator("#f-to").fill("you@example.org")
    deeds.send_named(begun, "Send a test message")
    expect(page.get_by_text("The message is on its way")).to_be_visible()
    assert ["you@example.org"] in [each["to"] for each in messages(new_house, "email")]
    deeds.fits(begun)
    page.get_by_role("link", name="It has arrived: go on").click()

    deeds.fits(begun)
    page.get_by_role("link", name="New user").click()
    deeds.fits(begun)
    once = deeds.new_user(begun, "first.receptionist", "receptionist")
    page.get_by_role("link", name="Back to the first steps").click()
    expect(page.get_by_role("heading", name="Your house is ready")).to_be_visible()
    expect(page.locator(".way .badge", has_text="done")).to_have_count(5)
    deeds.fits(begun)
    return once


@pytest.fixture(scope="module")
def begun(ready: tuple[Tab, str]) -> Tab:
    """The super admin of a house that is set up."""
    return ready[0]


def test_the_first_steps_lead_from_the_first_password_to_the_first_user(ready, window):
    other = window()
    other.sign_in("first.receptionist", ready[1])
    deeds.own_password(other, ready[1])
    expect(other.page.get_by_text("Lindenhof").first).to_be_visible()
    other.goto("/calendar")
    expect(other.page.get_by_text("Times of Cairo")).to_be_visible()


def test_a_role_of_the_house_may_what_it_says_and_wants_a_second_factor(begun, window):
    page = begun.page
    begun.goto("/roles/new")
    page.locator("#f-title").fill("Ward clerk")
    page.locator("#f-name").fill(ROLE)
    page.locator("#f-description").fill("Looks for patients, and changes nothing")
    page.locator("#f-requires_second_factor").check()
    for right in ("facilities.read", "patients.read", "account.own"):
        page.locator(f"[name=permissions][value='{right}']").check()
    deeds.fits(begun)
    deeds.send(begun)
    expect(page.get_by_role("heading", name="Ward clerk")).to_be_visible()
    deeds.fits(begun)
    begun.goto("/people/new")
    once = deeds.new_user(begun, "ward.clerk", ROLE)

    clerk = window()
    clerk.sign_in("ward.clerk", once)
    deeds.own_password(clerk, once)
    expect(clerk.page.get_by_text("Your work here wants one.")).to_be_visible()
    clerk.goto("/patients")
    expect(clerk.page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    shown = [each.strip() for each in clerk.page.locator("nav.side a").all_inner_texts()]
    assert shown == ["Today"], "nothing but the way to it is shown"
    device, codes = deeds.enrol(clerk)
    assert len(codes) == 10
    shown = clerk.page.locator("nav.side a").all_inner_texts()
    assert [each.strip() for each in shown] == ["Today", "Patients", "Facilities"]
    deeds.signed_out(clerk)
    clerk.knock("ward.clerk", deeds.PASSWORD)
    clerk.page.locator("#f-code").fill(device.now())
    deeds.send(clerk)
    expect(clerk.page.locator("nav.side a", has_text="Patients")).to_be_visible()


def test_a_program_gets_an_account_and_a_key_that_is_shown_once(begun):
    page = begun.page
    begun.goto("/programs/new")
    page.locator("#f-display_name").fill("Laboratory feed")
    page.locator("#f-client_id").fill("lab-feed")
    page.get_by_label("Nurse").check()
    deeds.fits(begun)
    deeds.send(begun)
    page.locator("#f-label").fill("Of this year")
    page.locator("#f-days").fill("90")
    deeds.send_named(begun, "Make a key")
    expect(page.get_by_role("heading", name="The secret of the new key")).to_be_visible()
    assert len(page.locator("#once").inner_text()) > 20
    deeds.fits(begun)
    page.reload()
    assert page.locator("#once").count() == 0
    page.get_by_role("link", name="Laboratory feed").click()
    page.get_by_role("button", name="Take back").click()
    deeds.agree(begun)
    expect(page.locator(".badge", has_text="taken back")).to_be_visible()


def test_who_is_known_to_the_provider_comes_in_with_the_roles_of_the_groups(begun, window, outside):
    page = begun.page
    begun.goto("/roles/groups")
    page.locator("[name='entries.0.group']").fill("ward-3")
    page.locator("[name='entries.0.roles'][value=receptionist]").check()
    deeds.send_named(begun, "Save")
    expect(page.get_by_text("The table is saved.")).to_be_visible()
    deeds.fits(begun)

    come = window()
    come.goto("/sign-in")
    deeds.fits(come)
    come.page.get_by_role("link", name=f"Sign in with {DIRECTORY}").click()
    come.page.wait_for_url(lambda url: url.startswith(come.home) and "sign" not in url)
    come.page.get_by_label("Your account").click()
    expect(come.page.get_by_text("Ada Example", exact=True)).to_be_visible()
    assert come.page.locator("nav.side a", has_text="Patients").count() == 1
    come.goto("/account")
    expect(come.page.get_by_text("by another house")).to_be_visible()


def test_who_is_in_no_known_group_is_told_so_at_the_door(window, outside, monkeypatch):
    other = {"sub": "person-2", "preferred_username": "bo", "groups": ["elsewhere"]}
    monkeypatch.setattr(outside, "person", {**outside.person, **other})
    come = window()
    come.goto("/sign-in")
    come.page.get_by_role("link", name=f"Sign in with {DIRECTORY}").click()
    come.page.wait_for_url(lambda url: url.startswith(come.home))
    expect(come.page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(come.page.get_by_role("status").filter(has_text="did not succeed")).to_be_visible()
    assert "code=" not in come.page.url

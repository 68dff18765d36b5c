"""The super admin's console: what a house needs from its administration is done on pages, and seen there."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.browser.tabs import Tab
from tests.system.house import Client, RunningHouse, sign_in
from tests.unit.frontend.test_console import test_every_job_of_the_administration_has_a_page as every_job_has_a_page

WRONG = "not the password of anybody"


def fill(page: Page, **fields: str) -> None:
    """Type into fields by their names, or choose where there is a list."""
    for name, value in fields.items():
        field = page.locator(f"main [name='{name}']").last
        is_list = field.evaluate("each => each.tagName === 'SELECT'")
        field.select_option(value) if is_list else field.fill(value)


def send(page: Page, text: str) -> None:
    page.locator("main form button[type=submit]", has_text=text).last.click()


def added(tab: Tab, path: str, button: str, **fields: str) -> None:
    """One more thing of a list, which shows it."""
    tab.goto(path)
    fill(tab.page, **fields)
    send(tab.page, button)
    expect(tab.page.locator("main")).to_contain_text(fields["name"])


def a_user(tab: Tab, name: str) -> None:
    tab.goto("/people/new")
    fill(tab.page, display_name=name, username=name.lower())
    tab.page.locator("main [name=roles][value=nurse]").check()
    send(tab.page, "Make the account")
    expect(tab.page.locator("main")).to_contain_text(name)
    tab.goto("/people")
    tab.page.locator("#f-text").fill(name)
    expect(tab.page.locator("main a", has_text=name).first).to_be_visible()


def a_role(tab: Tab, name: str) -> None:
    tab.goto("/roles/new")
    fill(tab.page, title=name, name=name.lower(), description="Made on a page")
    tab.page.locator("main [name=permissions][value='patients.read']").check()
    send(tab.page, "Save")
    tab.goto(f"/roles/{name.lower()}")
    expect(tab.page.locator("main")).to_contain_text("Made on a page")


def a_department(tab: Tab, name: str) -> None:
    tab.goto("/places")
    tab.page.locator("main a", has_text="New department").first.click()
    fill(tab.page, name=name)
    send(tab.page, "Save")
    expect(tab.page.locator("main")).to_contain_text(name)


def a_room(tab: Tab, name: str) -> None:
    added(tab, "/lists/rooms", "Add", name=name, kind="room")


def a_type(tab: Tab, name: str) -> None:
    added(tab, "/lists/types", "Add", name=name, minutes="25", audience="staff")


def a_text(tab: Tab, name: str) -> None:
    tab.goto("/message-texts?language=en&channel=sms")
    tab.page.locator("main table a").first.click()
    fill(tab.page, text=f"{name} {{{{facility}}}}")
    send(tab.page, "Save")
    tab.goto("/message-texts?language=en&channel=sms")
    expect(tab.page.locator("main table")).to_contain_text(name)


def a_setting(tab: Tab, name: str) -> None:
    tab.goto("/message-texts/settings")
    fill(tab.page, from_name=name)
    send(tab.page, "Save")
    tab.goto("/message-texts/settings")
    expect(tab.page.locator("#f-from_name")).to_have_value(name)


JOBS: dict[str, Callable[[Tab, str], None]] = {
    "User": a_user,
    "Role": a_role,
    "Ward": a_department,
    "Room": a_room,
    "Type": a_type,
    "Text": a_text,
    "Setting": a_setting,
}


@pytest.mark.row("WFL-01")
def test_every_job_of_the_administration_is_done_in_one_console_without_a_shell(tab):
    """One of each kind is done here; that no other job lacks a page is held by the list of all of them."""
    every_job_has_a_page()
    console = tab("super_admin")
    for word, job in JOBS.items():
        job(console, f"{word}{secrets.token_hex(3)}")


@pytest.fixture
def counters(house: RunningHouse) -> Iterator[psycopg.Connection]:
    """The store of the counters, for what only time would do; none is left behind."""
    url = (house.home / "environ" / "identity" / "DATABASE_URL").read_text(encoding="utf-8").strip()
    with psycopg.connect(url, autocommit=True) as store:
        store.execute("DELETE FROM failure_counters")
        yield store
        store.execute("DELETE FROM failure_counters")


def tried(client: Client, username: str, password: str) -> int:
    return sign_in(client, username, password=password).status


def shut(client: Client, username: str) -> None:
    """Wrong passwords until nobody is asked any more."""
    assert [tried(client, username, WRONG) for _ in range(11)] == [401] * 10 + [429]


def lift_all(console: Tab) -> None:
    """Every counter that the page shows, one by one."""
    console.goto("/people/waits")
    lift = console.page.locator("main button", has_text="Lift")
    while (count := lift.count()) > 0:
        lift.first.click()
        expect(lift).to_have_count(count - 1)
    expect(console.page.locator("main")).to_contain_text("Nobody has to wait.")


@pytest.mark.row("SEC-03")
def test_a_lock_ends_or_is_lifted_on_a_page_and_an_administrator_always_comes_in(tab, house, counters):
    """By user and by address; an administrator who was here before comes in by the own browser."""
    console, client = tab("super_admin"), Client(house.url)
    pharmacist, password = "demo.pharmacist", house.secret("demo-password")
    shut(client, pharmacist)
    assert tried(client, pharmacist, password) == 429
    lift_all(console)
    assert tried(client, pharmacist, password) == 201, "lifted"
    shut(client, pharmacist)
    counters.execute("UPDATE failure_counters SET closed_until = now() - interval '1 second'")
    assert tried(client, pharmacist, password) == 201, "it ended by itself"
    tried(client, "nobody.here", WRONG)
    counters.execute("UPDATE failure_counters SET closed_until = now() + interval '1 hour' WHERE kind = 'source'")
    assert tried(client, pharmacist, password) == 429, "the address waits"
    lift_all(console)
    assert tried(client, pharmacist, password) == 201, "lifted for the address"
    shut(client, "admin")
    own = house.secret("super-admin-changed")
    assert tried(client, "admin", own) == 429, "somebody else has shut the administrator out"
    console.page.context.clear_cookies(name="session")
    console.sign_in("admin", own)
    lift_all(console)
    assert tried(client, "admin", own) == 201
    client.close()

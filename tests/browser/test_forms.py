"""What goes wrong with forms: sent twice, late, from an old page, too large; nothing is lost, nothing doubled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis as redispy
from playwright.sync_api import Page, Response, expect

from frontend.session import Session, Sessions
from tests.browser import deeds
from tests.browser.conftest import ROLES, SUPER_ADMIN
from tests.browser.tabs import Tab
from tests.system.house import Client, Person, RunningHouse, add_user, hire, word
from tests.waiting import wait_for

ASKED = "This was not sent yet"
FOUND = "#found tbody tr"
LARGEST_BODY = 1 << 20


@pytest.fixture(scope="module")
def chief(house: RunningHouse) -> Iterator[Person]:
    client = Client(house.url)
    yield Person(client, "", SUPER_ADMIN, [], house.secret("super-admin-changed")).sign_in()
    client.close()


@pytest.fixture(scope="module")
def clerk(chief: Person) -> Person:
    """Somebody at a desk whose sessions an administrator may end."""
    return hire(chief, "receptionist")


def filled(page: Page, family_name: str) -> None:
    page.get_by_label("Family name").fill(family_name)
    page.get_by_label("Given name").fill("Mira")
    page.locator("#f-administrative_gender").select_option("female")
    page.locator("#f-birth_date").fill("1984-11-05")


def send(page: Page) -> None:
    page.locator("main form[data-draft] button[type=submit]").last.click()


def registered(desk: Tab, family_name: str) -> str:
    deeds.registered(desk, family_name)
    return desk.page.url


def expect_once(desk: Tab, family_name: str) -> None:
    desk.goto("/patients")
    desk.page.locator("#f-text").fill(family_name)
    expect(desk.page.locator(FOUND)).to_have_count(1)


def test_a_double_click_and_two_sendings_at_once_register_one_patient(tab):
    desk, name = tab("receptionist"), word()
    desk.goto("/patients/new")
    filled(desk.page, name)
    desk.page.locator("main form[data-draft] button[type=submit]").last.dblclick()
    expect(desk.page.locator(".patient-name")).to_contain_text(name)
    expect_once(desk, name)
    other = word()
    desk.goto("/patients/new")
    filled(desk.page, other)
    addresses = desk.page.evaluate(
        """async () => {
            const form = document.querySelector("main form[data-draft]");
            const sent = () => fetch(form.action, { method: "POST", body: new FormData(form) });
            const got = await Promise.all([sent(), sent(), sent()]);
            unsaved.clear();
            return got.map((each) => each.url);
        }"""
    )
    assert len(set(addresses)) == 1
    expect_once(desk, other)


@pytest.fixture
def ends(house: RunningHouse, chief: Person, clerk: Person) -> Callable[[str, Tab], None]:
    """Ends the session of a tab, as the name says."""

    def idle(desk: Tab) -> None:
        url = (house.home / "environ" / "frontend" / "BUS_URL").read_text(encoding="utf-8").strip()
        (cookie,) = (each["value"] for each in desk.page.context.cookies() if each["name"] == "session")
        with redispy.Redis.from_url(url) as bus:
            Sessions(bus, secret="-").end(Session(cookie))

    def by_administrator(_: Tab) -> None:
        chief.post(f"/api/v1/users/{clerk.id}/end-sessions")
        wait_for(lambda: clerk.get("/api/v1/facilities").status == 401, within_s=20, what="the session is over")

    return lambda how, desk: {"idle": idle, "ended by an administrator": by_administrator}[how](desk)


@pytest.mark.parametrize("how", ["idle", "ended by an administrator"])
@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "none"])
def test_what_is_sent_after_the_session_has_ended_goes_on_after_the_sign_in_once(tab, clerk, ends, how, has_scripts):
    clerk.sign_in()
    desk, name = tab(java_script_enabled=has_scripts), word()
    desk.sign_in(clerk.username, clerk.password)
    desk.goto("/patients/new")
    filled(desk.page, name)
    ends(how, desk)
    send(desk.page)
    expect(desk.page.get_by_text("You were signed out meanwhile.")).to_be_visible()
    desk.page.get_by_label("User name").fill(clerk.username)
    desk.page.locator("#f-password").fill(clerk.password)
    desk.page.locator("main form button[type=submit]").click()
    expect(desk.page.get_by_role("heading", name=ASKED)).to_be_visible()
    expect(desk.page.get_by_text(name)).to_be_visible()
    desk.page.get_by_role("link", name="Look at it first").click()
    expect(desk.page.get_by_label("Family name")).to_have_value(name)
    expect(desk.page.locator("#f-birth_date")).to_have_value("1984-11-05")
    desk.goto("/kept")
    desk.page.get_by_role("button", name="Send it now").click()
    expect(desk.page.locator(".patient-name")).to_contain_text(name)
    desk.page.go_back()
    desk.goto("/kept")
    assert desk.path == "/", "what was sent is kept no longer"
    desk.goto("/patients")
    desk.page.locator("#f-text").fill(name)
    if not has_scripts:
        desk.page.locator("#f-text").press("Enter")
    expect(desk.page.locator("#found tbody tr")).to_have_count(1)


def test_what_one_person_left_behind_is_not_shown_to_the_next(tab, clerk, ends, house):
    clerk.sign_in()
    desk, name = tab(), word()
    desk.sign_in(clerk.username, clerk.password)
    desk.goto("/patients/new")
    filled(desk.page, name)
    ends("idle", desk)
    send(desk.page)
    expect(desk.page.get_by_text("You were signed out meanwhile.")).to_be_visible()
    desk.sign_in(ROLES["receptionist"], house.secret("demo-password"))
    assert desk.path == "/"
    assert name not in desk.page.content()
    desk.goto("/kept")
    assert name not in desk.page.content()
    desk.goto("/patients/new")
    assert name not in desk.page.content()


def test_a_form_of_a_tab_that_slept_through_a_new_sign_in_goes_on_with_one_click(tab, clerk, ends):
    clerk.sign_in()
    desk, name = tab(), word()
    desk.sign_in(clerk.username, clerk.password)
    desk.goto("/patients/new")
    filled(desk.page, name)
    ends("idle", desk)
    other = Tab(desk.page.context.new_page(), desk.home)
    other.sign_in(clerk.username, clerk.password)
    send(desk.page)
    expect(desk.page.get_by_role("heading", name=ASKED)).to_be_visible()
    desk.page.get_by_role("button", name="Send it now").click()
    expect(desk.page.locator(".patient-name")).to_contain_text(name)


def test_a_form_that_is_too_large_is_answered_by_a_page_that_says_so(tab):
    desk = tab("receptionist")
    desk.goto("/patients/new")
    with desk.page.expect_response(lambda got: got.request.method == "POST" and got.url.endswith("/new")) as got:
        desk.page.evaluate(
            """(size) => {
                const form = document.querySelector("main form[data-draft]");
                form.querySelector("#f-given_name").value = "x".repeat(size);
                form.submit();
            }""",
            LARGEST_BODY + 1000,
        )
    assert got.value.status == 413
    expect(desk.page.get_by_text("too large to be sent").first).to_be_visible()
    expect(desk.page.get_by_text(got.value.headers["x-request-id"])).to_be_visible()


def test_a_picture_that_is_too_large_is_told_of_before_it_is_sent(tab, tmp_path: Path):
    desk, file = tab("admin"), tmp_path / "large.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(513 * 1024))
    desk.goto("/doctors")
    address = desk.page.locator("main a[href^='/doctors/']:not([href*=new])").first.get_attribute("href")
    desk.goto(f"{address}/picture")
    field = desk.page.locator("#f-photo")
    field.set_input_files(file)
    assert field.evaluate("field => field.validationMessage").startswith("This picture is too large")
    field.evaluate("field => field.setCustomValidity('')")  # as a browser without scripts sends it
    with desk.page.expect_response(lambda got: got.request.method == "POST") as got:
        desk.page.locator("main form button[type=submit]").first.click()
    assert 400 <= got.value.status < 500
    expect(desk.page.locator("main")).to_contain_text(re.compile("512 KB|too large|marked fields"))


def _of_patient(desk: Tab, _: Person) -> str:
    return registered(desk, word()).removeprefix(desk.home) + "/edit"


def _of_doctor(desk: Tab, _: Person) -> str:
    desk.goto("/doctors")
    found = desk.page.locator("main a[href^='/doctors/']:not([href*=new])").first.get_attribute("href")
    return f"{found}/edit"


def _of_user(_: Tab, chief: Person) -> str:
    return f"/people/{add_user(chief, 'nurse')[1].id}/edit"


def _of_setting(*_: object) -> str:
    return "/message-texts/settings"


STALE = {
    "patient": ("receptionist", _of_patient, "given_name"),
    "doctor": ("admin", _of_doctor, "given_name"),
    "user": ("admin", _of_user, "display_name"),
    "setting": ("admin", _of_setting, "from_name"),
}


@pytest.mark.parametrize("what", STALE)
def test_what_another_desk_has_changed_meanwhile_is_shown_beside_what_was_typed_and_one_chooses(tab, chief, what):
    role, address_of, field = STALE[what]
    desk = tab(role)
    address = address_of(desk, chief)
    other = Tab(desk.page.context.new_page(), desk.home)
    theirs, mine, chosen = word(), word(), word()
    for each in (desk, other):
        each.goto(address)
    for each, text in ((other, theirs), (desk, mine)):
        each.page.locator(f"#f-{field}").fill(text)
        saved(each.page)
    expect(other.page.locator("[role=status]").first).to_be_visible()
    both = desk.page.locator(".border-warning")
    expect(both).to_contain_text(theirs)
    expect(both).to_contain_text(mine)
    expect(both.get_by_role("link", name="drop what I typed")).to_be_visible()
    expect(desk.page.locator(f"#f-{field}")).to_have_value(mine)
    desk.page.locator(f"#f-{field}").fill(chosen)
    saved(desk.page)
    expect(both).to_have_count(0)
    desk.goto(f"{address}?anew=yes")
    expect(desk.page.locator(f"#f-{field}")).to_have_value(chosen)


def test_who_drops_what_was_typed_sees_what_the_other_desk_has_saved(tab):
    desk = tab("receptionist")
    address = registered(desk, word()).removeprefix(desk.home) + "/edit"
    other = Tab(desk.page.context.new_page(), desk.home)
    theirs, mine = word(), word()
    for each in (desk, other):
        each.goto(address)
    for each, text in ((other, theirs), (desk, mine)):
        each.page.locator("#f-given_name").fill(text)
        saved(each.page)
    desk.page.get_by_role("link", name="drop what I typed").click()
    expect(desk.page.locator("#f-given_name")).to_have_value(theirs)
    desk.goto(address)
    expect(desk.page.locator("#f-given_name")).to_have_value(theirs)


def kept(desk: Tab, name: str, text: str) -> None:
    """Type, and wait until the house has it: what was typed before may be on its way still."""

    def has_it(got: Response) -> bool:
        return got.url.endswith("/drafts") and text in (got.request.post_data or "")

    with desk.page.expect_response(has_it):
        desk.page.locator(f"#f-{name}").fill(text)


@pytest.mark.row("UI-05")
def test_who_leaves_a_form_is_asked_and_what_a_crash_took_is_there_again(tab):
    desk, name, note = tab("receptionist"), word(), word()
    desk.goto("/patients/new")
    kept(desk, "family_name", name)
    with desk.page.expect_event("dialog") as asked:  # which the tab answers with no
        desk.page.locator("nav.side a[href='/patients']").first.click(no_wait_after=True)
    assert asked.value.type == "beforeunload"
    desk.trouble.clear()
    expect(desk.page.get_by_label("Family name")).to_have_value(name)
    kept(desk, "given_name", note)
    desk.page.context.close()  # as a browser that dies: nobody is asked, nothing is said
    again = tab("receptionist")
    again.goto("/patients/new")
    expect(again.page.get_by_label("Family name")).to_have_value(name)
    expect(again.page.get_by_label("Given name")).to_have_value(note)
    expect(again.page.get_by_text("This was typed before and not sent.")).to_be_visible()
    again.page.get_by_role("link", name="begin anew").click()
    expect(again.page.get_by_label("Family name")).to_have_value("")
    again.goto("/patients/new")
    filled(again.page, name)
    send(again.page)
    expect(again.page.locator(".patient-name")).to_contain_text(name)
    again.goto("/patients/new")
    expect(again.page.get_by_label("Family name")).to_have_value("")


def test_a_draft_of_something_that_has_changed_meanwhile_shows_both_when_it_is_sent(tab):
    desk = tab("receptionist")
    address = registered(desk, word()).removeprefix(desk.home) + "/edit"
    other = Tab(desk.page.context.new_page(), desk.home)
    other.goto(address)
    desk.goto(address)
    theirs, mine = word(), word()
    other.page.locator("#f-given_name").fill(theirs)
    saved(other.page)
    expect(other.page.locator("[role=status]").first).to_be_visible()
    kept(desk, "given_name", mine)
    desk.page.evaluate("unsaved.clear()")
    desk.goto(address)
    expect(desk.page.locator("#f-given_name")).to_have_value(mine)
    saved(desk.page)
    expect(desk.page.locator(".border-warning")).to_contain_text(theirs)


def saved(page: Page) -> None:
    page.locator("main form").filter(has=page.locator("[name=_version]")).get_by_role("button", name="Save").click()

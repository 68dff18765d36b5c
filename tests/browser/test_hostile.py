"""Texts that would be scripts: kept and shown as they are, and nothing of them runs.

They go into every field of text that a role is shown, and into the house by its API; then every page is looked at that
the walk of that role has found. Where a field does not take a text, the form is shown again with it, which counts as
shown. The tab itself fails on a dialog, an error of a script, and a part that the page's policy has kept off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from playwright.sync_api import expect

from tests import pages
from tests.browser import deeds
from tests.browser.conftest import KIND
from tests.browser.tabs import Tab
from tests.browser.walking import LOOK
from tests.system.clinic import until
from tests.system.house import Client, Person, new_allergy, new_patient, word

HERE = Path(__file__).parent
FILL, SEND, UNESCAPED = ((HERE / f"{name}.js").read_text(encoding="utf-8") for name in ("fill", "send", "unescaped"))
CORPUS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "javascript:alert(1)",
    "{{1337*7331}}${1337*7331}<%= 1337*7331 %>",
    "<svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title></style><iframe srcdoc='<script>alert(1)</script>'>",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]
ALL_IN_ONE = "javascript:alert(1)//" + "".join(each for each in CORPUS if not each.startswith("javascript"))
TRIES = (ALL_IN_ONE, "'\"></textarea><img src=x onerror=alert(1)>{{1337*7331}}", "<svg/onload=alert(1)>")
ROLES = ["super_admin", "receptionist", "doctor", "patient"]
MARK = "alert(1)"


@pytest.fixture(scope="module", autouse=True)
def no_report_of_a_browser(house) -> Iterator[None]:
    """Nothing was kept off a page meanwhile, by what the house has counted itself."""
    before = reports(house)
    yield
    assert reports(house) == before


def reports(house) -> float:
    metrics = urllib3.request("GET", f"http://127.0.0.1:{house.port('frontend')}/metrics").data.decode()
    return sum(map(float, re.findall(r"^infirmary_page_parts_blocked_total\{.*\} (\S+)$", metrics, re.MULTILINE)))


def unescaped(tab: Tab) -> list[str]:
    return [f"{tab.path}: {each}" for each in tab.page.evaluate(UNESCAPED)]


@pytest.mark.parametrize("role", ROLES)
def test_every_field_of_text_takes_a_script_for_a_text(tab, walks, role, figure):
    """The whole corpus as one text first; a field that refuses it is sent less, and in the end what it takes."""
    offered, window = walks.of(role).sends, tab(role)
    sendings = [Sending(window, name, address) for name, address in offered.items()]
    wrong = [each for sending in sendings for each in sending.run()]
    figure(f"fields of text that {role} is shown", sum(len(each.names) for each in sendings), "fields")
    assert wrong == []
    assert [each.name for each in sendings if each.names and not each.is_taken and not each.is_shown] == []
    assert [each.name for each in sendings if each.names]


@dataclass
class Sending:
    """One form, sent until it is taken. names: its fields of text; is_shown: whether a script was seen as a text."""

    window: Tab
    name: str
    address: str
    names: list[str] = field(default_factory=list)
    is_taken: bool = False
    is_shown: bool = False

    def run(self) -> Iterator[str]:
        """What was wrong."""
        given, tried = dict[str, str | None](), dict[str, int]()
        for _ in range(len(TRIES) + 1):
            form = self._filled(given)
            if form is None:
                return
            self.names = form["names"]
            status = self._sent(is_live=form["isLive"])
            yield from unescaped(self.window)
            if status == 403:
                yield f"{self.name} is offered on {self.address} and refused"
            broken = set(
                self.window.page.eval_on_selector_all("[aria-invalid=true]", "all => all.map((it) => it.name)")
            )
            self.is_shown |= MARK in self.window.page.content()
            self.is_taken = status < 400
            if self.is_taken or not broken & set(self.names):
                return
            for each in broken:
                tried[each] = tried.get(each, 0) + 1
                given[each] = TRIES[tried[each]] if tried[each] < len(TRIES) else None

    def _filled(self, given: Mapping[str, str | None]) -> Any:
        self.window.goto(self.address)
        self.window.settle()
        sends = self.window.page.evaluate(LOOK)["sends"]
        paths = [urlsplit(each).path for each in sends if pages.endpoint(each, "POST") == self.name]
        return self.window.page.evaluate(FILL, [paths, TRIES[0], given])

    def _sent(self, *, is_live: bool) -> int:
        """The status of the answer; that of a part, where the form is one of those that send while one types."""
        page = self.window.page
        if is_live:
            with page.expect_response(lambda got: pages.endpoint(got.url, got.request.method) == self.name) as part:
                page.evaluate(SEND)
            self.window.settle()
            return int(part.value.status)
        with page.expect_navigation() as gone:
            page.evaluate(SEND)
        self.window.settle()
        return int(gone.value.status)


def test_texts_that_came_in_by_the_api_are_texts_on_every_page(tab, house, walks):
    """Patients and allergies whose names are scripts, as lists, records, histories, search and trail show them."""
    client = Client(house.url)
    admin = Person(client, "", "admin", ["super_admin"], house.secret("super-admin-changed")).sign_in()
    mark, desk = word(), tab("super_admin")
    ids = [
        until(admin, "POST", "/api/v1/patients", hostile_patient(mark, each)).expect(201).json["id"] for each in CORPUS
    ]
    for patient, each in zip(ids, CORPUS, strict=True):
        until(admin, "POST", f"/api/v1/patients/{patient}/allergies", new_allergy(each)).expect(201)
    client.close()
    seen = [f"/patients/{patient}{part}" for patient in ids for part in ("", "/history", "/changes", "/edit")]
    found = [each for address in [*seen, *walks.of("super_admin").opened.values()] for each in looked_at(desk, address)]
    assert found == []
    desk.goto("/patients")
    for field_, result in (("#f-text", "#found"), ("#command-text", "#command-found")):
        if field_ == "#command-text":
            desk.page.keyboard.press("Control+k")
        desk.page.locator(field_).fill(mark)
        expect(desk.page.locator(result)).to_contain_text(CORPUS[0])
        assert unescaped(desk) == []


def hostile_patient(mark: str, text: str) -> dict[str, object]:
    address = {"lines": [text], "city": text, "country": "DE", "use": "home"}
    return new_patient(family_name=f"{mark} {text}", given_name=text, addresses=[address], confirm_duplicate=True)


def looked_at(desk: Tab, address: str) -> list[str]:
    """What is not escaped on a page."""
    if address.partition("?")[0].endswith(".csv"):
        return []
    desk.goto(address)
    desk.settle()
    return unescaped(desk)


def test_reasons_are_texts_wherever_they_are_read(tab, clinic):
    """In forms that one comes to by sending another one, where no walk comes: a booking, one over it, and one's own."""
    desk, chief, own, name = tab("receptionist"), tab("super_admin"), tab(), deeds.a_name("Reason")
    deeds.registered(desk, deeds.a_name("Over"))
    chief.page.goto(desk.page.url)
    deeds.places(chief)
    deeds.registered(desk, name)
    record = desk.page.url
    wanted = str(deeds.places(desk).nth(8).get_attribute("value"))
    for window in (desk, chief):
        window.page.locator(f".place[value='{wanted}']").click()
    expect(chief.page.get_by_text("This time has just been taken.")).to_be_visible()
    chief.page.locator("#f-overbook_reason").fill(ALL_IN_ONE)
    for window in (desk, chief):
        window.page.locator("#f-reason").fill(ALL_IN_ONE)
        window.page.locator("main form button[type=submit]", has_text="Book").first.click()
        expect(window.page.get_by_text(deeds.BOOKED)).to_be_visible()
        expect(window.page.get_by_text(ALL_IN_ONE).first).to_be_visible()
        assert unescaped(window) == []
    day = wanted.split()[1][:10]
    assert [looked_at(chief, f"/calendar{part}day={day}") for part in ("/day?", "?view=day&")] == [[], []]

    desk.page.goto(record)
    deeds.activate(own, deeds.code(desk), f"own.{name.lower()}")
    own.goto("/mine/book")
    own.page.locator("#f-appointment_type_id").select_option(label=KIND)
    own.page.locator("#f-specialization_id").select_option(label="General practice")
    own.page.locator(".place").nth(20).click()
    own.page.locator("#f-reason").fill(ALL_IN_ONE)
    own.page.get_by_role("button", name="Book it").click()
    expect(own.page.get_by_text(ALL_IN_ONE).first).to_be_visible()
    assert unescaped(own) == []
    assert looked_at(own, "/mine") == looked_at(chief, urlsplit(record).path) == []

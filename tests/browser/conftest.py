"""One house with its demo, and Chromium."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests import needs
from tests.browser.tabs import Tab, opened
from tests.browser.walking import Atlas, Walk, Walker
from tests.system.clinic import Clinic
from tests.system.house import COMES_UP_S, Client, Person, RunningHouse

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
"""The last one cuts it off from everything but this machine."""
ROLES = {
    "admin": "demo.admin",
    "receptionist": "demo.receptionist",
    "nurse": "demo.nurse",
    "doctor": "demo.doctor",
    "pharmacist": "demo.pharmacist",
    "records_clerk": "demo.records-clerk",
    "auditor": "demo.auditor",
    "patient": "demo.patient",
}
SUPER_ADMIN = "admin"
WAITS_MS = 20_000  # a page that is slow is not wrong
KIND = "Follow-up"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the house too. Names that are scripts come last: they stay in the house."""
    items.sort(key=lambda item: item.path.name == "test_hostile.py")
    for item in items:
        item.add_marker(pytest.mark.timeout(COMES_UP_S + 240))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser."""
    program = needs.find("chromium")
    expect.set_options(timeout=WAITS_MS)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def house() -> Iterator[RunningHouse]:
    """A house with invented people; it is stopped at the end, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="house-", ignore_cleanup_errors=True) as folder:
        running = RunningHouse(Path(folder) / "house", has_demo=True)
        try:
            running.up()
            yield running
        finally:
            running.down()


def entered(chromium: Browser, house: RunningHouse, role: str | None, **options: Any) -> Tab:
    """A window of somebody of this role; of nobody yet without one."""
    tab = opened(chromium, house.url, **options)
    if role == "super_admin":
        tab.sign_in(SUPER_ADMIN, house.secret("super-admin-changed"))
    elif role is not None:
        tab.sign_in(ROLES[role], house.secret("demo-password"))
    return tab


@dataclass
class Walks:
    """What the walks of this run have found, each done once, when it is first asked for."""

    chromium: Browser
    house: RunningHouse
    atlas: Atlas = field(default_factory=Atlas)
    done: dict[str, Walk] = field(default_factory=dict)

    def of(self, role: str) -> Walk:
        """What somebody of this role is shown."""
        if role not in self.done:
            tab = entered(self.chromium, self.house, role)
            self.done[role] = Walker(tab, self.atlas).go()
            tab.close()
        return self.done[role]


@pytest.fixture(scope="session")
def walks(chromium: Browser, house: RunningHouse) -> Walks:
    """Of everybody."""
    return Walks(chromium, house)


@pytest.fixture(scope="session")
def admin(house: RunningHouse) -> Iterator[Person]:
    """The super admin behind the gateway, who prepares what a journey begins with."""
    client = Client(house.url)
    yield Person(client, "", SUPER_ADMIN, ["super_admin"], house.secret("super-admin-changed")).sign_in()
    client.close()


@pytest.fixture(scope="session")
def clinic(admin: Person) -> Clinic:
    """The facility of the demo, where a journey can have doctors whom no other one books."""
    (facility,) = admin.get("/api/v1/facilities").expect(200).json["items"][:1]
    location = admin.get(f"/api/v1/locations?facility_id={facility['id']}").expect(200).json["items"][0]["id"]
    types = admin.get("/api/v1/appointment-types").expect(200).json["items"]
    (kind,) = (each["id"] for each in types if each["name"] == KIND)
    return Clinic(admin, facility["id"], location, kind)


@pytest.fixture
def tab(chromium: Browser, house: RunningHouse) -> Iterator[Callable[..., Tab]]:
    """Opens windows: `tab("receptionist", size=PHONE)` is signed in, `tab()` is not."""
    made: list[Tab] = []

    def open_one(role: str | None = None, **options: Any) -> Tab:
        made.append(entered(chromium, house, role, **options))
        return made[-1]

    yield open_one
    for each in made:
        each.close()

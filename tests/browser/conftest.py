"""One house with its demo, and Chromium."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests import needs
from tests.browser.tabs import Tab, opened
from tests.system.clinic import Clinic
from tests.system.house import COMES_UP_S, Client, Person, RunningHouse

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the house too."""
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
        made.append(opened(chromium, house.url, **options))
        if role == "super_admin":
            made[-1].sign_in(SUPER_ADMIN, house.secret("super-admin-changed"))
        elif role is not None:
            made[-1].sign_in(ROLES[role], house.secret("demo-password"))
        return made[-1]

    yield open_one
    for each in made:
        each.close()

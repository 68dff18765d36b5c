"""One house with its demo, and Chromium."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import needs
from tests.browser.tabs import Tab, opened
from tests.system.house import COMES_UP_S, RunningHouse

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the house too."""
    for item in items:
        item.add_marker(pytest.mark.timeout(COMES_UP_S + 240))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser."""
    program = needs.find("chromium")
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

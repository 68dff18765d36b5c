"""`make screenshots`: the main screens of the web UI as pictures, into docs/screens/.

    python -m tests.browser.screens [NAME ...]

They are taken of a house of its own with invented people, at desktop and phone width, in light and where it tells most
in dark, and kept as WebP, which Chromium writes itself. The house is stopped at the end, whatever happens. Wants
Chromium, and for all names in their own letters fonts of those (fonts-noto-core, fonts-noto-cjk).
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests import needs
from tests.browser import scenes
from tests.browser.conftest import FLAGS, ROLES, SUPER_ADMIN
from tests.browser.scenes import Scene
from tests.browser.tabs import PHONE, Tab, opened
from tests.system.house import ROOT, RunningHouse

INTO = ROOT / "docs" / "screens"
DESKTOP = {"width": 1280, "height": 800}
QUALITY = {"desktop": 82, "phone": 78}
SETTLED_MS = 700
Steps = Callable[[Page, Scene], None]


@dataclass(frozen=True)
class Screen:
    """One page and who looks at it. looks: size and theme of each picture. path: where it begins, from a scene."""

    role: str
    path: Callable[[Scene], str]
    looks: tuple[str, ...] = ("desktop-light", "phone-light")
    steps: Steps | None = None


def _booking(page: Page, _: Scene) -> None:
    page.locator("#f-appointment_type_id").select_option(label="Follow-up")
    page.locator("#f-specialization_id").select_option(label="General practice")
    page.locator(".place").first.wait_for()


def _calendar(page: Page, _: Scene) -> None:
    page.locator(".booked-here, #day").first.wait_for()


def _plot(page: Page, _: Scene) -> None:
    page.locator("canvas").first.scroll_into_view_if_needed()


def _patient(scene: Scene) -> str:
    """Somebody with allergies, whose name most can read."""
    known = [each for each in scene.patients if each["language"] in {"de", "es"}]
    asked = (each for each in known if scene.boss.get(_allergies(each)).json["items"])
    return f"/patients/{next(asked)['id']}"


def _allergies(patient: Mapping[str, str]) -> str:
    return f"/api/v1/patients/{patient['id']}/allergies"


SCREENS: Mapping[str, Screen] = {
    "sign-in": Screen("", lambda _: "/sign-in", ("desktop-light", "phone-dark")),
    "home": Screen("receptionist", lambda _: "/", ("desktop-light", "desktop-dark", "phone-light")),
    "patient": Screen("nurse", _patient, ("desktop-light", "phone-dark")),
    "booking": Screen(
        "receptionist", lambda scene: _patient(scene).replace("/patients/", "/booking?patient_id="), steps=_booking
    ),
    "calendar": Screen(
        "doctor", lambda _: "/calendar?view=week", ("desktop-light", "desktop-dark", "phone-light"), _calendar
    ),
    "requests": Screen("receptionist", lambda _: "/requests"),
    "doctor": Screen("doctor", lambda _: "/", ("desktop-light", "phone-light")),
    "reports": Screen(
        "admin", lambda _: "/reports/appointments", ("desktop-light", "desktop-dark", "phone-light"), _plot
    ),
    "users": Screen("super_admin", lambda _: "/people", ("desktop-light", "phone-dark")),
    "mine": Screen("patient", lambda _: "/mine", ("desktop-light", "phone-light", "phone-dark")),
}


def main(names: list[str]) -> int:
    """Take them; the exit code."""
    chosen = {name: SCREENS[name] for name in names or SCREENS}
    try:
        program = needs.find("chromium", environ={**os.environ, "CI": ""})
    except BaseException as error:  # pytest's way to say that something is not there is no Exception
        sys.stderr.write(f"screenshots: {error}\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="house-", ignore_cleanup_errors=True) as folder:
        house = RunningHouse(Path(folder) / "house", has_demo=True)
        try:
            house.up()
            take(scenes.dressed(house), program, chosen)
        finally:
            house.down()
    return 0


def take(scene: Scene, program: str, chosen: Mapping[str, Screen], *, into: Path = INTO) -> None:
    """The pictures of a house that is up."""
    into.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for name, screen in chosen.items():
            for look in screen.looks:
                picture = _picture(browser, scene, screen, *look.split("-"))
                (into / f"{name}-{look}.webp").write_bytes(picture)
                sys.stdout.write(f"{name}-{look}.webp {len(picture) / 1024:.0f} KiB\n")
                sys.stdout.flush()
        browser.close()


def _picture(browser: Browser, scene: Scene, screen: Screen, size: str, theme: str) -> bytes:
    tab = opened(
        browser,
        scene.house.url,
        size=PHONE if size == "phone" else DESKTOP,
        color_scheme=theme,
        device_scale_factor=1.5,
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    _sign_in(tab, scene, screen.role)
    tab.goto(screen.path(scene))
    if screen.steps is not None:
        screen.steps(tab.page, scene)
    tab.page.wait_for_load_state("networkidle" if not screen.role else "load")
    tab.page.evaluate("() => document.fonts.ready")
    tab.page.wait_for_timeout(SETTLED_MS)  # parts that come by themselves: the count of messages, the plot
    asked = {"format": "webp", "quality": QUALITY[size]}
    taken = tab.page.context.new_cdp_session(tab.page).send("Page.captureScreenshot", asked)
    tab.close()
    return base64.b64decode(taken["data"])


def _sign_in(tab: Tab, scene: Scene, role: str) -> None:
    if role == "super_admin":
        tab.sign_in(SUPER_ADMIN, scene.house.secret("super-admin-changed"))
    elif role:
        tab.sign_in(ROLES[role], scene.house.secret("demo-password"))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

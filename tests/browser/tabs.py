"""What a person does in a browser, and what must not happen meanwhile: scripts that fail, parts that are refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

AXE = Path(__file__).parent / "axe.min.js"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 360, "height": 740}
TABLET = {"width": 768, "height": 1024}
TOLD = "addEventListener('securitypolicyviolation', (it) => console.error('kept off: ' + it.effectiveDirective))"
SERIOUS = {"serious", "critical"}
# What a hand does: clicks, and choices out of a list, which take one too.
_COUNTS = """for (const kind of ["click", "change"]) addEventListener(kind, (event) => {
  if (kind === "click" ? event.detail > 0 : event.target.matches("select"))
    sessionStorage.setItem("acts", 1 + Number(sessionStorage.getItem("acts")));
}, true);"""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class Tab:
    """One window of one person.

    trouble: complaints of the browser, answers from 500 on, dialogs that nobody asked for.
    """

    page: Page
    home: str
    trouble: list[str] = field(default_factory=list)

    def goto(self, path: str) -> Response | None:
        return self.page.goto(self.home + path)

    @property
    def path(self) -> str:
        """Where one is, without ids."""
        parts = urlsplit(self.page.url)
        return _ID.sub("<id>", parts.path)

    def sign_in(self, username: str, password: str) -> None:
        self.knock(username, password)
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def knock(self, username: str, password: str) -> None:
        """Name and password, whatever the house says to them."""
        self.goto("/sign-in")
        self.page.locator("#f-username").fill(username)
        self.page.locator("#f-password").fill(password)
        self.page.locator("main form button[type=submit]").click()

    def settle(self) -> None:
        """Wait for the parts that the page asks for by itself."""
        expect(self.page.locator(".htmx-request")).to_have_count(0)

    @property
    def acts(self) -> int:
        """Clicks and choices of this window so far."""
        return int(self.page.evaluate("Number(sessionStorage.getItem('acts'))"))

    def serious(self) -> list[str]:
        """What axe finds serious or worse, as rule and place."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.page.evaluate("() => axe.run({resultTypes: ['violations']})")
        return [
            f"{rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in found["violations"]
            if rule["impact"] in SERIOUS
            for node in rule["nodes"]
        ]

    def overflows(self) -> bool:
        """Whether one has to scroll sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"))

    def close(self) -> None:
        self.page.context.close()
        assert self.trouble == []


def opened(
    browser: Browser, home: str, *, size: dict[str, int] = DESKTOP, beside: tuple[str, ...] = (), **options: Any
) -> Tab:
    """A new window of somebody who was never here. beside: other addresses that it may ask."""
    context: BrowserContext = browser.new_context(viewport=size, **options)
    context.add_init_script(TOLD)
    context.add_init_script(_COUNTS)
    tab = Tab(context.new_page(), home)
    tab.page.on("pageerror", lambda error: tab.trouble.append(f"error: {error}"))
    tab.page.on("dialog", lambda dialog: (tab.trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    tab.page.on("console", lambda said: _heard(tab, said))
    tab.page.on(
        "request",
        lambda asked: None if _is_one_of(asked.url, home, *beside) else tab.trouble.append(f"asked {asked.url}"),
    )
    tab.page.on("response", lambda got: tab.trouble.append(f"{got.status} {got.url}") if got.status >= 500 else None)
    return tab


def _heard(tab: Tab, said: Any) -> None:
    """A refusal that a test wants (404, 409, 422) is written to the console too, and is none of these."""
    if said.type in {"error", "warning"} and "Failed to load resource" not in said.text:
        tab.trouble.append(f"console: {said.text}")


def _is_one_of(url: str, *homes: str) -> bool:
    return url.startswith((*homes, "data:", "blob:", "about:"))

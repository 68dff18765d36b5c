"""Somebody who has no mouse: goes from place to place by Tab, and each place must show itself and come in its order."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.browser.tabs import Tab

MOST_STOPS = 120

# Where the focus is: how it is marked there, and whether it lies behind the place before, as one reads.
_HERE = """() => {
  const here = document.activeElement, before = window.stoppedAt;
  if (!here || here === document.body || here === before) return null;
  window.stoppedAt = here;
  const marks = [here, here.parentElement, document.querySelector(`label[for="${CSS.escape(here.id || "-")}"]`)];
  const shows = (one) => {
    const style = one && getComputedStyle(one);
    const isOutlined = style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return style && (isOutlined || style.boxShadow !== "none");
  };
  const box = here.getBoundingClientRect();
  const isBehind = before && before.isConnected && !here.matches(".way-in"); // there a page begins once more
  const lies = isBehind ? before.compareDocumentPosition(here) : Node.DOCUMENT_POSITION_FOLLOWING;
  return {
    name: here.id || here.textContent.trim().slice(0, 40) || here.tagName,
    isMarked: marks.some(shows),
    isSeen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
    isNext: Boolean(lies & Node.DOCUMENT_POSITION_FOLLOWING),
  };
}"""


@dataclass
class Keys:
    """One keyboard. wrong: places where the focus was not to be seen, or came out of order."""

    tab: Tab
    wrong: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tab.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.tab.page.keyboard.type(text)

    def to(self, selector: str, *, text: str = "") -> None:
        """On by Tab until the focus is at what is wanted."""
        is_there = """([selector, text]) => document.activeElement.matches(selector)
          && document.activeElement.textContent.includes(text)"""
        self.tab.page.evaluate("() => { window.stoppedAt = null; }")
        for _ in range(MOST_STOPS):
            if self.tab.page.evaluate(is_there, [selector, text]):
                return
            self.press("Tab")
            self._look()
        raise AssertionError(f"Tab does not lead to {selector} {text}")

    def choose(self, selector: str, text: str) -> None:
        """Out of a list, by the first letters of what is wanted."""
        self.to(selector)
        self.type(text)

    def enter(self) -> None:
        """Follow or send what the focus is at, and arrive."""
        with self.tab.page.expect_navigation():
            self.press("Enter")

    def _look(self) -> None:
        here = self.tab.page.evaluate(_HERE)
        if here is None:
            return  # between the end of the page and its beginning, or in a part of the same field
        for fault in ("isMarked", "isSeen", "isNext"):
            if not here[fault]:
                self.wrong.append(f"{self.tab.path} {here['name']!r}: not {fault}")

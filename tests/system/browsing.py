"""A browser without scripts: cookies, forms with what stands hidden in them, redirects, and a page that listens."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import urllib3

from tests.system.house import Reply

PAGE = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
_TOKEN = re.compile(r'<meta name="csrf" content="([^"]*)"')


class Browser:
    """One browser, at the address of a house. page: what it shows now. source: the address that it comes from."""

    def __init__(self, url: str, *, source: str = "127.0.0.1") -> None:
        self.url, self.cookies, self.page = url, dict[str, str](), Reply(0, {}, b"")
        timeout = urllib3.Timeout(connect=5, read=20)
        self._pool = urllib3.PoolManager(retries=False, timeout=timeout, source_address=(source, 0))

    def get(self, path: str, **more: str) -> Reply:
        """Go there, and on to where it leads."""
        return self._shown("GET", path, None, more)

    def post(self, path: str, fields: Mapping[str, str], **more: str) -> Reply:
        """Send a form of the page that is shown, and go on to where it leads."""
        token = _TOKEN.search(self.page.body.decode())
        body = urlencode({"_csrf": unescape(token[1]) if token else "", **fields})
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": self.url, **more}
        return self._shown("POST", path, body, headers)

    def sign_in(self, username: str, password: str) -> Reply:
        """By the page for it."""
        self.get("/sign-in")
        return self.post("/sign-in", {"username": username, "password": password})

    def listen(self, lines: int) -> Iterator[str]:
        """So many lines of what a page hears that is open; fewer where the connection breaks."""
        found = self._pool.request("GET", f"{self.url}/live", headers=self._headers({}), preload_content=False)
        with contextlib.closing(found), contextlib.suppress(urllib3.exceptions.HTTPError):
            assert found.status == 200, found.status
            rest = b""
            for part in found.stream(1 << 12):
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    yield line.decode()
                    lines -= 1
                    if lines <= 0:
                        return

    def close(self) -> None:
        self._pool.clear()

    def _shown(self, method: str, path: str, body: str | None, more: Mapping[str, str]) -> Reply:
        for _ in range(5):
            found = self._pool.request(method, self.url + path, body=body, headers=self._headers(more), redirect=False)
            for line in found.headers.getlist("set-cookie"):
                self.cookies |= {name: each.value for name, each in SimpleCookie(line).items()}
            headers = {name.lower(): value for name, value in found.headers.items()}
            self.page = Reply(found.status, headers, found.data)
            if found.status not in {302, 303}:
                return self.page
            method, path, body, more = "GET", headers["location"].removeprefix(self.url), None, {}
        raise AssertionError("it is led in a circle")

    @property
    def cookie(self) -> str:
        """As it is sent."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**PAGE, **({"cookie": self.cookie} if self.cookies else {}), **more}


@contextlib.contextmanager
def browsers(url: str) -> Iterator[Callable[[], Browser]]:
    """Opens one after the other at the address of a house; all are closed at the end."""
    with contextlib.ExitStack() as made:
        yield lambda: made.enter_context(contextlib.closing(Browser(url)))

"""A real mail server for tests, which keeps what it gets, and what links in mails hold."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from standalone.inbox.faults import Faults
from standalone.inbox.mail import MailSink
from standalone.inbox.store import Store
from tests.places import free_port

_TOKEN = re.compile(r"#token=([A-Za-z0-9_-]+)")


class Mailbox:
    """One server on a free port."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._store = Store(Path(self._folder.name) / "mails")
        self._port = free_port()
        self._server = Controller(MailSink(self._store, Faults()), hostname="127.0.0.1", port=self._port)
        self._server.start()

    def settings(self) -> dict[str, str]:
        """What a house is told of it."""
        return {
            "SMTP_URL": f"smtp://127.0.0.1:{self._port}",
            "MAIL_FROM": "house@infirmary.example",
            "PUBLIC_URL": "https://house.example.org",
        }

    def newest_first(self) -> list[dict[str, Any]]:
        """What has come."""
        return [json.loads(each) for each in self._store.newest_first()]

    def stop(self) -> None:
        """End it."""
        self._server.stop()
        self._store.close()
        self._folder.cleanup()


def tokens(messages: Iterable[dict[str, Any]], *, to: str) -> list[str]:
    """What the links in somebody's mails hold, newest first."""
    texts = (each["text"] for each in messages if to in each["to"])
    return [found[1] for text in texts if (found := _TOKEN.search(text))]


Links = Callable[[str], str]
"""What the link in the newest mail to an address holds, once it has come."""

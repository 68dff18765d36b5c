"""The inbox of a house as a process of its own, for tests that send to it."""

from __future__ import annotations

import json
import smtplib
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import urllib3

from standalone.servers import envoy
from standalone.settings import ROOT
from tests.places import free_port
from tests.waiting import wait_for

TOKEN, ACCOUNT, SECRET = "sms t0ken", "AC0123456789abcdef0123456789abcdef", "sms s3cret"


class Inbox:
    """One inbox: started, killed and started again on the same folder and ports."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.smtp = folder, free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._options = []
        for option, text in (("token", TOKEN), ("account", ACCOUNT), ("secret", SECRET)):
            file = folder / f"sms-{option}"
            file.write_text(text + "\n")
            self._options += [f"--sms-{option}", str(file)]

    def start(self) -> None:
        """Run it; back when it answers."""
        command = [sys.executable, "-m", "standalone.inbox", str(self.folder / "data"), str(self.port), str(self.smtp)]
        self.process = subprocess.Popen([*command, *self._options], cwd=ROOT)
        wait_for(lambda: envoy.answers(f"{self.url}/healthz"), what="the inbox answers")

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """One request; a body that is no bytes goes as JSON."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        with urllib3.PoolManager(retries=False, timeout=10) as pool:
            return pool.request(method, self.url + path, body=sent, headers=headers)

    def items(self, query: str = "") -> list[dict[str, Any]]:
        """What has come, newest first."""
        return self.ask("GET", f"/api/messages{query}").json()["items"]

    def counts(self, kind: str) -> dict[str, int]:
        """What was counted of one kind."""
        return self.ask("GET", "/api/counts").json()[kind]

    def faults(self, **asked: object) -> None:
        """Ask for faults; without any, for none."""
        assert self.ask("PUT", "/api/faults", asked).status == 200

    def subscription(self, **given: str) -> dict[str, Any]:
        """A new browser that takes push messages."""
        return self.ask("POST", "/push/subscriptions", given).json()

    def mail(self, *, subject: str, text: str, reference: str | None = None) -> None:
        """Send a mail."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "house@example.org", "zoe@example.org", subject
        if reference is not None:
            message["Message-ID"] = reference
        message.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=10) as smtp:
            smtp.send_message(message)

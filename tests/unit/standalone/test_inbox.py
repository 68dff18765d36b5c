"""The inbox as a process: mail by SMTP, text messages and pushes by HTTP, a page that shows text as text."""

from __future__ import annotations

import json
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
import urllib3

from standalone.inbox import Messages
from standalone.servers import envoy, ports
from standalone.settings import ROOT

EVIL = "<script>alert(1)</script>"


@dataclass
class Inbox:
    """A running inbox."""

    folder: Path
    port: int
    smtp: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "standalone.inbox", str(self.folder), str(self.port), str(self.smtp)]
        self.process = subprocess.Popen(command, cwd=ROOT)
        until = time.monotonic() + 20
        while not envoy.answers(f"{self.url}/healthz"):
            assert time.monotonic() < until, "the inbox does not come up"
            time.sleep(0.05)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> urllib3.BaseHTTPResponse:
        sent = None if body is None else json.dumps(body).encode()
        with urllib3.PoolManager(retries=False, timeout=10) as pool:
            return pool.request(method, self.url + path, body=sent, headers=headers)

    def items(self) -> list[dict]:
        return self.ask("GET", "/api/messages").json()["items"]

    def mail(self, *, subject: str, text: str) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "house@example.org", "zoe@example.org", subject
        message.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=10) as smtp:
            smtp.send_message(message)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    running = Inbox(tmp_path_factory.mktemp("inbox"), ports.free(), ports.free())
    running.start()
    yield running
    running.kill()


@pytest.fixture(autouse=True)
def _is_empty(inbox: Inbox) -> None:
    inbox.ask("DELETE", "/api/messages")


def test_a_mail_is_shown_with_its_text_in_any_script(inbox: Inbox):
    inbox.mail(subject="Ваш приём", text="Grüße, 您好\n")
    [message] = inbox.items()
    assert (message["kind"], message["to"], message["subject"]) == ("email", ["zoe@example.org"], "Ваш приём")
    assert message["text"] == "Grüße, 您好\n"
    assert "Ваш приём" in inbox.ask("GET", "/").data.decode()


def test_text_messages_and_pushes_are_shown_newest_first(inbox: Inbox):
    assert inbox.ask("POST", "/sms", {"to": "+1 202 555 0100", "text": "first"}).status == 201
    assert inbox.ask("POST", "/push", {"to": "device", "subject": "S", "text": "second"}).status == 201
    assert [(each["kind"], each["text"]) for each in inbox.items()] == [("push", "second"), ("sms", "first")]


def test_what_looks_like_a_script_is_shown_as_text(inbox: Inbox):
    inbox.mail(subject=EVIL, text=EVIL)
    number = inbox.items()[0]["number"]
    for path in ("/", f"/messages/{number}"):
        page = inbox.ask("GET", path)
        assert EVIL not in page.data.decode()
        assert "&lt;script&gt;" in page.data.decode()
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("body", [[], {"to": "x", "text": 3}, {"text": "nobody"}, "words"])
def test_a_message_of_another_form_is_refused(inbox: Inbox, body: object):
    assert inbox.ask("POST", "/sms", body).status == 422
    assert inbox.items() == []


def test_a_page_of_another_site_does_not_get_in_by_a_name_of_its_own(inbox: Inbox):
    assert inbox.ask("GET", "/api/messages", Host=f"evil.example:{inbox.port}").status == 403


def test_what_is_not_there_is_404(inbox: Inbox):
    assert [inbox.ask("GET", path).status for path in ("/messages/99999", "/nothing", "/messages/x")] == [404, 404, 404]


def test_messages_survive_the_death_of_the_inbox(inbox: Inbox):
    inbox.mail(subject="kept", text="kept")
    number = inbox.items()[0]["number"]
    inbox.kill()
    inbox.start()
    assert [(each["number"], each["subject"]) for each in inbox.items()] == [(number, "kept")]


def test_only_the_last_messages_are_kept_and_a_torn_line_does_no_harm(tmp_path: Path):
    messages = Messages(tmp_path / "messages.jsonl", most=3)
    for number in range(20):
        messages.add("sms", to=["x"], subject="", text=str(number))
    with (tmp_path / "messages.jsonl").open("a") as file:
        file.write('{"number": 21, "ki')
    again = Messages(tmp_path / "messages.jsonl", most=3)
    assert [each["text"] for each in again.newest_first()] == ["19", "18", "17"]
    assert len((tmp_path / "messages.jsonl").read_text().splitlines()) == 3
    assert again.add("sms", to=["x"], subject="", text="next") == 21

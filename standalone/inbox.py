"""The inbox of the house: takes every mail, text message and push, sends none, and shows them on one page.

`python -m standalone.inbox FOLDER PORT SMTP_PORT`. Mail comes by SMTP; text messages and pushes by
`POST /sms` and `POST /push` with a JSON object. `GET /api/messages` gives them as JSON, newest first.
"""

from __future__ import annotations

import email
import email.policy
import hmac
import json
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from standalone import inbox_page
from standalone.servers.ports import HOST

MOST_MESSAGES = 500
MOST_BYTES = 1 << 20
KINDS = ("email", "sms", "push")
_FIELDS = ("to", "subject", "text")


class Messages:
    """The last messages, kept in a file of one JSON line each."""

    def __init__(self, file: Path, *, most: int = MOST_MESSAGES) -> None:
        self._file, self._most = file, most
        self._lock = threading.Lock()
        self._kept = self._read()[-most:]
        self._lines = len(self._kept)
        self._rewrite()

    def add(
        self, kind: str, *, to: Sequence[str], subject: str, text: str, more: Mapping[str, Any] | None = None
    ) -> int:
        """Keep a message; its number."""
        with self._lock:
            number = (self._kept[-1]["number"] if self._kept else 0) + 1
            message = {
                "number": number,
                "kind": kind,
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "to": list(to),
                "subject": subject,
                "text": text,
                **(more or {}),
            }
            self._kept = [*self._kept, message][-self._most :]
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(message) + "\n")
            self._lines += 1
            if self._lines > 2 * self._most:
                self._rewrite()
            return number

    def newest_first(self, *, kind: str | None = None, to: str | None = None) -> list[dict[str, Any]]:
        """Messages, of one kind or to one address if so asked."""
        with self._lock:
            kept = list(reversed(self._kept))
        return [each for each in kept if kind in (None, each["kind"]) and (to is None or to in each["to"])]

    def get(self, number: int) -> dict[str, Any] | None:
        """One message."""
        return next((each for each in self.newest_first() if each["number"] == number), None)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept = []
            self._rewrite()

    def _read(self) -> list[dict[str, Any]]:
        found = []
        for line in self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else ():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue  # the last line of a process that was killed while it wrote
        return found

    def _rewrite(self) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text("".join(json.dumps(each) + "\n" for each in self._kept), encoding="utf-8")
        fresh.replace(self._file)
        self._lines = len(self._kept)


class MailSink:
    """Takes every mail that is sent to anybody."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """A mail has come: keep it, then say so."""
        content = envelope.content or b""
        raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        part = mail.get_body(preferencelist=("plain", "html"))
        text = str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
        more = {
            "from": envelope.mail_from or "",
            "message_id": str(mail.get("Message-ID", "")),
            "attachments": [each.get_filename() or "" for each in mail.iter_attachments()],
        }
        self._messages.add("email", to=envelope.rcpt_tos, subject=str(mail.get("Subject", "")), text=text, more=more)
        return "250 kept"


class Page(BaseHTTPRequestHandler):
    """The page, its JSON, and the sinks for text messages and pushes."""

    protocol_version = "HTTP/1.1"
    server_version = "inbox"
    sys_version = ""
    timeout = 15
    messages: Messages
    hosts: frozenset[str]

    def do_GET(self) -> None:
        """Show the list, one message, or the JSON of them."""
        if not self._is_ours():
            return
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self._answer(200, b"alive", kind="text/plain")
        elif path == "/":
            self._answer(200, inbox_page.listing(self.messages.newest_first()))
        elif path == "/api/messages":
            self._json(200, {"items": self.messages.newest_first()})
        elif path.startswith("/messages/") and path.removeprefix("/messages/").isdecimal():
            message = self.messages.get(int(path.removeprefix("/messages/")[:12]))
            self._answer(404 if message is None else 200, inbox_page.one(message))
        else:
            self._json(404, {"title": "Nothing here"})

    def do_POST(self) -> None:
        """Keep a text message or a push."""
        kind = self.path.removeprefix("/")
        body = self._body() if self._is_ours() else None
        if body is None:
            return
        if kind not in KINDS[1:]:
            self._json(404, {"title": "Nothing here"})
            return
        message = _message_in(body)
        if message is None:
            self._json(422, {"title": 'Wanted: {"to": "…", "text": "…"}, with a "subject" if you like'})
            return
        number = self.messages.add(kind, to=[message["to"]], subject=message["subject"], text=message["text"])
        self._json(201, {"number": number})

    def do_DELETE(self) -> None:
        """Forget all messages."""
        if not self._is_ours():
            return
        if self.path == "/api/messages":
            self.messages.clear()
            self._answer(204, b"")
        else:
            self._json(404, {"title": "Nothing here"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing: an address may stand in what would be logged."""

    def _is_ours(self) -> bool:
        """Whether the browser means us: a page of another site that has turned its name to this machine does not."""
        host = self.headers.get("Host", "")
        if any(hmac.compare_digest(host.encode(), each.encode()) for each in self.hosts):
            return True
        self.close_connection = True
        self._json(403, {"title": "Not the name of this machine"})
        return False

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True
            self._json(413 if length.isdecimal() else 411, {"title": "Too large" if length else "Length wanted"})
            return None
        return self.rfile.read(int(length))

    def _json(self, status: int, value: object) -> None:
        self._answer(status, json.dumps(value).encode(), kind="application/json")

    def _answer(self, status: int, body: bytes, *, kind: str = "text/html; charset=utf-8") -> None:
        self.send_response(HTTPStatus(status))
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        # What a mail holds is text here, whatever it says; no script runs on this page.
        self.send_header(
            "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        )
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body if status != 204 else b"")


def _message_in(body: bytes) -> dict[str, str] | None:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict):
        return None
    message = {name: given.get(name, "") for name in _FIELDS}
    if not all(isinstance(each, str) for each in message.values()) or not message["to"]:
        return None
    return message


def main(arguments: Sequence[str]) -> int:
    """Run until SIGTERM."""
    folder, port, smtp_port = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    folder.mkdir(parents=True, exist_ok=True)
    messages = Messages(folder / "messages.jsonl")
    hosts = frozenset({f"{HOST}:{port}", f"localhost:{port}"})
    handler = type("OurPage", (Page,), {"messages": messages, "hosts": hosts})
    web = ThreadingHTTPServer((HOST, port), handler)
    web.daemon_threads = True
    mail = Controller(MailSink(messages), hostname=HOST, port=smtp_port, data_size_limit=MOST_BYTES)
    mail.start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=web.serve_forever, name="page", daemon=True).start()
    stop.wait()
    mail.stop()
    web.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The inbox over HTTP: its page, its JSON, and the services that it stands in for."""

from __future__ import annotations

import hmac
import json
import re
import time
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from standalone.inbox import page
from standalone.inbox.faults import Fault, Faults, NotAFault
from standalone.inbox.push import NotTaken, PushService
from standalone.inbox.store import KINDS, MOST_SHOWN, Store, Wanted
from standalone.inbox.text_messages import TextMessages
from standalone.servers.ports import HOST

MOST_BYTES = 1 << 20
_CHUNK = 64 * 1024
_NUMBER = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Parts:
    """What requests are answered with."""

    store: Store
    faults: Faults
    text_messages: TextMessages
    push: PushService


class _NotAsked(Exception):
    """A query that cannot be understood."""


def server(port: int, parts: Parts) -> ThreadingHTTPServer:
    """The server, not serving yet."""
    hosts = frozenset({f"{HOST}:{port}", f"localhost:{port}"})
    handler = type("OurInbox", (Inbox,), {"parts": parts, "hosts": hosts})
    return _Server((HOST, port), handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Inbox(BaseHTTPRequestHandler):
    """One connection of a browser, of a test, or of somebody who sends."""

    protocol_version = "HTTP/1.1"
    server_version = "inbox"
    sys_version = ""
    timeout = 60
    wbufsize = -1  # an answer goes out whole: in parts, each would wait until the one before is acknowledged
    disable_nagle_algorithm = True
    parts: Parts
    hosts: frozenset[str]

    def do_GET(self) -> None:
        """Show the list, one message, or the JSON of them."""
        if not self._is_ours():
            return
        address = urlsplit(self.path)
        try:
            query = _query(address.query)
        except _NotAsked:
            self._json(400, {"title": "Not a query of ours: kind, to, since, after, limit"})
            return
        match address.path:
            case "/healthz":
                self._answer(200, b"alive", kind="text/plain")
            case "/":
                self._list(query)
            case "/api/messages":
                self._stream(query)
            case "/api/counts":
                faults = self.parts.faults.counts()
                self._json(200, {kind: each | faults[kind] for kind, each in self.parts.store.counts().items()})
            case "/api/faults":
                self._json(200, self.parts.faults.asked())
            case path if path.startswith("/messages/") and _NUMBER.fullmatch(path.removeprefix("/messages/")):
                message = self.parts.store.get(int(path.removeprefix("/messages/")))
                self._answer(404 if message is None else 200, page.one(message))
            case _:
                self._json(404, {"title": "Nothing here"})

    def do_POST(self) -> None:
        """Keep a text message or a push message; make a subscription."""
        body = self._body() if self._is_ours() else None
        if body is None:
            return
        path = urlsplit(self.path).path
        if self.parts.text_messages.takes(path):
            self._text_message(path, body)
        elif path == "/push/subscriptions":
            self._subscribe(body)
        elif path.startswith("/push/"):
            self._push_message(path.removeprefix("/push/"), body)
        else:
            self._json(404, {"title": "Nothing here"})

    def do_PUT(self) -> None:
        """Ask for faults."""
        body = self._body() if self._is_ours() else None
        if body is None:
            return
        if self.path != "/api/faults":
            self._json(404, {"title": "Nothing here"})
            return
        try:
            self.parts.faults.ask(_parsed(body))
        except NotAFault as refusal:
            self._json(422, {"title": str(refusal)})
        else:
            self._json(200, self.parts.faults.asked())

    def do_DELETE(self) -> None:
        """Forget all messages, or end a subscription."""
        if not self._is_ours():
            return
        if self.path == "/api/messages":
            self.parts.store.clear()
            self._answer(204, b"")
        elif self.path.startswith("/push/") and self.parts.store.unsubscribe(self.path.removeprefix("/push/")):
            self._answer(204, b"")
        else:
            self._json(404, {"title": "Nothing here"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing: an address may stand in what would be logged."""

    # ---- what is taken -----------------------------------------------------------------------------------------------

    def _text_message(self, path: str, body: bytes) -> None:
        fault = self._fault("sms")
        reply = self.parts.text_messages.take(path, self.headers, body, refuses_with=fault.refuses_with)  # type: ignore[arg-type]
        if not self._is_lost(fault):
            self._json(reply.status, reply.body)

    def _push_message(self, subscription_id: str, body: bytes) -> None:
        fault = self._fault("push")
        if fault.refuses_with:
            self._json(fault.refuses_with, {"title": "As asked for"})
            return
        try:
            taken = self.parts.push.take(subscription_id, self.headers, body)  # type: ignore[arg-type]
        except NotTaken as refusal:
            self._json(refusal.status, {"title": refusal.title})
            return
        number = self.parts.store.add("push", **taken)
        if not self._is_lost(fault):
            self._answer(201, b"", location=f"/messages/{number}")

    def _subscribe(self, body: bytes) -> None:
        given = _parsed(body) if body else {}
        key = given.get("applicationServerKey") if isinstance(given, dict) else 0
        if key is not None and not isinstance(key, str):
            self._json(422, {"title": 'Wanted: nothing, or {"applicationServerKey": "…"}'})
            return
        self._json(201, self.parts.push.subscribe(key))

    def _fault(self, kind: str) -> Fault:
        fault = self.parts.faults.next(kind)
        time.sleep(fault.delay_s)
        return fault

    def _is_lost(self, fault: Fault) -> bool:
        """Whether the connection was left without an answer."""
        self.close_connection = self.close_connection or fault.loses_answer
        return fault.loses_answer

    # ---- what is shown -----------------------------------------------------------------------------------------------

    def _list(self, query: Wanted) -> None:
        wanted = Wanted(kind=query.kind, to=query.to, since=query.since, after=query.after, most=MOST_SHOWN)
        found = [json.loads(each) for each in self.parts.store.newest_first(wanted)]
        counts = {kind: each["received"] for kind, each in self.parts.store.counts().items()}
        self._answer(200, page.listing(found, counts=counts, kind=query.kind))

    def _stream(self, query: Wanted) -> None:
        """All messages that are asked for, in chunks: there may be many."""
        self._head(200, "application/json", length=None)
        waiting = b'{"items":['
        separator = b""
        for message in self.parts.store.newest_first(query):
            waiting += separator + message.encode()
            separator = b","
            if len(waiting) > _CHUNK:
                self._chunk(waiting)
                waiting = b""
        self._chunk(waiting + b"]}")
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, raw: bytes) -> None:
        self.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")

    # ------------------------------------------------------------------------------------------------------------------

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

    def _answer(
        self, status: int, body: bytes, *, kind: str = "text/html; charset=utf-8", location: str | None = None
    ) -> None:
        self._head(status, kind, length=len(body), location=location)
        self.wfile.write(body if status != 204 else b"")

    def _head(self, status: int, kind: str, *, length: int | None, location: str | None = None) -> None:
        self.send_response(HTTPStatus(status))
        if status != 204:
            self.send_header("Content-Type", kind)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        elif status != 204:
            self.send_header("Content-Length", str(length))
        if location is not None:
            self.send_header("Location", location)
        # What a mail holds is text here, whatever it says; no script runs on this page.
        self.send_header(
            "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        )
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _query(text: str) -> Wanted:
    given = {name: values[-1] for name, values in parse_qs(text).items()}
    numbers = {name: given.pop(name) for name in ("after", "limit") if name in given}
    is_known = set(given) <= {"kind", "to", "since"} and given.get("kind", KINDS[0]) in KINDS
    if not is_known or not all(_NUMBER.fullmatch(each) for each in numbers.values()):
        raise _NotAsked
    after, most = (int(numbers[name]) if name in numbers else None for name in ("after", "limit"))
    since = _moment(given["since"]) if "since" in given else None
    return Wanted(kind=given.get("kind"), to=given.get("to"), since=since, after=after, most=most)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _NotAsked from None
    if moment.tzinfo is None:
        raise _NotAsked
    return moment

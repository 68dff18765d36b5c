"""What happens while somebody looks: ids of appointments that were changed, and nothing of them.

A page that hears an id asks for what it may see, by the API, with its own rights. Server-sent events (HTML standard,
9.2): the browser connects again by itself when the connection breaks.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

import orjson
from prometheus_client import Gauge

from frontend import shield
from frontend.session import Session, Sessions
from services.chassis.stores import StoreError

LISTENING = Gauge("infirmary_live_connections", "Pages that hear of changes while they are open.")
_PING_S: Final = 10.0
_QUEUED: Final = 500
_LOST: Final = b"event: lost\ndata: {}\n\n"
_PING: Final = b"event: ping\ndata: {}\n\n"
_OVER: Final = b"event: over\ndata: {}\n\n"


@dataclass(eq=False)
class _Listener:
    """One open page. records: of which it may hear; None: of all."""

    loop: asyncio.AbstractEventLoop
    records: frozenset[str] | None
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(_QUEUED))

    def tell(self, line: bytes | None) -> None:
        """From any thread; who does not keep up hears that something was lost."""
        self.loop.call_soon_threadsafe(self._put, line)

    def _put(self, line: bytes | None) -> None:
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(_LOST)
        self.queue.put_nowait(line)


class Live:
    """All open pages of one process; an ASGI application."""

    def __init__(self, sessions: Sessions, *, is_secure: bool) -> None:
        self._sessions, self._cookie = sessions, shield.cookie_name(is_secure=is_secure)
        self._listeners: set[_Listener] = set()
        self._lock = threading.Lock()

    def heard(self, event: Mapping[str, Any]) -> None:
        """Tell those whom it concerns."""
        data = event.get("data") or {}
        told = {"id": event.get("subject"), "doctor_id": data.get("doctor_id"), "facility_id": data.get("facility_id")}
        line = b"event: appointment\ndata: " + orjson.dumps(told) + b"\n\n"
        for listener in self._all():
            if listener.records is None or data.get("patient_id") in listener.records:
                listener.tell(line)

    def lost(self) -> None:
        """Something may have been missed: who looks shall ask for all of it anew."""
        for listener in self._all():
            listener.tell(_LOST)

    def end(self) -> None:
        """The process stops."""
        for listener in self._all():
            listener.tell(None)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One page, as long as it is open and its session counts."""
        cookie = _cookie(scope, self._cookie)
        session = await self._session(cookie)
        if session is None:
            await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        listener = _Listener(asyncio.get_running_loop(), _records(session))
        with self._lock:
            self._listeners.add(listener)
        LISTENING.inc()
        gone = asyncio.create_task(_gone(receive))
        try:
            headers = [
                (b"content-type", b"text/event-stream; charset=utf-8"),
                (b"cache-control", b"no-store"),
                (b"x-accel-buffering", b"no"),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._speak(listener, str(cookie), gone, send)
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            LISTENING.dec()
            with self._lock:
                self._listeners.discard(listener)

    async def _speak(self, listener: _Listener, cookie: str, gone: asyncio.Task[None], send: Any) -> None:
        line: bytes | None = _PING
        while line is not None and not gone.done():
            await send({"type": "http.response.body", "body": line, "more_body": True})
            try:
                line = await asyncio.wait_for(listener.queue.get(), _PING_S)
            except TimeoutError:
                line = _PING
                if await self._session(cookie) is None:
                    await send({"type": "http.response.body", "body": _OVER, "more_body": True})
                    return

    async def _session(self, cookie: str | None) -> Session | None:
        """The session, when somebody is signed in; while the store is away nobody is thrown out."""
        if cookie is None:
            return None
        try:
            found = await asyncio.to_thread(self._sessions.load, cookie)
        except StoreError:
            return Session(cookie, {"access": "", "person": {"roles": ["patient"], "links": []}})
        return found if found.is_signed_in else None

    def _all(self) -> list[_Listener]:
        with self._lock:
            return list(self._listeners)


def _records(session: Session) -> frozenset[str] | None:
    """Who may read appointments hears of those; a patient of those in linked records."""
    person = session.get("person") or {}
    if person.get("roles") != ["patient"] and "appointments.read" in person.get("permissions", ()):
        return None
    return frozenset(each["patient_id"] for each in person.get("links", ()))


def _cookie(scope: Mapping[str, Any], name: str) -> str | None:
    for key, value in scope["headers"]:
        if key == b"cookie":
            try:
                found = SimpleCookie(value.decode("latin-1")).get(name)
            except CookieError:
                return None
            return found.value if found else None
    return None


async def _gone(receive: Any) -> None:
    """Ends when the browser has left."""
    while (await receive())["type"] != "http.disconnect":
        pass

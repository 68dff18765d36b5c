"""Requests to a service's whole application in this process: what they take without a network of our own."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import uvloop

_TOKEN = b"Bearer super_admin@01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request."""

    method: str
    path: str
    query: str = ""
    body: Any = None


def seconds(app: Any, requests: Iterable[Sent], *, wanted: int) -> list[float]:
    """How long each takes, one after the other.

    Raises:  RuntimeError: one was answered with another status.
    """

    async def all_of_them() -> list[float]:
        found = []
        for each in requests:
            started = time.perf_counter()
            status, body = await _call(app, each)
            found.append(time.perf_counter() - started)
            if status != wanted:
                raise RuntimeError(f"{each.method} {each.path} was answered with {status}: {body[:300]!r}")
        return found

    return uvloop.run(all_of_them())


def answer(app: Any, request: Sent) -> Any:
    """The body of one answer."""
    status, body = uvloop.run(_call(app, request))
    if status >= 300:
        raise RuntimeError(f"{request.method} {request.path} was answered with {status}: {body[:300]!r}")
    return orjson.loads(body)


async def _call(app: Any, request: Sent) -> tuple[int, bytes]:
    raw = b"" if request.body is None else orjson.dumps(request.body)
    sent = [{"type": "http.request", "body": raw, "more_body": False}]
    status, parts = 0, []

    async def receive() -> Any:
        return sent.pop() if sent else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        parts.append(message.get("body", b""))

    headers = [(b"host", b"x"), (b"authorization", _TOKEN), (b"idempotency-key", str(uuid.uuid4()).encode())]
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(raw)).encode())] if raw else []
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method}
    scope |= {"path": request.path, "raw_path": request.path.encode(), "query_string": request.query.encode()}
    scope |= {"root_path": "", "scheme": "http", "headers": headers, "server": ("x", 80), "client": ("127.0.0.1", 1)}
    await app(scope, receive, send)
    return status, b"".join(parts)

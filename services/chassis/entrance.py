"""The outermost layer of a web process: one place that every request passes and every answer leaves by.

It answers for health, metrics and the published contract itself, reads the body up to the limit, opens the span, and
makes a problem document of every error, whoever made it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from uuid import uuid4

import orjson
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.exceptions import HTTPException

from services.chassis import deadline, logs, metrics, problems, tracing
from services.chassis.admission import UnsupportedMedia
from services.chassis.bridge import BODY, CODE, ProblemException
from services.chassis.spec import Contract

REQUEST_ID = "infirmary.request_id"
LARGEST_BODY = 1 << 20
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}\Z")
_SLASH_REDIRECT = 307  # the router's own, to a path that is in no contract as it was asked for
_QUIET = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json"})


class _TooLarge(Exception):
    """The body is larger than the limit."""


class Face(Protocol):
    """What an entrance knows of the application behind it."""

    @property
    def published(self) -> tuple[bytes, str]:
        """What `/openapi.json` answers, and its entity tag; empty where there is none."""
        ...

    @property
    def speaks_for_itself(self) -> bool:
        """Whether its own answers to errors go out as they are."""
        ...

    def known(self, scope: Mapping[str, Any]) -> tuple[str, str] | None:
        """The name of what was asked for, and the template of its path; nothing where there is no such thing."""
        ...

    def allowed(self, path: str) -> str:
        """The methods that there are on a path."""
        ...

    def refusal(self, problem: problems.Problem, request_id: str, scope: Mapping[str, Any]) -> tuple[bytes, str]:
        """What somebody is shown whose request came no farther than here, and its media type."""
        ...


class ContractFace:
    """The face of a service: what its contract says."""

    speaks_for_itself = False

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    @property
    def published(self) -> tuple[bytes, str]:
        """The contract."""
        return self._contract.published, self._contract.etag

    def known(self, scope: Mapping[str, Any]) -> tuple[str, str] | None:
        """The operation, as connexion's router has found it."""
        routing = (scope.get("extensions") or {}).get("connexion_routing") or {}
        operation = self._contract.operations.get(routing.get("operation_id") or "")
        return (operation.operation_id, operation.path) if operation else None

    def allowed(self, path: str) -> str:
        """The router names only the methods of the first operation that shares the path; the contract knows all."""
        return self._contract.allowed(path)

    def refusal(self, problem: problems.Problem, request_id: str, _: Mapping[str, Any]) -> tuple[bytes, str]:
        """A problem document."""
        return problem.body(request_id), problems.MEDIA_TYPE


class Entrance:
    """Wraps one application.

    ready: answers what is not ready, by name, and touches dependencies; it runs in a thread. alive touches none.
    """

    def __init__(self, app: Any, *, face: Face, ready: Callable[[], Mapping[str, str]]) -> None:
        self._app, self._face, self._ready = app, face, ready
        self._draining = False

    def drain(self) -> None:
        """Say not ready from now on, so that nobody sends more."""
        self._draining = True

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        if scope["path"] in _QUIET:
            await self._own(scope, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("x-request-id", "")
        exchange = _Exchange(scope, send, given if _REQUEST_ID.match(given) else uuid4().hex, self._face)
        with (
            exchange,
            logs.bound(request_id=exchange.request_id),
            deadline.within(deadline.incoming_s(headers.get(deadline.HEADER))),
            tracing.current(
                tracing.tracer(), scope["method"], context=tracing.incoming(headers), kind=SpanKind.SERVER
            ) as span,
        ):
            await self._serve(exchange, receive, headers)
            exchange.describe(span)

    async def _serve(self, exchange: _Exchange, receive: Any, headers: Mapping[str, str]) -> None:
        scope = exchange.scope
        extensions = scope["extensions"] = dict(scope.get("extensions") or {})
        extensions[REQUEST_ID] = exchange.request_id
        try:
            extensions[BODY] = await _body(receive, headers)
            await self._app(scope, receive, exchange.pass_on)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the last place: whatever it is becomes a problem document
            await exchange.fail(error)

    async def _own(self, scope: dict[str, Any], send: Any) -> None:
        headers = dict(scope["headers"])
        status, kind, extra = 200, "application/json", []
        if scope["path"] == "/metrics":
            body, kind = metrics.exposition(headers.get(b"accept", b"").decode("latin-1"))
        elif scope["path"] == "/openapi.json":
            body, tag = self._face.published
            extra = [(b"etag", tag.encode()), (b"cache-control", b"no-cache")]
            if headers.get(b"if-none-match") == tag.encode():
                status, body = 304, b""
        elif scope["path"] == "/healthz":
            body = b'{"status":"alive"}'
        else:
            missing = {"process": "draining"} if self._draining else await asyncio.to_thread(self._ready)
            status = 503 if missing else 200
            body = orjson.dumps({"status": "not ready" if missing else "ready", "missing": sorted(missing)})
        start = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *extra]
        await send({"type": "http.response.start", "status": status, "headers": start})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


class _Exchange:
    """One request and its answer: counts it, names it, and turns errors into problem documents."""

    def __init__(self, scope: dict[str, Any], send: Any, request_id: str, face: Face) -> None:
        self.scope, self.request_id = scope, request_id
        self._send, self._face = send, face
        self._started = time.perf_counter()
        self._status = 0
        self._refused: problems.Problem | None = None
        self._code = ""

    def __enter__(self) -> None:
        metrics.ACTIVE.inc()

    def __exit__(self, *_: object) -> None:
        metrics.ACTIVE.dec()

    async def pass_on(self, message: dict[str, Any]) -> None:
        """Send an answer on; an error that is no problem document (a framework's own) becomes one."""
        if message["type"] == "http.response.start":
            headers = dict(message["headers"])
            is_problem = headers.get(b"content-type", b"").startswith(problems.MEDIA_TYPE.encode())
            if message["status"] == _SLASH_REDIRECT and not self._face.speaks_for_itself:
                self._refused = problems.of_status(404)
                return
            if message["status"] >= 400 and not is_problem and not self._face.speaks_for_itself:
                self._refused = problems.of_status(message["status"])
                return
            self._status = message["status"]
            message = {**message, "headers": [*message["headers"], (b"x-request-id", self.request_id.encode())]}
        elif self._refused is not None:
            if not message.get("more_body"):
                await self.answer(self._refused)
            return
        await self._send(message)

    async def fail(self, error: Exception) -> None:
        """Answer with the problem that an error is; one that is not ours is logged, without its text."""
        problem = _problem(error)
        if problem.status >= 500:
            logs.logger().error("request.failed", code=problem.code, exc_info=error)
        if self._status:
            raise error
        await self.answer(problem)

    async def answer(self, problem: problems.Problem) -> None:
        """Send a problem document."""
        self._status, self._code, self._refused = problem.status, problem.code, None
        body, media = self._face.refusal(problem, self.request_id, self.scope)
        allow = {"Allow": self._face.allowed(self.scope["path"])} if problem.status == 405 else {}
        pairs = {**problem.headers, **allow, "content-type": media, "content-length": str(len(body))}
        headers = [(name.lower().encode(), value.encode()) for name, value in pairs.items()]
        headers.append((b"x-request-id", self.request_id.encode()))
        await self._send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def describe(self, span: trace.Span) -> None:
        """Count and name what was done: the template of the path, never the path."""
        known = self._face.known(self.scope)
        name, route = known or ("unknown", "unknown")
        method = self.scope["method"] if known else "_OTHER"
        taken = time.perf_counter() - self._started
        context = span.get_span_context()
        exemplar = {"trace_id": f"{context.trace_id:032x}"} if span.is_recording() else None
        metrics.REQUESTS.labels(method, route, str(self._status)).observe(taken, exemplar)
        if self._status >= 400:
            line = logs.logger().error if self._status >= 500 else logs.logger().info
            code = self._code or (self.scope.get("extensions") or {}).get(CODE, "")
            line("request.refused", operation=name, status=self._status, duration_s=round(taken, 4), code=code)
        if span.is_recording():
            span.update_name(f"{method} {route}")
            span.set_attribute("http.request.method", method)
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", self._status)
            if self._status >= 500:
                span.set_status(Status(StatusCode.ERROR))


def _problem(error: Exception) -> problems.Problem:
    if isinstance(error, _TooLarge):
        return problems.of_status(413)
    if isinstance(error, UnsupportedMedia):
        return problems.of_status(415)
    if isinstance(error, ProblemException):
        return problems.of_status(error.status)
    if isinstance(error, HTTPException):
        return problems.of_status(error.status_code)
    return problems.of(error)


async def _body(receive: Any, headers: Mapping[str, str]) -> bytes:
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > LARGEST_BODY:
        raise _TooLarge
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise asyncio.CancelledError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY:
            raise _TooLarge
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)

"""Call another service by operationId: within the deadline, at most one retry, behind a breaker, trace passed on.

The contract says method and path; the address comes from the settings. An answer below 500 comes back as it is, all
else is `Unavailable` by the name of the service. Nothing of addresses, headers and bodies is logged or measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson
import structlog
import urllib3
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import Counter, Histogram

from services.chassis import deadline, http, retries, spec, tracing
from services.chassis.breaker import Breaker
from services.kernel.errors import Unavailable

LARGEST_ANSWER: Final = 8 * 1024 * 1024
_FAIR_S: Final = deadline.CALL_S / 2
_LONGEST_WAIT_S: Final = 60
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5)

DURATION = Histogram(
    "http_client_request_duration_seconds",
    "Time of one try of a call to another service.",
    ["service", "http_request_method", "http_route", "http_response_status_code", "error_type"],
    buckets=_BUCKETS,
)
RETRIES = Counter("infirmary_retries_total", "Second tries of calls to another service.", ["service"])
NOT_RETRIED = Counter("infirmary_retries_refused_total", "Second tries that were not made.", ["service", "reason"])
REFUSED = Counter("infirmary_breaker_refused_total", "Calls that the open breaker refused.", ["service"])


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other service answered: a status below 500, the body as JSON values, headers by lower-case name.

    raw: the body as it came, of an answer that is not JSON.
    """

    status: int
    body: Any
    headers: Mapping[str, str]
    raw: bytes = b""

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class _Target:
    """One operation with the peer that offers it."""

    service: str
    method: str
    path: str
    url: str


class _Failure(Exception):
    """One try brought no usable answer: why, and whether the peer is to blame."""

    def __init__(self, error_type: str, *, counts: bool, retry_after_s: int = 1) -> None:
        super().__init__(error_type)
        self.error_type, self.counts, self.retry_after_s = error_type, counts, retry_after_s


class Client:
    """Calls to the services whose addresses it was given; one for a process, thread-safe.

    urls: base address by name of service. connections: kept to each of them; as many as there are threads.
    """

    def __init__(
        self,
        openapi_dir: Path,
        *,
        urls: Mapping[str, str],
        connections: int = 16,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        pause_s: Callable[[], float] = retries.pause_s,
        tracer: trace.Tracer | None = None,
    ) -> None:
        self._operations = _operations(openapi_dir, urls)
        self._http = http.pool(connections=connections)
        self._breakers = {name: Breaker(name, monotonic=monotonic) for name in urls}
        self._budgets = {name: retries.RetryBudget() for name in urls}
        for name in urls:  # from zero on, so that the first one is seen
            RETRIES.labels(name)
            REFUSED.labels(name)
            for reason in ("deadline", "budget"):
                NOT_RETRIED.labels(name, reason)
        self._sleep, self._pause_s = sleep, pause_s
        self._tracer = tracer or tracing.tracer()

    def close(self) -> None:
        """Close the kept connections."""
        self._http.clear()

    def call(
        self,
        operation_id: str,
        *,
        path: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        body: object = None,
        token: str | None = None,
        key: str | None = None,
        version: int | None = None,
        request_id: str | None = None,
        source: str | None = None,
        within_s: float = deadline.CALL_S,
    ) -> Reply:
        """Call one operation and wait for its answer.

        path, query, body: as the contract names them. token: of the user or service that acts. key: Idempotency-Key.
        version: the one that the change starts from. request_id: when not given, the one that the log lines carry.
        source: the address of whom this process asks for, where it stands between people and services.
        Raises:  Unavailable: no answer in time, or none below 500. LookupError: no such operation.
        """
        target = self._operations[operation_id]
        url = _address(target, path or {}, query or {})
        headers = _headers(token=token, key=key, version=version, request_id=request_id)
        if source:
            headers["x-forwarded-for"] = source
        raw = None
        if body is not None:
            raw, headers["content-type"] = orjson.dumps(body), "application/json"
        with deadline.within(within_s):
            return self._call(target, url=url, headers=headers, raw=raw, key=key)

    def _call(self, target: _Target, *, url: str, headers: dict[str, str], raw: bytes | None, key: str | None) -> Reply:
        self._budgets[target.service].request()
        try:
            return self._try(target, url=url, headers=headers, raw=raw)
        except _Failure as failure:
            if not self._may_retry(target, failure, key=key):
                raise Unavailable(target.service, retry_after_s=failure.retry_after_s) from None
        RETRIES.labels(target.service).inc()
        try:
            return self._try(target, url=url, headers=headers, raw=raw)
        except _Failure as failure:
            raise Unavailable(target.service, retry_after_s=failure.retry_after_s) from None

    def _may_retry(self, target: _Target, failure: _Failure, *, key: str | None) -> bool:
        """Whether a second try is right; when it is, the pause before it is over on return."""
        if not failure.counts or not retries.is_repeatable(target.method, key=key):
            return False
        pause = self._pause_s()
        remaining = deadline.remaining_s()
        if remaining is not None and remaining <= pause + http.CONNECT_S:
            NOT_RETRIED.labels(target.service, "deadline").inc()
            return False
        if not self._budgets[target.service].take():
            NOT_RETRIED.labels(target.service, "budget").inc()
            return False
        self._sleep(pause)
        return True

    def _try(self, target: _Target, *, url: str, headers: dict[str, str], raw: bytes | None) -> Reply:
        """One try, behind the breaker, measured and traced."""
        deadline.check(target.service)
        breaker = self._breakers[target.service]
        ticket = breaker.enter()
        if ticket is None:
            REFUSED.labels(target.service).inc()
            raise _Failure("breaker", counts=False)
        try:
            reply = self._measured(target, url=url, headers=headers, raw=raw)
        except _Failure as failure:
            (breaker.failed if failure.counts else breaker.abandoned)(ticket)
            raise
        except BaseException:
            breaker.abandoned(ticket)
            raise
        breaker.succeeded(ticket)
        return reply

    def _measured(self, target: _Target, *, url: str, headers: dict[str, str], raw: bytes | None) -> Reply:
        started = time.perf_counter()
        status = error_type = ""
        with tracing.current(self._tracer, f"{target.method} {target.path}", kind=SpanKind.CLIENT) as span:
            try:
                tracing.outgoing(headers)
                headers[deadline.HEADER] = deadline.header_value() or "0"
                received = self._exchange(target, url=url, headers=headers, raw=raw)
                status = str(received.status)
                return _reply(received)
            except _Failure as failure:
                error_type = failure.error_type
                raise
            finally:
                _describe(span, target, status=status, error_type=error_type)
                labels = (target.service, target.method, target.path, status, error_type)
                DURATION.labels(*labels).observe(time.perf_counter() - started)

    def _exchange(self, target: _Target, *, url: str, headers: Mapping[str, str], raw: bytes | None) -> http.Received:
        allowed = deadline.remaining_s() or 0.0
        try:
            return http.exchange(self._http, target.method, url, headers=headers, body=raw, largest=LARGEST_ANSWER)
        except http.TooLarge:
            raise _Failure("too_large", counts=True) from None
        except urllib3.exceptions.EmptyPoolError:
            raise _Failure("pool_timeout", counts=False) from None
        except urllib3.exceptions.NewConnectionError:
            raise _Failure("connect", counts=True) from None
        except (urllib3.exceptions.TimeoutError, TimeoutError):
            # Who gave it less than a fair time learns nothing about the peer.
            raise _Failure("timeout", counts=allowed >= _FAIR_S) from None
        except (urllib3.exceptions.HTTPError, OSError):
            raise _Failure("reset", counts=True) from None


def _operations(openapi_dir: Path, urls: Mapping[str, str]) -> dict[str, _Target]:
    """Every operation of these services."""
    return {
        name: _Target(service, method, path, url.rstrip("/"))
        for service, url in urls.items()
        for name, (method, path) in spec.addresses(openapi_dir, service).items()
    }


def _address(target: _Target, path: Mapping[str, object], query: Mapping[str, object]) -> str:
    """The address of one call; every path parameter is encoded whole, and none may be empty or a step up."""
    filled = target.path
    for name, value in path.items():
        text = str(value)
        if text in ("", ".", "..") or "{" + name + "}" not in filled:
            raise ValueError(f"path parameter {name} of {target.path}")
        filled = filled.replace("{" + name + "}", quote(text, safe=""))
    if "{" in filled:
        raise ValueError(f"a path parameter of {target.path} is missing")
    given = {name: _plain(value) for name, value in query.items() if value is not None}
    return f"{target.url}{filled}" + (f"?{urlencode(given, doseq=True)}" if given else "")


def _plain(value: object) -> object:
    """A query value as JSON writes it: true, not True."""
    return str(value).lower() if isinstance(value, bool) else value


def _headers(*, token: str | None, key: str | None, version: int | None, request_id: str | None) -> dict[str, str]:
    headers = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "infirmary"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    if key is not None:
        headers["idempotency-key"] = key
    if version is not None:
        headers["if-match"] = f'"{version}"'
    known = request_id or structlog.contextvars.get_contextvars().get("request_id")
    if known:
        headers["x-request-id"] = str(known)
    return headers


def _reply(received: http.Received) -> Reply:
    """The answer, when it is one that the caller can use."""
    if received.status >= 500:
        raise _Failure(str(received.status), counts=True, retry_after_s=_retry_after_s(received.headers))
    if received.status < 200 or 300 <= received.status < 400:
        raise _Failure("redirect", counts=True)
    media = received.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not received.body or not (media == "application/json" or media.endswith("+json")):
        return Reply(received.status, None, received.headers, received.body)
    try:
        return Reply(received.status, orjson.loads(received.body), received.headers)
    except orjson.JSONDecodeError:
        raise _Failure("malformed", counts=True) from None


def _retry_after_s(headers: Mapping[str, str]) -> int:
    value = headers.get("retry-after", "")
    return min(max(int(value), 1), _LONGEST_WAIT_S) if value.isascii() and value.isdigit() and len(value) < 6 else 1


def _describe(span: trace.Span, target: _Target, *, status: str, error_type: str) -> None:
    if not span.is_recording():
        return
    span.set_attribute("http.request.method", target.method)
    span.set_attribute("url.template", target.path)
    span.set_attribute("server.address", target.service)
    if status:
        span.set_attribute("http.response.status_code", int(status))
    if error_type:
        span.set_attribute("error.type", error_type)
        span.set_status(Status(StatusCode.ERROR))

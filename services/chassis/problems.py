"""Errors to problem+json (RFC 9457): one table, one shape, and nothing of what was sent in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.chassis.stores import KeyReused, KeyRunning, StoreError
from services.kernel import errors

MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[errors.DomainError], int], ...] = (
    (errors.Malformed, 400),
    (errors.NotSignedIn, 401),
    (errors.Forbidden, 403),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Stale, 412),
    (errors.Invalid, 422),
    (errors.Missing, 428),
    (errors.TooMany, 429),
    (errors.Unavailable, 503),
)
_BY_STATUS = {
    400: ("malformed_request", "Malformed request"),
    401: ("not_signed_in", "Sign in first"),
    403: ("not_allowed", "Not allowed"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    413: ("too_large", "Body too large"),
    415: ("unsupported_media_type", "Unsupported media type"),
    503: ("unavailable", "Try again shortly"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as the client gets it."""

    status: int
    code: str
    title: str
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, request_id: str) -> bytes:
        """The document as JSON."""
        document = {
            "type": f"urn:infirmary:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "request_id": request_id,
        }
        return orjson.dumps({**document, **self.members})


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """The problem for a bare status, as a framework or server makes it."""
    code, title = _BY_STATUS.get(
        status, ("unexpected", "Unexpected error") if status >= 500 else ("refused", "Refused")
    )
    return Problem(status, code, title, headers=dict(headers or {}))


def of(error: BaseException) -> Problem:
    """The problem for an error: by its class where it is one of ours, else 500 without a word of it."""
    if isinstance(error, errors.DomainError):
        return _of_domain(error)
    if isinstance(error, KeyReused):
        wrong = [{"parameter": "Idempotency-Key", "rule": "reused"}]
        return Problem(422, "key_reused", "This key was used with another body", {"errors": wrong})
    if isinstance(error, KeyRunning):
        running = "The first request with this key is still running"
        return Problem(409, "still_running", running, headers={"Retry-After": "1"})
    if isinstance(error, StoreError):
        return Problem(503, "unavailable", "Try again shortly", headers={"Retry-After": "1"})
    return of_status(500)


def _of_domain(error: errors.DomainError) -> Problem:
    status = next((number for kind, number in _STATUS if isinstance(error, kind)), 409)
    headers: dict[str, str] = {}
    if isinstance(error, errors.TooMany | errors.Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="infirmary"'
    members: dict[str, Any] = {}
    if error.detail:
        members["detail"] = error.detail
    if error.errors:
        members["errors"] = [_field(each) for each in error.errors]
    if error.fields:
        members["fields"] = list(error.fields)
    if error.facts:
        members["facts"] = error.facts
    return Problem(status, error.code, error.title, members, headers)


def _field(error: errors.FieldError) -> dict[str, str]:
    named = {"pointer": error.pointer, "parameter": error.parameter}
    return {**{name: value for name, value in named.items() if value is not None}, "rule": error.rule}

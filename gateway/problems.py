"""What the gateway itself answers when it says no: the Problem of `openapi/common.yaml`, with nothing that was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MEDIA_TYPE: Final = "application/problem+json"
CEL: Final = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of refusal: its status, its code for programs, its title for people, and headers that go with it."""

    status: int
    code: str
    title: str
    headers: tuple[tuple[str, str], ...] = ()


_AGAIN: Final = (("retry-after", "1"),)
_BEARER: Final = (("www-authenticate", 'Bearer realm="infirmary"'),)

UNAVAILABLE: Final = Problem(503, "unavailable", "Try again shortly", _AGAIN)
UNEXPECTED: Final = Problem(500, "unexpected", "Unexpected error")
MALFORMED: Final = Problem(400, "malformed_request", "Malformed request")
NOT_SIGNED_IN: Final = Problem(401, "not_signed_in", "Sign in first", _BEARER)
PROBLEMS: Final = (
    MALFORMED,
    NOT_SIGNED_IN,
    Problem(403, "not_allowed", "Not allowed"),
    Problem(404, "not_found", "Not found"),
    Problem(405, "method_not_allowed", "Method not allowed"),
    Problem(408, "too_slow", "The request took too long to arrive"),
    Problem(413, "too_large", "Body too large"),
    Problem(426, "old_protocol", "HTTP/1.1 or newer is needed"),
    Problem(429, "too_many_requests", "Too many requests"),
    Problem(431, "headers_too_large", "Headers too large"),
    UNEXPECTED,
    UNAVAILABLE,
    Problem(504, "timeout", "No answer in time"),
)


def mappers() -> list[dict[str, Any]]:
    """For Envoy's `local_reply_config`. The first mapper that fits wins; what none fits is 400 or 500 in its shape."""
    # A token cannot be judged without the keys: that is a fault of the house (503), not of who sent it (401).
    found = [_mapper(_reason("Jwks_remote_fetch_is_failed"), UNAVAILABLE)]
    # Envoy says 403 to a token for somebody else; the services say, as to any token that does not count, 401.
    found.append(_mapper(_reason("jwt_authn_access_denied"), NOT_SIGNED_IN))
    found += [_mapper(status("EQ", problem.status), problem) for problem in PROBLEMS]
    # Envoy's words for a service that broke off, and for a transfer coding that only a client can have invented.
    found += [_mapper(status("EQ", 502), UNAVAILABLE), _mapper(status("EQ", 501), MALFORMED)]
    found.append(_mapper(status("GE", 500), UNEXPECTED))
    found.append(_mapper(status("GE", 400), MALFORMED))
    return found


# What cannot even be parsed has no request id yet. It gets one here, first as a header, which body and log then repeat.
_REQUEST_ID = '%COALESCE({"operators": [{"command": "REQUEST_HEADER", "param": "x-request-id"}, "UNIQUE_ID"]})%'


def _reason(contains: str) -> dict[str, Any]:
    expression = f"response.code_details.contains('{contains}')"
    return {"extension_filter": {"name": "reason", "typed_config": {"@type": CEL, "expression": expression}}}


def status(comparison: str, code: int, *, runtime: str = "problems") -> dict[str, Any]:
    """A filter by status."""
    value = {"default_value": code, "runtime_key": f"gateway.{runtime}.{comparison.lower()}_{code}"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}


def _mapper(matches: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    body = {
        "type": f"urn:infirmary:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "request_id": "%RESPONSE_HEADER(X-REQUEST-ID)%",
    }
    return mapper(
        matches, problem.status, headers=problem.headers, body={"content_type": MEDIA_TYPE, "json_format": body}
    )


def mapper(
    matches: Mapping[str, Any], code: int, *, headers: Sequence[tuple[str, str]], body: Mapping[str, Any]
) -> dict[str, Any]:
    """What is answered where a filter matches, with the request's id as a header."""
    return {
        "filter": dict(matches),
        "status_code": code,
        "headers_to_add": [
            {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for name, value in (("x-request-id", _REQUEST_ID), *headers)
        ],
        "body_format_override": dict(body),
    }

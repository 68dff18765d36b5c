"""What the gateway tells about requests: one JSON line for each, and a span where a collector is set.

Neither holds a path, a query or a header of the client: the name of the route says which operation it was, and the
request id leads to the rest. Fields are named as OpenTelemetry names them, beside `time`, `level`, `event` and
`service` as in the services' own lines.
"""

from __future__ import annotations

from typing import Any

from gateway.clusters import COLLECTOR
from gateway.filters import CLAIMS
from gateway.settings import Settings

_SUBJECT = f"%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:{CLAIMS}:sub)%"
# What cannot even be parsed has its id in the answer only; what was never answered, in the request only.
_REQUEST_ID = (
    '%COALESCE({"operators": [{"command": "REQUEST_HEADER", "param": "x-request-id"},'
    ' {"command": "RESPONSE_HEADER", "param": "x-request-id"}]})%'
)
_LINE = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "level": "info",
    "event": "gateway.request",
    "service": "gateway",
    "request_id": _REQUEST_ID,
    "trace_id": "%TRACE_ID%",
    "user.id": _SUBJECT,
    "client.address": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "network.protocol": "%PROTOCOL%",
    "http.request.method": "%REQUEST_HEADER(:METHOD)%",
    "http.route": "%ROUTE_NAME%",
    "http.response.status_code": "%RESPONSE_CODE%",
    "http.request.body.size": "%BYTES_RECEIVED%",
    "http.response.body.size": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "upstream.service": "%UPSTREAM_CLUSTER%",
    "upstream.address": "%UPSTREAM_HOST%",
    "upstream.attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "upstream.first_byte_ms": "%RESPONSE_DURATION%",
    "gateway.reason": "%RESPONSE_CODE_DETAILS%",
    "gateway.flags": "%RESPONSE_FLAGS%",
}


def access_log() -> list[dict[str, Any]]:
    """One line for each request, on standard output; health checks are not written."""
    log = "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
    return [
        {
            "name": "envoy.access_loggers.stdout",
            "filter": {"not_health_check_filter": {}},
            "typed_config": {"@type": log, "log_format": {"json_format": dict(_LINE)}},
        }
    ]


def application_log() -> dict[str, Any]:
    """Envoy's own lines, as JSON too."""
    line = {"time": "%Y-%m-%dT%T.%eZ", "level": "%l", "event": "envoy.logged", "service": "gateway", "text": "%j"}
    return {"log_format": {"json_format": line}}


def tracing(settings: Settings) -> dict[str, Any] | None:
    """Spans by OTLP/HTTP to the collector; None without one. The span is named after the route."""
    if not settings.otlp_endpoint:
        return None
    uri = f"{settings.otlp_endpoint.rstrip('/')}/v1/traces"
    return {
        "random_sampling": {"value": settings.trace_percent},
        "spawn_upstream_span": False,
        # Envoy's own tags that hold what a client wrote are written over.
        "custom_tags": [{"tag": name, "literal": {"value": "-"}} for name in ("http.url", "user_agent")],
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "service_name": "gateway",
                "http_service": {"http_uri": {"uri": uri, "cluster": COLLECTOR, "timeout": "1s"}},
            },
        },
    }

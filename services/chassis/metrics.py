"""Prometheus metrics: one process has one port, so the default registry is right and exemplars work."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

# Those of the semantic conventions, and the two limits of our objectives that are not among them: 0.3 and 1.5.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 7.5, 10.0)

REQUESTS = Histogram(
    "http_server_request_duration_seconds",
    "Time from the request's arrival to its answer.",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=BUCKETS,
)
ACTIVE = Gauge("http_server_active_requests", "Requests that are being worked on.")
SHED = Counter("infirmary_requests_shed_total", "Requests refused because too many were in work.")
DENIED = Counter("infirmary_authz_denied_total", "Requests refused for want of a permission.", ["operation"])
UNAUDITED = Counter(
    "infirmary_unaudited_total", "Answers withheld because no audit entry was committed.", ["operation"]
)
ENTRIES = Counter("infirmary_audit_entries_total", "Audit entries that were committed.", ["action", "outcome"])
STORE_SECONDS = Histogram(
    "db_client_operation_duration_seconds",
    "Time of one operation of a store, as its client sees it.",
    ["db_system_name", "db_operation_name"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
BUILD = Gauge("infirmary_build_info", "What runs here; always 1.", ["service", "version"])


def exposition(accept: str) -> tuple[bytes, str]:
    """All metrics and their content type, as OpenMetrics (with exemplars) where the scraper accepts that."""
    if "application/openmetrics-text" in accept:
        body: bytes = openmetrics.generate_latest(REGISTRY)  # type: ignore[no-untyped-call]
        return body, openmetrics.CONTENT_TYPE_LATEST
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST

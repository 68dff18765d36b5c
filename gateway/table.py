"""The routes as Envoy reads them: one for each operation, then what each path does not offer, then nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway import filters, page
from gateway.routes import Operation, Route, allowed
from gateway.settings import Settings

_RETRY = {
    "retry_on": "connect-failure,refused-stream,reset-before-request,retriable-status-codes",
    "retriable_status_codes": [503],
    "num_retries": 1,
    "retry_back_off": {"base_interval": "0.05s", "max_interval": "1s"},
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 3,
}
# A service that stops at its deadline must still be able to say so before the gateway gives up.
_ANSWERING_S = 0.25


def route_config(routes: Sequence[Route], *, files: Sequence[page.File], settings: Settings) -> dict[str, Any]:
    """The whole table of the public listener."""
    services = sorted({route.service for route in routes})
    table = [_entry(route, operation, settings=settings) for route, operation in _in_order(routes)]
    table += _missing_methods(routes)
    table = sorted(table, key=lambda each: _place(each, routes))
    table += page.routes(services, files=files, settings=settings)
    table.append(_refusal("gateway.not_found", {"prefix": "/"}, status=404))
    host = {
        "name": "house",
        "domains": ["*"],
        "request_headers_to_add": [
            _set("x-forwarded-for", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
            _set("x-deadline-ms", str(int((settings.route_timeout_s - _ANSWERING_S) * 1000))),
        ],
        "routes": table,
    }
    return {
        "name": "house",
        "max_direct_response_body_size_bytes": max([4096, *(len(file.content) for file in files)]),
        "virtual_hosts": [host],
    }

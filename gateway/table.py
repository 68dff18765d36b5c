"""The routes as Envoy reads them: for each path its operations, then what it does not offer; then the page."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gateway import filters, page
from gateway.routes import Operation, Route, allowed
from gateway.settings import Settings

# A service that stops at its deadline must still be able to say so before the gateway gives up.
_ANSWERING_S: Final = 0.25
_PREVIOUS: Final = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"


def route_config(routes: Sequence[Route], *, files: Sequence[page.File], settings: Settings) -> dict[str, Any]:
    """The whole table of the public listener."""
    table = list(_operations(routes, settings=settings))
    table += _page(sorted({route.service for route in routes}), files=files, settings=settings)
    table.append(_direct("gateway.not_found", match={"connect_matcher": {}}, status=404))
    table.append(_direct("gateway.not_found", match={"prefix": "/"}, status=404))
    deadline_ms = str(int((settings.route_timeout_s - _ANSWERING_S) * 1000))
    host = {
        "name": "house",
        "domains": ["*"],
        # One address, the one that limits and logs use: what a client wrote into the header never reaches a service.
        "request_headers_to_add": [
            _header("x-forwarded-for", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
            _header("x-deadline-ms", deadline_ms),
        ],
        "request_headers_to_remove": ["x-envoy-external-address", "x-envoy-internal"],
        "routes": table,
    }
    largest = max((len(file.content) for file in files), default=0)
    return {"name": "house", "max_direct_response_body_size_bytes": max(largest, 4096), "virtual_hosts": [host]}


def _operations(routes: Sequence[Route], *, settings: Settings) -> Iterator[dict[str, Any]]:
    for shape, group in itertools.groupby(routes, key=lambda route: route.shape):
        together = list(group)
        for route in together:
            for operation in route.operations:
                yield _operation(route, operation, settings=settings)
        yield from _others(match=_path(together[0]), allow=allowed(routes, shape=shape))


def _operation(route: Route, operation: Operation, *, settings: Settings) -> dict[str, Any]:
    action: dict[str, Any] = {"cluster": operation.service, "timeout": f"{settings.route_timeout_s:g}s"}
    if operation.is_safe_to_repeat:
        action["retry_policy"] = _retry()
    entry = _named(operation.name, match=_with_methods(_path(route), operation.method)) | {"route": action}
    if operation.is_public:
        entry["typed_per_filter_config"] = filters.without_token()
        if not operation.is_safe_to_repeat:
            entry["metadata"] = {"filter_metadata": {filters.METADATA: {"limit": "public_write"}}}
    return entry


def _page(services: Sequence[str], *, files: Sequence[page.File], settings: Settings) -> Iterator[dict[str, Any]]:
    """The page under `/docs`: files from the gateway itself, documents from the services that they describe."""
    for path in page.REDIRECTED:
        match = _with_methods({"path": path}, "GET", "HEAD")
        # A relative place: an absolute one would repeat whatever name the client called the gateway.
        yield _direct("gateway.docs", match=match, status=302) | {
            "response_headers_to_add": [_header("location", page.ROOT)]
        }
        yield from _others(match={"path": path}, allow=("GET", "HEAD", "OPTIONS"))
    for file in files:
        yield _file(file, settings=settings)
        yield from _others(match={"path": file.path}, allow=("GET", "HEAD", "OPTIONS"))
    for service in services:
        path = page.document(service)
        yield _named(f"{service}.openapi", match=_with_methods({"path": path}, "GET")) | {
            "route": {
                "cluster": service,
                "timeout": f"{settings.route_timeout_s:g}s",
                "prefix_rewrite": "/openapi.json",
                "retry_policy": _retry(),
            },
            "response_headers_to_add": [_header("cache-control", "no-cache")],
            "typed_per_filter_config": filters.without_token(),
        }
        yield from _others(match={"path": path}, allow=("GET", "OPTIONS"))


def _file(file: page.File, *, settings: Settings) -> dict[str, Any]:
    entry = _direct("gateway.docs", match=_with_methods({"path": file.path}, "GET", "HEAD"), status=200)
    entry["direct_response"]["body"] = {"filename": f"{settings.files_dir.rstrip('/')}/{file.name}"}
    entry["response_headers_to_add"] = [_header(name, value) for name, value in file.headers]
    return entry


def _others(*, match: Mapping[str, Any], allow: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What is not offered on a path: OPTIONS says what is, all else is 405. No token is asked: contracts are public.

    HEAD is among the refused where a contract does not name it: a read of a record is one audited operation.
    """
    header = {"response_headers_to_add": [_header("allow", ", ".join(allow))]}
    options = _with_methods(match, "OPTIONS")
    yield _direct("gateway.options", match=options, status=204) | header
    yield _direct("gateway.method_not_allowed", match=match, status=405) | header


def _direct(name: str, *, match: Mapping[str, Any], status: int) -> dict[str, Any]:
    entry = _named(name, match=match) | {"direct_response": {"status": status}}
    return entry | {"typed_per_filter_config": {**filters.without_token(), **filters.without_waiting()}}


def _named(name: str, *, match: Mapping[str, Any]) -> dict[str, Any]:
    """A route under its name, in the log as in traces: a raw path would tell whose record was read."""
    return {"name": name, "match": dict(match), "decorator": {"operation": name, "propagate": False}}


def _path(route: Route) -> dict[str, Any]:
    return {"path": route.path} if route.is_literal else {"safe_regex": {"regex": route.regex}}


def _with_methods(match: Mapping[str, Any], *methods: str) -> dict[str, Any]:
    one = {"exact": methods[0]} if len(methods) == 1 else {"safe_regex": {"regex": "|".join(methods)}}
    return {**match, "headers": [{"name": ":method", "string_match": one}]}


def _retry() -> dict[str, Any]:
    """One more try, of a read, at another instance where there is one; the budget of the cluster bounds their share."""
    return {
        "retry_on": "connect-failure,refused-stream,reset,retriable-status-codes",
        "retriable_status_codes": [503],
        "num_retries": 1,
        "retry_back_off": {"base_interval": "0.05s", "max_interval": "1s"},
        "retry_host_predicate": [
            {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {"@type": _PREVIOUS}}
        ],
        "host_selection_retry_max_attempts": 10,
    }


def _header(name: str, value: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}

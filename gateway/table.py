"""The routes as Envoy reads them: for each path its operations, then what it does not offer; then all else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final

from gateway import entries, filters, page, ui
from gateway.routes import Operation, Route, allowed
from gateway.settings import Settings

# A service that stops at its deadline must still be able to say so before the gateway gives up.
_ANSWERING_S: Final = 0.25


def route_config(
    routes: Sequence[Route], *, files: Sequence[page.File], settings: Settings, has_ui: bool
) -> dict[str, Any]:
    """The whole table of the public listener. has_ui: whether what is nothing else is a page of the web UI."""
    table = list(_operations(routes, settings=settings))
    table += _page(sorted({route.service for route in routes}), files=files, settings=settings, has_ui=has_ui)
    table.append(entries.direct("gateway.not_found", match={"connect_matcher": {}}, status=404))
    if has_ui:
        table += ui.routes(settings)
    table.append(entries.direct("gateway.not_found", match={"prefix": "/"}, status=404))
    deadline_ms = str(int((settings.route_timeout_s - _ANSWERING_S) * 1000))
    host = {
        "name": "house",
        "domains": ["*"],
        # One address, the one that limits and logs use: what a client wrote into the header never reaches a service.
        "request_headers_to_add": [
            entries.header("x-forwarded-for", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
            entries.header("x-deadline-ms", deadline_ms),
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
        yield from entries.others(match=_path(together[0]), allow=allowed(routes, shape=shape))


def _operation(route: Route, operation: Operation, *, settings: Settings) -> dict[str, Any]:
    action: dict[str, Any] = {"cluster": operation.service, "timeout": f"{settings.route_timeout_s:g}s"}
    if operation.is_safe_to_repeat:
        action["retry_policy"] = entries.retry()
    entry = entries.named(operation.name, match=entries.with_methods(_path(route), operation.method)) | {
        "route": action
    }
    if operation.is_public:
        entry["typed_per_filter_config"] = filters.without_token()
        if not operation.is_safe_to_repeat:
            entry["metadata"] = {"filter_metadata": {filters.METADATA: {"limit": "public_write"}}}
    return entry


def _page(
    services: Sequence[str], *, files: Sequence[page.File], settings: Settings, has_ui: bool
) -> Iterator[dict[str, Any]]:
    """The page under `/docs`: files from the gateway itself, documents from the services that they describe."""
    for path in (page.DOOR,) if has_ui else (page.ENTRANCE, page.DOOR):
        match = entries.with_methods({"path": path}, "GET", "HEAD")
        # A relative place: an absolute one would repeat whatever name the client called the gateway.
        yield entries.direct("gateway.docs", match=match, status=302) | {
            "response_headers_to_add": [entries.header("location", page.ROOT)]
        }
        yield from entries.others(match={"path": path}, allow=("GET", "HEAD", "OPTIONS"))
    for file in files:
        yield _file(file, settings=settings)
        yield from entries.others(match={"path": file.path}, allow=("GET", "HEAD", "OPTIONS"))
    for service in services:
        path = page.document(service)
        yield entries.named(f"{service}.openapi", match=entries.with_methods({"path": path}, "GET")) | {
            "route": {
                "cluster": service,
                "timeout": f"{settings.route_timeout_s:g}s",
                "prefix_rewrite": "/openapi.json",
                "retry_policy": entries.retry(),
            },
            "response_headers_to_add": [entries.header("cache-control", "no-cache")],
            "typed_per_filter_config": filters.without_token(),
        }
        yield from entries.others(match={"path": path}, allow=("GET", "OPTIONS"))


def _file(file: page.File, *, settings: Settings) -> dict[str, Any]:
    entry = entries.direct("gateway.docs", match=entries.with_methods({"path": file.path}, "GET", "HEAD"), status=200)
    entry["direct_response"]["body"] = {"filename": f"{settings.files_dir.rstrip('/')}/{file.name}"}
    entry["response_headers_to_add"] = [entries.header(name, value) for name, value in file.headers]
    return entry


def _path(route: Route) -> dict[str, Any]:
    return {"path": route.path} if route.is_literal else {"safe_regex": {"regex": route.regex}}

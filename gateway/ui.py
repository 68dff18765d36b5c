"""Routes of the web UI: what is no operation and nothing of the gateway's own is a page, for somebody with a browser.

No token is asked: a page knows its reader by the cookie, and asks the services with the token of whoever that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gateway import entries, filters
from gateway.settings import Settings

NAME: Final = "frontend"
LIVE: Final = f"{NAME}_live"
"""The cluster for what stays open, so that it takes no place from what is answered and over."""
_INNER: Final = ("/healthz", "/metrics", "/openapi.json", "/readyz")
_ANONYMOUS: Final = ("activate", "forgotten", "password-reset", "sign-in")
"""Pages whose forms are sent by somebody who is not signed in, by the first part of their path."""
_REPORTS: Final = "/csp-reports"
"""Where browsers tell what they kept off a page; each report is a line of the log."""
_LIVE_IDLE: Final = "60s"


def routes(settings: Settings) -> Iterator[dict[str, Any]]:
    """All that follows the operations and the documentation, to the end of the table."""
    yield entries.direct("gateway.not_found", match={"prefix": "/api/"}, status=404)
    for path in _INNER:
        yield entries.direct("gateway.not_found", match={"path": path}, status=404)
    yield from _live()
    yield from _pages("static", match={"prefix": "/static/"}, methods=("GET", "HEAD"), settings=settings, again=True)
    yield _limited("report", match={"path": _REPORTS}, group="report", settings=settings)
    yield from entries.others(match={"path": _REPORTS}, allow=("POST", "OPTIONS"))
    writes = {"safe_regex": {"regex": f"/({'|'.join(_ANONYMOUS)})(/.*)?"}}
    yield _limited("send_anonymous", match=writes, group="public_write", settings=settings)
    yield from _pages("page", match={"prefix": "/"}, methods=("GET", "HEAD", "POST"), settings=settings)


def _live() -> Iterator[dict[str, Any]]:
    """Stays open as long as the page that listens: no deadline, nothing kept back, and no second try."""
    match = {"path": "/live"}
    action = {"cluster": LIVE, "timeout": "0s", "idle_timeout": _LIVE_IDLE}
    untouched = {**filters.without_token(), **filters.without_waiting()}
    entry = entries.named(f"{NAME}.live", match=entries.with_methods(match, "GET"))
    yield entry | {"route": action, "typed_per_filter_config": untouched}
    yield from entries.others(match=match, allow=("GET", "OPTIONS"))


def _pages(
    name: str, *, match: Mapping[str, Any], methods: Sequence[str], settings: Settings, again: bool = False
) -> Iterator[dict[str, Any]]:
    entry = _entry(name, match=entries.with_methods(match, *methods), settings=settings)
    if again:
        entry["route"]["retry_policy"] = entries.retry()
    yield entry
    yield from entries.others(match=match, allow=(*methods, "OPTIONS"))


def _limited(name: str, *, match: Mapping[str, Any], group: str, settings: Settings) -> dict[str, Any]:
    """What anybody can send, in a narrow bucket of its own."""
    entry = _entry(name, match=entries.with_methods(match, "POST"), settings=settings)
    return entry | {"metadata": {"filter_metadata": {filters.METADATA: {"limit": group}}}}


def _entry(name: str, *, match: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    return entries.named(f"{NAME}.{name}", match=match) | {
        "route": {
            "cluster": NAME,
            "timeout": f"{settings.route_timeout_s:g}s",
            "retry_policy": entries.retry_unsent(),
        },
        "typed_per_filter_config": {**filters.without_token(), **filters.with_compression()},
    }

"""What browsers have kept off a page: they tell which rule of the page's policy it was (CSP level 3, section 5.5).

A report also names addresses, which can hold what nobody is to keep. So only the rule is counted and logged, and
only rules that there are: anybody can send a report.
"""

from __future__ import annotations

from typing import Any, Final

import flask
from prometheus_client import Counter

from services.chassis import logs

PATH: Final = "/csp-reports"
OTHER: Final = "other"
_BLOCKED: Final = Counter(
    "infirmary_page_parts_blocked_total", "Parts of pages that a browser did not take, by the rule.", ["directive"]
)
_MOST: Final = 16 * 1024
_KNOWN: Final = frozenset(
    {
        *("base-uri", "connect-src", "default-src", "font-src", "form-action", "frame-ancestors", "frame-src"),
        *("img-src", "manifest-src", "media-src", "object-src", "worker-src"),
        *("script-src", "script-src-attr", "script-src-elem", "style-src", "style-src-attr", "style-src-elem"),
    }
)


def noted() -> flask.Response:
    """A report was sent. What is none is answered alike: a browser does nothing with the answer."""
    request = flask.request
    if (request.content_length or 0) <= _MOST:
        told = rule(request.get_json(force=True, silent=True))
        if told:
            _BLOCKED.labels(told).inc()
            logs.logger().warning("page.part_blocked", directive=told)
    return flask.Response(status=204)


def rule(report: Any) -> str:
    """The directive that a report names; nothing where it is no report."""
    body = report.get("csp-report") if isinstance(report, dict) else None
    if not isinstance(body, dict):
        return ""
    named = body.get("effective-directive") or body.get("violated-directive")
    first = named.split(maxsplit=1)[0] if isinstance(named, str) and named.strip() else ""
    return first if first in _KNOWN else OTHER

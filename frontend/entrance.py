"""Where requests come in: what the chassis's entrance is told about an application that is made of pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import flask
import orjson

from services.chassis import problems
from services.chassis.bridge import REQUEST, Bridge

ROUTE: Final = "infirmary.route"
"""Among the extensions of a request: endpoint and rule, once they are known."""


class Front:
    """Hands every request to the pages."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One request."""
        scope["extensions"][REQUEST] = True
        await self._bridge(scope, receive, send)


class PagesFace:
    """The face of the web UI."""

    speaks_for_itself = True
    published = (orjson.dumps({}), '"0"')

    def __init__(self, app: flask.Flask) -> None:
        self._app = app

    def known(self, scope: Mapping[str, Any]) -> tuple[str, str] | None:
        """Endpoint and rule of a page."""
        found: tuple[str, str] | None = (scope.get("extensions") or {}).get(ROUTE)
        return found

    def allowed(self, path: str) -> str:
        """The methods on a path."""
        return ", ".join(sorted(self._app.url_map.bind("").allowed_methods(path)))

    def refusal(self, problem: problems.Problem, request_id: str, _: Mapping[str, Any]) -> tuple[bytes, str]:
        """A page of few words: whoever sees it came no farther than the door."""
        page = self._app.jinja_env.get_template("errors/door.html").render(problem=problem, request_id=request_id)
        return page.encode(), "text/html; charset=utf-8"

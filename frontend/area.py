"""An area of the web UI: its pages, each with the permissions that open it.

The permission stands beside the page for one reason: what somebody may not open is not shown, neither by a link nor by
its address. Whether they may is said by the API alone: the account is asked for its permissions there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import flask

from frontend.desk import Desk

View = Callable[..., Any]
NEEDS: Final = "infirmary.needs"
"""In the configuration of the application: permissions by endpoint."""


class Area:
    """Pages under one name; a controller of one is a function of a desk and the parts of its address."""

    def __init__(self, name: str, *, at: str = "") -> None:
        self.blueprint = flask.Blueprint(name, name, url_prefix=at or None)
        self.name = name
        self._needs: dict[str, tuple[str, ...]] = {}
        self._open: set[str] = set()

    def get(self, path: str, *needs: str, is_open: bool = False) -> Callable[[View], View]:
        """A page. needs: permissions, of which all are wanted. is_open: for somebody who is not signed in."""
        return self._add(path, "GET", needs, is_open=is_open)

    def post(self, path: str, *needs: str, is_open: bool = False) -> Callable[[View], View]:
        """A change."""
        return self._add(path, "POST", needs, is_open=is_open)

    def register(self, app: flask.Flask) -> None:
        """Put the pages into an application."""
        app.register_blueprint(self.blueprint)
        needs = app.config.setdefault(NEEDS, {})
        opened = app.config.setdefault(OPEN, set())
        needs.update({f"{self.name}.{each}": wanted for each, wanted in self._needs.items()})
        opened.update(f"{self.name}.{each}" for each in self._open)

    def _add(self, path: str, method: str, needs: tuple[str, ...], *, is_open: bool) -> Callable[[View], View]:
        def keep(view: View) -> View:
            name = view.__name__

            @wraps(view)
            def run(**parts: Any) -> Any:
                desk: Desk = flask.g.desk
                return view(desk, **{key: str(value) for key, value in parts.items()})

            self.blueprint.add_url_rule(path, name, run, methods=[method])
            self._needs[name] = needs
            if is_open:
                self._open.add(name)
            return view

        return keep


OPEN: Final = "infirmary.open"
"""In the configuration of the application: endpoints for which nobody has to be signed in."""


def may_open(endpoint: str, desk: Desk) -> bool:
    """Whether a link to this page is shown."""
    needs: dict[str, tuple[str, ...]] = flask.current_app.config[NEEDS]
    return endpoint in needs and desk.may(*needs[endpoint])

"""The one file that leans on private parts of connexion: this fails when they change under it."""

from __future__ import annotations

import inspect
from importlib.metadata import version

from connexion.apps import flask as connexion_flask
from connexion.apps.abstract import AbstractApp
from connexion.middleware.abstract import RoutedMiddleware
from connexion.middleware.security import SecurityOperation

from services.chassis.bridge import Bridge, flask_app


def test_connexion_is_of_the_release_that_this_was_written_against() -> None:
    assert version("connexion").split(".")[:2] == ["3", "3"]


def test_the_parts_that_are_replaced_are_where_they_were() -> None:
    assert "self._middleware_app = FlaskASGIApp(" in inspect.getsource(connexion_flask.FlaskApp.__init__)
    assert "self._middleware_app," in inspect.getsource(AbstractApp.__init__)
    assert "self.asgi_app = WSGIMiddleware(self.app.wsgi_app)" in inspect.getsource(connexion_flask.FlaskASGIApp)
    assert "return FlaskOperation.from_operation(" in inspect.getsource(connexion_flask.FlaskApi.make_operation)
    assert "api.operations[operation_id]" in inspect.getsource(RoutedMiddleware.__call__)
    assert "self.verification_fn(request)" in inspect.getsource(SecurityOperation.__call__)


def test_the_bridge_is_inside_and_no_files_are_served() -> None:
    app, bridge = flask_app(threads=1)
    assert isinstance(bridge, Bridge)
    assert app.middleware.app.asgi_app is bridge
    assert [rule.rule for rule in app.app.url_map.iter_rules()] == []
    bridge.close()

"""Where Flask meets ASGI: the only file that imports connexion, and that leans on parts of it that are not public.

connexion 3.3 wraps Flask by a2wsgi, which hops between threads several times per request, and builds its decorators
anew for each request. Here the body is read on the event loop, the request makes one hop into a pool of threads, and an
operation's view is called as it is, because `admission` has parsed and checked everything before. `tests/unit/chassis`
holds a test that fails when connexion changes under this file.
"""

from __future__ import annotations

import io
import sys
import types
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, cast

import flask
from a2wsgi.wsgi import build_environ

from services.chassis import metrics
from services.chassis.pool import Pool
from services.kernel.errors import NotFound, Unavailable

# connexion imports a test client and two HTTP clients, for tests and for tokens that are asked about elsewhere. Nothing
# here uses them, and they cost a process five MiB and warnings about what they in turn import.
_UNUSED = ("httpx", "requests", "starlette.testclient")


class _Unused(types.ModuleType):
    """Stands for a module while connexion is imported; every name in it is an empty class."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


_stand_ins = {name: _Unused(name) for name in _UNUSED if name not in sys.modules}
sys.modules.update(_stand_ins)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # an old part of jsonschema announces its end
    from connexion.apps.flask import FlaskApi, FlaskApp, FlaskASGIApp
    from connexion.exceptions import ProblemException
    from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
    from connexion.middleware.routing import RoutingMiddleware
    from connexion.middleware.security import SecurityMiddleware
    from connexion.resolver import Resolver
for _name in _stand_ins:
    del sys.modules[_name]

__all__ = [
    "BODY",
    "CODE",
    "EXTENSIONS",
    "IN_PARTS",
    "REQUEST",
    "Bridge",
    "ProblemException",
    "Resolver",
    "RoutedAPI",
    "RoutedMiddleware",
    "RoutingMiddleware",
    "SecurityMiddleware",
    "assemble",
    "flask_app",
]
REQUEST = "infirmary.request"
BODY = "infirmary.body"
"""Where the whole body of a request lies, once it was read."""
EXTENSIONS = "infirmary.extensions"
"""Where a view finds what belongs to the request outside Flask, and may leave more of it."""
CODE = "infirmary.code"
"""Where a view leaves the code of the problem that it answers with, for the log."""
IN_PARTS = "infirmary.in_parts"
"""Where a view says that its answer is sent part by part, as it comes; without it, whole."""
_QUEUE_PER_THREAD = 8
Reply = tuple[int, list[tuple[bytes, bytes]], bytes | Iterable[bytes]]


class _Api(FlaskApi):  # type: ignore[misc]  # connexion has no types
    """Registers an operation's view without connexion's own decorators."""

    def make_operation(self, operation: Any) -> Callable[..., flask.Response]:
        view: Callable[..., flask.Response] = operation.function
        return view


class _FlaskInAsgi(FlaskASGIApp):  # type: ignore[misc]  # connexion has no types
    """The Flask app behind connexion's middlewares."""

    def __init__(self, *, threads: int) -> None:
        super().__init__("infirmary", {"static_folder": None})
        self.app.config["MAX_CONTENT_LENGTH"] = None
        self.bridge = Bridge(self.app.wsgi_app, threads=threads)
        self.asgi_app = self.bridge

    def add_api(self, specification: Any, *, name: str | None = None, **kwargs: Any) -> FlaskApi:
        """As connexion's, with views that are called as they are."""
        api = _Api(specification, **kwargs)
        self.app.register_blueprint(api.blueprint, name=name) if name else self.app.register_blueprint(api.blueprint)
        return api


class Bridge:
    """ASGI in front, WSGI behind, one hop between them; sheds what would wait too long for a thread."""

    def __init__(self, app: Callable[..., Iterable[bytes]], *, threads: int) -> None:
        self._app = app
        self._pool = Pool(threads, name="request")
        self._limit = threads * _QUEUE_PER_THREAD
        self._inside = 0

    async def __call__(self, scope: dict[str, Any], _receive: Any, send: Any) -> None:
        """One request; its body was read before."""
        if scope["type"] != "http":
            return
        if REQUEST not in scope["extensions"]:
            raise NotFound
        if self._inside >= self._limit:
            metrics.SHED.inc()
            raise Unavailable("thread")
        self._inside += 1
        try:
            received = io.BytesIO(scope["extensions"].get(BODY, b""))
            environ: Any = build_environ(cast("Any", scope), cast("Any", received))
            environ[REQUEST], environ[EXTENSIONS] = scope["extensions"][REQUEST], scope["extensions"]
            environ[CODE] = partial(scope["extensions"].__setitem__, CODE)
            status, headers, body = await self._pool.run(self._serve, environ)
            await send({"type": "http.response.start", "status": status, "headers": headers})
            if not isinstance(body, bytes):
                await self._send_parts(body, send)
                body = b""
            await send({"type": "http.response.body", "body": body})
        finally:
            self._inside -= 1

    async def _send_parts(self, parts: Iterable[bytes], send: Any) -> None:
        """Send part by part; the next one is made when the client has taken the one before."""
        left = iter(parts)
        try:
            while (part := await self._pool.run(next, left, None)) is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        finally:
            _close(parts)

    def close(self) -> None:
        """Finish what is in work, then end the threads."""
        self._pool.close()

    def _serve(self, environ: dict[str, Any]) -> Reply:
        started: list[tuple[int, list[tuple[bytes, bytes]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            started[:] = [(int(status[:3]), pairs)]

        chunks = self._app(environ, start)
        if IN_PARTS in environ:
            return (*started[0], chunks)
        try:
            body = b"".join(chunks)
        finally:
            _close(chunks)
        return (*started[0], body)


def _close(chunks: Any) -> None:
    if hasattr(chunks, "close"):
        chunks.close()


def flask_app(*, threads: int, **options: Any) -> tuple[FlaskApp, Bridge]:
    """A FlaskApp of connexion with this bridge inside."""
    app = FlaskApp("infirmary", **options)
    inside = _FlaskInAsgi(threads=threads)
    app._middleware_app = inside  # noqa: SLF001 - the one place that may, see above
    app.middleware.app = inside
    app.app = inside.app
    return app, inside.bridge


def assemble(app: FlaskApp) -> None:
    """Put the middlewares together now; by itself connexion makes the first request wait for that, and fail for it."""
    stack = app.middleware
    stack.app, stack.middleware_stack = stack._build_middleware_stack()  # noqa: SLF001 - as above

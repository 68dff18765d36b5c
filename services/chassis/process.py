"""The two processes of a service, web and worker: started, stopped in order, and asked about over HTTP."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import uvicorn

from services.chassis import logs, metrics, spec, tracing
from services.chassis import redis as redis_store
from services.chassis.auth import TokenCheck
from services.chassis.keys import KeyFollower
from services.chassis.policy import Policy
from services.chassis.service import Service
from services.chassis.stores import StoreAway
from services.chassis.web import Web

_BLOCKING_S = 5.0
_START_PATIENCE_S = 30.0
_DRAIN_S = 20


def serve(service: Service, *, version: str) -> int:
    """Run the web process until it is told to stop; the exit code.

    SIGTERM: readiness goes off, what is in work is finished, connections are given back, spans are flushed.
    """
    with _common(service, version=version) as closing:
        settings = service.settings
        keys = KeyFollower(_own_address(service) if service.gives_keys else settings.identity_url)
        policy = Policy(
            redis_store.client(settings.bus_url.get_secret_value(), timeout_s=_BLOCKING_S),
            permissions=spec.permissions(settings.openapi_dir),
        )
        tokens = TokenCheck(keys=keys, policy=policy)
        web = Web(service, tokens=tokens, policy=policy, readiness={"keys": keys.require})
        closing.callback(web.bridge.close)
        for follower in (keys, policy):
            follower.start()
            closing.callback(follower.stop)
        config = uvicorn.Config(
            web.app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_DRAIN_S,
            server_header=False,
            date_header=True,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            # uvicorn raises the signal again when it has stopped; by then it must not end what is still to be closed.
            signal.signal(number, lambda *_: None)
        server = _Server(config, on_stop=web.app.drain)
        server.run()
        return 0 if server.started else 1


def work(service: Service, *, version: str, run: Callable[[Service, threading.Event], None]) -> int:
    """Run the worker process until it is told to stop; the exit code.

    run: everything of the service that is not a request; it returns when the event is set or when a part of it dies.
    """
    stop = threading.Event()
    with _common(service, version=version) as closing:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        closing.callback(_answer_for_worker(service))
        run(service, stop)
        return 0 if stop.is_set() else 1


@contextmanager
def _common(service: Service, *, version: str) -> Iterator[ExitStack]:
    logs.set_up(service.name, level=service.settings.log_level)
    metrics.BUILD.labels(service.name, version).set(1)
    with ExitStack() as closing:
        closing.callback(tracing.start(service.name, endpoint=service.settings.otel_exporter_otlp_endpoint))
        for close in service.close:
            closing.callback(close)
        _check(service.start_checks)
        logs.logger().info("process.started", version=version)
        yield closing
        logs.logger().info("process.stopping")


def _check(checks: Sequence[Callable[[], None]]) -> None:
    """Run the start checks; a store that is away is waited for, one with settings that lose data ends the start."""
    until = time.monotonic() + _START_PATIENCE_S
    for check in checks:
        while True:
            try:
                check()
                break
            except StoreAway:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)


def _own_address(service: Service) -> str:
    """Where this very process answers: who gives the keys must be able to read them before anybody is sent to it."""
    host, port = service.settings.host, service.settings.port
    local = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{local}:{port}"


class _Server(uvicorn.Server):
    """uvicorn, with a word to the application when the end begins."""

    def __init__(self, config: uvicorn.Config, *, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    def handle_exit(self, sig: int, frame: Any) -> None:
        """A signal to stop has come."""
        self._on_stop()
        super().handle_exit(sig, frame)


def _answer_for_worker(service: Service) -> Callable[[], None]:
    """Serve `/healthz` and `/metrics` of a worker on its own port; returns what ends it."""

    async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        status, kind, body = 404, "text/plain", b""
        if scope["type"] != "http":
            return
        if scope["path"] in {"/healthz", "/readyz"}:
            status, body = 200, b"alive"
        elif scope["path"] == "/metrics":
            accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
            body, kind = metrics.exposition(accept)
            status = 200
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    settings = service.settings
    config = uvicorn.Config(
        app, host=settings.host, port=settings.worker_port, lifespan="off", access_log=False, log_config=None
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), name="health", daemon=True)
    thread.start()

    def end() -> None:
        server.should_exit = True
        thread.join(2)

    return end

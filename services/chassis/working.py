"""The worker process of a service: its relay, consumers and jobs, and a port that says how they are."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import uvicorn

from services.chassis import metrics, process, worker
from services.chassis.service import Service

_GIVES_WAY = 5


def work(service: Service, *, version: str) -> int:
    """Run the worker process until it is told to stop or a part of it dies; the exit code.

    Nobody waits for a worker as for an answer: where both want the same core, the web process goes first.
    """
    os.nice(_GIVES_WAY)
    stop = threading.Event()
    with process.running(service, version=version) as closing:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        closing.callback(_answer_for_worker(service))
        process.settle()
        worker.run(service, stop)
        return 0 if stop.is_set() else 1


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

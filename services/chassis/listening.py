"""A process that listens, and the web process of a program that brings its own application: without the policy of the
services, whose age would look like news where nobody follows it.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.chassis import process
from services.chassis.config import ProcessSettings
from services.chassis.service import WebProgram

_DRAIN_S = 20


def serve_program(program: WebProgram, *, version: str) -> int:
    """Run a program that brings its own application, as `serving.serve` runs a service; the exit code."""
    with process.running(program, version=version) as closing:
        program.start(closing)
        return listen(program.app, program.settings, on_stop=program.drain)


def listen(app: Any, settings: ProcessSettings, *, on_stop: Callable[[], None]) -> int:
    """Serve an ASGI application until the process is told to stop; the exit code. on_stop: when the end begins."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=_Protocol,
        interface="asgi3",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,  # who asks is read where it is used, from what our own gateway says
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_DRAIN_S,
        server_header=False,
        date_header=True,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again when it has stopped; by then it must not end what is still to be closed.
        signal.signal(number, lambda *_: None)
    server = _Server(config, on_stop=on_stop)
    process.settle()
    server.run()
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """uvicorn, with a word to the application when the end begins."""

    def __init__(self, config: uvicorn.Config, *, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    def handle_exit(self, sig: int, frame: Any) -> None:
        """A signal to stop has come."""
        self._on_stop()
        super().handle_exit(sig, frame)


class _Protocol(HttpToolsProtocol):
    """uvicorn's, on a transport that sends head and body of an answer together."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has connected."""
        gathering = _Gathering(cast("asyncio.Transport", transport), self.loop)
        super().connection_made(cast("asyncio.Transport", gathering))


class _Gathering:
    """A transport that sends all that is written in one turn of the loop at once.

    uvicorn writes the head of an answer and then its body. Each was a packet of its own, which woke the other side, and
    had it wait for the rest.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._gathered: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send at the end of this turn."""
        if not self._gathered:
            self._loop.call_soon(self._send)
        self._gathered.append(data)

    def close(self) -> None:
        """Send what was written, then close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._transport.writelines(gathered)

"""The web process of a service, and of a program that brings its own application."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn

from services.chassis import process, spec
from services.chassis import redis as redis_store
from services.chassis.auth import TokenCheck
from services.chassis.config import ProcessSettings
from services.chassis.following import Follower
from services.chassis.keys import KeyFollower, KeysInForce
from services.chassis.policy import Policy
from services.chassis.service import Service, WebProgram
from services.chassis.web import Web

_BLOCKING_S = 5.0
_DRAIN_S = 20


def serve(service: Service, *, version: str) -> int:
    """Run the web process until it is told to stop; the exit code.

    SIGTERM: readiness goes off, what is in work is finished, connections are given back, spans are flushed.
    """
    with process.running(service, version=version) as closing:
        settings = service.settings
        keys = KeyFollower(_own_address(service) if service.gives_keys else settings.identity_url)
        policy = Policy(
            redis_store.client(settings.bus_url.get_secret_value(), timeout_s=_BLOCKING_S),
            permissions=spec.permissions(settings.openapi_dir),
        )
        policy.when_keys_change(partial(_keys_changed, service, keys))
        tokens = TokenCheck(keys=KeysInForce(keys, withdrawals=policy), policy=policy)
        web = Web(service, tokens=tokens, policy=policy, readiness={"keys": keys.require})
        closing.callback(web.bridge.close)
        following: list[KeyFollower | Policy | Follower] = [keys, policy, *(make() for make in service.followers)]
        for follower in following:
            follower.start()
            closing.callback(follower.stop)
        return listen(web.app, settings, on_stop=web.app.drain)


def serve_program(program: WebProgram, *, version: str) -> int:
    """The same for a program that brings its own application."""
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
        http="httptools",
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


def _keys_changed(service: Service, keys: KeyFollower) -> None:
    """A key was withdrawn: who gives the keys gives others from now on, and everybody reads them."""
    if service.gives_keys is not None:
        service.gives_keys()
    keys.refresh()


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

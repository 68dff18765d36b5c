"""The web process of a service."""

from __future__ import annotations

from functools import partial

from services.chassis import process, spec
from services.chassis import redis as redis_store
from services.chassis.auth import TokenCheck
from services.chassis.following import Follower
from services.chassis.keys import KeyFollower, KeysInForce
from services.chassis.listening import listen
from services.chassis.policy import Policy
from services.chassis.service import Service
from services.chassis.web import Web

_BLOCKING_S = 5.0


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

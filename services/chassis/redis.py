"""Clients of Redis, built in one place: every wait has an end, and nothing is sent a second time by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.chassis.stores import NotDurable, StoreAway

Client: TypeAlias = "redis.Redis"

TIMEOUT_S = 0.25
_STORE = "redis"
_DURABLE = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
}


def client(url: str, *, timeout_s: float = TIMEOUT_S, connections: int = 32) -> Client:
    """A client with a pool of connections; none is opened before it is needed. Answers are text (UTF-8).

    redis-py by itself repeats a command that timed out, up to ten times, while the server may still be working on the
    first; a repetition is ours to decide. A reader that blocks needs a client of its own with a longer `timeout_s`.
    """
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=TIMEOUT_S,
        socket_timeout=timeout_s,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        retry_on_timeout=False,
        health_check_interval=0,
        decode_responses=True,
        encoding_errors="replace",  # what somebody else wrote there must not end a reader
        protocol=2,
        driver_info=None,
    )
    return redis.Redis.from_pool(pool)


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors that mean "not now" into StoreAway; a wrong command or a script's own error passes."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise StoreAway(_STORE, type(error).__name__) from error
    except (redis.BusyLoadingError, redis.ReadOnlyError, redis.OutOfMemoryError) as error:
        raise StoreAway(_STORE, type(error).__name__) from error
    except redis.ResponseError as error:
        word = str(error).partition(" ")[0]
        if word in {"MISCONF", "NOREPLICAS", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "BUSY", "LOADING"}:
            raise StoreAway(_STORE, word) from error
        raise


def require_durable(connection: Client, *, attested: bool = False) -> None:
    """Refuse an instance that may lose what it confirmed, or evict what it holds.

    Managed stores often hide their configuration: with `attested` the operator vouches for what cannot be asked.

    Raises:  NotDurable: names the settings. StoreAway: the instance cannot be asked now.
    """
    found: dict[str | None, str | None] = {}
    with translated():
        try:
            for name in _DURABLE:
                found.update(connection.config_get(name))
        except redis.ResponseError as error:
            if attested:
                return
            raise NotDurable(_STORE, settings=["CONFIG GET is refused; grant it, or attest the settings"]) from error
    bad = [f"{name}={found.get(name, '?')}" for name, right in _DURABLE.items() if found.get(name) != right]
    if bad:
        raise NotDurable(_STORE, settings=bad)


def ping(connection: Client) -> None:
    """Answer when Redis answers; StoreAway otherwise."""
    with translated():
        connection.ping()

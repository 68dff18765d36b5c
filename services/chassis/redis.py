"""Clients of Redis, built in one place: every wait has an end, and nothing is sent a second time by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry

from services.chassis.stores import NotDurable, StoreAway

Client: TypeAlias = "redis.Redis"
Cluster: TypeAlias = "RedisCluster"

TIMEOUT_S = 0.25
_STORE = "redis"
_NOT_NOW = frozenset(
    {"MISCONF", "NOREPLICAS", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "BUSY", "LOADING", "OOM", "READONLY"}
)
# Before 7.0 a script says so, with where it was, before it says why its command was refused.
_WITHIN = re.compile(r"\AError running script .*?: -([A-Z]+) ")
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


def cluster(nodes: str, *, url: str = "redis://", timeout_s: float = TIMEOUT_S) -> Cluster:
    """A client of a Redis Cluster that is found by some of its nodes: `host:port,host:port`; `url` names the account.

    Raises:  redis.RedisClusterException: none of them answers.
    """
    places = [each.rpartition(":") for each in nodes.split(",")]
    account = urlsplit(url)
    return RedisCluster(
        startup_nodes=[ClusterNode(host, int(port)) for host, _, port in places],  # type: ignore[no-untyped-call]
        username=unquote(account.username) if account.username else None,
        password=unquote(account.password) if account.password else None,
        socket_timeout=timeout_s,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        protocol=2,
    )


def node(connection: Client | Cluster, key: str) -> Client:
    """The client of the one server that has a key."""
    if not isinstance(connection, RedisCluster):
        return connection
    owner = connection.get_node_from_key(key)  # type: ignore[no-untyped-call]
    if owner is None:
        raise StoreAway(_STORE, "slot_without_node")
    found: Client = connection.get_redis_connection(owner)
    return found


def primaries(connection: Client | Cluster) -> list[Client]:
    """A client of every server that takes writes: those of a cluster, or the one."""
    if not isinstance(connection, RedisCluster):
        return [connection]
    found = connection.get_primaries()  # type: ignore[no-untyped-call]
    return [connection.get_redis_connection(each) for each in found]


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
        said = str(error)
        within = _WITHIN.search(said)
        word = within[1] if within else said.partition(" ")[0]
        if word in _NOT_NOW:
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


def require_durable_everywhere(connection: Client | Cluster, *, attested: bool = False) -> None:
    """The same of every primary of a cluster, or of the one server.

    Raises:  as require_durable.
    """
    for primary in primaries(connection):
        require_durable(primary, attested=attested)


def ping(connection: Client) -> None:
    """Answer when Redis answers; StoreAway otherwise."""
    with translated():
        connection.ping()

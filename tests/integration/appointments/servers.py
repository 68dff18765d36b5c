"""Servers of Redis that a test may spoil: a cluster of three nodes, and a primary with a replica."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis as driver
from redis.cluster import RedisCluster

from services.chassis import redis
from standalone.servers import ports
from tests import stores
from tests.waiting import wait_for

SLOTS = 16384


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Three nodes that share the slots; their addresses, as RECORDS_CLUSTER wants them."""
    nodes = [_node(folder / f"node{index}") for index in range(3)]
    try:
        for index, node in enumerate(nodes):
            node.start()
            with redis.client(node.url, timeout_s=5) as client:
                first, last = SLOTS * index // 3, SLOTS * (index + 1) // 3
                client.execute_command("CLUSTER", "ADDSLOTS", *range(first, last))
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
        with redis.client(nodes[0].url, timeout_s=5) as client:
            for node in nodes[1:]:
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", node.port)
        for node in nodes:
            wait_for(lambda node=node: _is_whole(node.url), what="the cluster is whole")
        yield ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    finally:
        for node in nodes:
            node.kill()


def _node(home: Path) -> stores.Own:
    """A node whose bus, ten thousand ports above, is free too and below the ports of passing clients."""
    home.mkdir()
    while True:
        node = stores.Own("redis", home, **{"databases": "1", "cluster-enabled": "yes", "cluster-node-timeout": "5000"})
        if node.port < 22_700 and ports.is_free(node.port + 10_000):
            return node


def _is_whole(url: str) -> bool:
    with redis.client(url, timeout_s=5) as client:
        info = client.execute_command("CLUSTER", "INFO")
        text = info if isinstance(info, str) else "\n".join(f"{name}:{value}" for name, value in info.items())
        return "cluster_state:ok" in text and "cluster_known_nodes:3" in text


def slot(key: str) -> int:
    """The slot of a key."""
    return int(RedisCluster.keyslot(_SLOTS, key))


class _Slots:
    encoder = driver.Redis().get_encoder()


_SLOTS: RedisCluster = _Slots()  # type: ignore[assignment]


def is_replica_there(primary: str) -> bool:
    """Whether a replica follows and is up to date."""
    with redis.client(primary, timeout_s=5) as client:
        return client.wait(1, 100) == 1 and client.info("replication")["connected_slaves"] == 1

"""What a Redis tells of itself, summed over the primaries of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import Counter, Gauge

from services.chassis.redis import Client, Cluster, primaries, translated
from services.chassis.watching import Look, Repeated

CLIENTS = Gauge("infirmary_redis_clients", "Connections of all clients.", ["name"])
MEMORY = Gauge("infirmary_redis_memory_bytes", "Memory that the data takes.", ["name"])
LIMIT = Gauge("infirmary_redis_memory_limit_bytes", "Memory that it may take; 0 is no limit.", ["name"])
FILE = Gauge("infirmary_redis_append_file_bytes", "Size of the append-only file.", ["name"])
APPENDS = Gauge(
    "infirmary_redis_append_ok", "Whether the last write to the append-only file succeeded: 1 or 0.", ["name"]
)
SAVES = Gauge("infirmary_redis_save_ok", "Whether the last snapshot succeeded: 1 or 0.", ["name"])
COMMANDS = Counter("infirmary_redis_commands_total", "Commands that were done.", ["name"])
DELAYED = Counter("infirmary_redis_delayed_fsyncs_total", "Times that the disk was waited for.", ["name"])
REJECTED = Counter("infirmary_redis_rejected_connections_total", "Connections refused for want of room.", ["name"])
EVICTED = Counter("infirmary_redis_evicted_keys_total", "Keys removed for want of memory.", ["name"])


def look(connection: Client | Cluster, *, name: str) -> Look:
    """One Redis, by the name of its role, for a worker to watch."""
    counts = {
        "total_commands_processed": Repeated(COMMANDS.labels(name)),
        "aof_delayed_fsync": Repeated(DELAYED.labels(name)),
        "rejected_connections": Repeated(REJECTED.labels(name)),
        "evicted_keys": Repeated(EVICTED.labels(name)),
    }

    def measure() -> None:
        with translated():
            found: list[dict[str, Any]] = [dict(each.info()) for each in primaries(connection)]
        total = _summed(found)
        CLIENTS.labels(name).set(total("connected_clients"))
        MEMORY.labels(name).set(total("used_memory"))
        LIMIT.labels(name).set(total("maxmemory"))
        FILE.labels(name).set(total("aof_current_size"))
        APPENDS.labels(name).set(all(each.get("aof_last_write_status", "ok") == "ok" for each in found))
        SAVES.labels(name).set(all(each.get("rdb_last_bgsave_status", "ok") == "ok" for each in found))
        for fact, count in counts.items():
            count.follow(total(fact))

    return Look(store="redis", name=name, measure=measure)


def _summed(found: list[dict[str, Any]]) -> Callable[[str], float]:
    return lambda fact: sum(float(each.get(fact, 0)) for each in found)

"""What MongoDB tells of one database, and of the server where the account may ask for it (role `clusterMonitor`)."""

from __future__ import annotations

from typing import Any

from prometheus_client import Counter, Gauge
from pymongo.errors import OperationFailure

from services.chassis.mongo.client import translated
from services.chassis.mongo.documents import Documents
from services.chassis.watching import Look, Repeated

SIZE = Gauge("infirmary_mongodb_size_bytes", "Size of the database on the disk, indexes too.", ["name"])
CONNECTIONS = Gauge(
    "infirmary_mongodb_connections", "Connections to the server, and how many more it takes.", ["name", "state"]
)
CACHE = Gauge(
    "infirmary_mongodb_cache_bytes", "Cache of the server: in use, and how much it may use.", ["name", "state"]
)
OPERATIONS = Counter("infirmary_mongodb_operations_total", "Operations of all clients, by kind.", ["name", "operation"])
ASSERTS = Counter("infirmary_mongodb_asserts_total", "What went wrong within the server, by kind.", ["name", "kind"])

_OPERATIONS = ("insert", "query", "update", "delete", "getmore", "command")
_ASSERTS = ("regular", "warning", "msg")
_UNAUTHORIZED = 13


def look(documents: Documents, *, name: str) -> Look:
    """The database of one service, for its worker to watch."""
    operations = {each: Repeated(OPERATIONS.labels(name, each)) for each in _OPERATIONS}
    asserts = {each: Repeated(ASSERTS.labels(name, each)) for each in _ASSERTS}

    def measure() -> None:
        with translated():
            size: dict[str, Any] = documents.database.command("dbStats")
            server = _server(documents)
        SIZE.labels(name).set(size["storageSize"] + size["indexSize"])
        if server is None:
            return
        CONNECTIONS.labels(name, "in_use").set(server["connections"]["current"])
        CONNECTIONS.labels(name, "free").set(server["connections"]["available"])
        cache = server["wiredTiger"]["cache"]
        CACHE.labels(name, "in_use").set(cache["bytes currently in the cache"])
        CACHE.labels(name, "limit").set(cache["maximum bytes configured"])
        for kind, count in operations.items():
            count.follow(server["opcounters"][kind])
        for kind, count in asserts.items():
            count.follow(server["asserts"][kind])

    return Look(store="mongodb", name=name, measure=measure)


def _server(documents: Documents) -> dict[str, Any] | None:
    """What the server says of itself; None where this account may not ask."""
    try:
        found: dict[str, Any] = documents.client.admin.command("serverStatus")
    except OperationFailure as error:
        if error.code != _UNAUTHORIZED:
            raise
        return None
    return found

"""Clients of MongoDB whose waits all end and whose writes are on a majority of disks; what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from pymongo import MongoClient, monitoring
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
    WTimeoutError,
)

from services.chassis import metrics
from services.chassis.stores import NotDurable, StoreAway, StoreBusy, StoreError

Client: TypeAlias = "MongoClient[dict[str, Any]]"

_STORE = "mongodb"
_WRITE_CONFLICT = 112
_COMMANDS = frozenset(
    {"find", "getMore", "aggregate", "insert", "update", "delete", "findAndModify", "commitTransaction", "ping"}
)
# Out of disk, shutting down, not primary any more, interrupted: it may work later.
_AWAY_CODES = frozenset({50, 91, 189, 262, 10107, 11600, 11602, 13435, 13436, 14031})


def client(url: str, *, name: str = "infirmary", connections: int = 16, operation_s: float = 1.0) -> Client:
    """A client with a pool of connections; none is opened before it is needed.

    A write is answered when a majority has it in the journal; reads see only what a majority has. `operation_s` bounds
    each operation as a whole, waiting for a server and for a connection included. After a timeout the outcome of a
    write is unknown.
    """
    return MongoClient(
        url,
        appname=f"infirmary-{name}",
        connect=False,
        tz_aware=True,
        uuidRepresentation="standard",
        w="majority",
        journal=True,
        readConcernLevel="majority",
        retryWrites=True,
        retryReads=True,
        timeoutMS=int(operation_s * 1000),
        serverSelectionTimeoutMS=1000,
        connectTimeoutMS=250,
        waitQueueTimeoutMS=250,
        maxPoolSize=connections,
        event_listeners=[_Times()],
    )


class _Times(monitoring.CommandListener):
    """Measures every command, by its name; one that failed too. The driver's own are left out."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Its end says how long it took."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """A command was answered."""
        self._observe(event)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """A command was refused, or got no answer."""
        self._observe(event)

    def _observe(self, event: monitoring.CommandSucceededEvent | monitoring.CommandFailedEvent) -> None:
        if event.command_name in _COMMANDS:
            metrics.STORE_SECONDS.labels("mongodb", event.command_name).observe(event.duration_micros / 1e6)


@contextmanager
def translated(*, committing: bool = False) -> Iterator[None]:
    """Turn driver errors into StoreAway and StoreBusy; those that speak of the data pass, for the repository to name.

    A connection that proves dead inside a transaction before its commit is StoreBusy: the server forgets the
    transaction, and the next attempt gets a living connection or learns that the server is away.
    """
    try:
        yield
    except PyMongoError as error:
        meaning = _meaning(error, committing=committing)
        if meaning is None:
            raise
        raise meaning from error


def require_durable(connection: Client) -> None:
    """Refuse a server without a replica set: it has no transactions and no majority.

    Raises:  NotDurable, StoreAway.
    """
    with translated():
        hello = connection.admin.command("hello")
    if not hello.get("setName"):
        raise NotDurable(_STORE, settings=["replica set=none"])


def _meaning(error: PyMongoError, *, committing: bool) -> StoreError | None:
    if isinstance(error, DuplicateKeyError):
        return None
    reason = str(getattr(error, "code", None) or type(error).__name__)
    transient = error.has_error_label("TransientTransactionError")
    if error.timeout or isinstance(error, ExecutionTimeout | WTimeoutError | WriteConcernError):
        return StoreAway(_STORE, reason)
    if isinstance(error, ConnectionFailure):
        may_repeat = transient and not committing and isinstance(error, AutoReconnect)
        return StoreBusy(_STORE, reason) if may_repeat else StoreAway(_STORE, reason)
    if transient or getattr(error, "code", None) == _WRITE_CONFLICT:
        return StoreBusy(_STORE, reason)
    is_away = isinstance(error, OperationFailure) and error.code in _AWAY_CODES
    return StoreAway(_STORE, reason) if is_away else None

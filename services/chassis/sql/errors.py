"""What a driver's error means: the store is away, two units of work met, or it is the caller's business."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa

from services.chassis.stores import StoreAway, StoreBusy, StoreError

_STORE = "postgresql"

# Serialization failure, deadlock, lock_timeout: nothing was kept.
_BUSY = frozenset({"40001", "40P01", "55P03"})
# A statement that ran too long, a transaction that idled too long, a server that turned read-only in a failover.
_AWAY = frozenset({"57014", "25P03", "25P04", "25006"})
# Connection lost, resources used up (disk, memory, connections), operator at work, system error.
_AWAY_CLASSES = frozenset({"08", "53", "57", "58"})


class NoAnswer(psycopg.OperationalError):
    """The server took the statement and said nothing within the budget: whether it ran is unknown."""


@contextmanager
def translated(*, committing: bool = False) -> Iterator[None]:
    """Turn driver errors into StoreAway and StoreBusy; those that speak of the data pass, for the repository to name.

    A pooled connection that proves dead before the commit is StoreBusy: the server has rolled back whatever was begun,
    and SQLAlchemy has dropped the pool's other connections, so the next attempt gets a living one or learns that the
    server is away. While `committing` a lost connection leaves the outcome unknown, which is StoreAway.
    """
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise StoreAway(_STORE, "pool_exhausted") from error
    except sa.exc.DBAPIError as error:
        meaning = _meaning(error, committing=committing)
        if meaning is None:
            raise
        raise meaning from error


def _meaning(error: sa.exc.DBAPIError, *, committing: bool) -> StoreError | None:
    cause = error.orig
    state = getattr(cause, "sqlstate", None)
    if state in _BUSY:
        return StoreBusy(_STORE, state)
    if isinstance(cause, NoAnswer):
        return StoreAway(_STORE, "no_answer")
    if error.connection_invalidated:
        lost = StoreAway if committing or state == "25P03" else StoreBusy
        return lost(_STORE, state or "connection_lost")
    if state is None:
        unreachable = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
        return StoreAway(_STORE, "unreachable") if unreachable else None
    if state in _AWAY or state[:2] in _AWAY_CLASSES:
        return StoreAway(_STORE, state)
    return None

"""Migrations of a Mongo database: numbered scripts, each applied once, one migrator at a time, safe to kill.

A script is a file `0001_name.py` with `def up(database)`. MongoDB has no transactions over indexes and validators, so
`up` must be safe to run again: a run that was killed in the middle of a script repeats that script.
"""

from __future__ import annotations

import importlib.util
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pymongo
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.chassis.mongo.client import translated
from services.chassis.stores import StoreAway, StoreBusy

_APPLIED, _LOCK = "migrations", "migrations_lock"
_LEASE_MS = 15_000
_STEP_S = 600.0
_PATIENCE_S = 120.0
_NAME = re.compile(r"[0-9]{4}_[a-z0-9_]+")

Up = Callable[[Database[dict[str, Any]]], None]


def migrate(database: Database[dict[str, Any]], migrations_dir: Path, *, patience_s: float = _PATIENCE_S) -> None:
    """Apply every script that the database does not have yet, in order; nothing happens when it has all."""
    names = _names(migrations_dir)
    with translated(), pymongo.timeout(_STEP_S), _locked(database, patience_s=patience_s) as holds:
        applied = _applied(database)
        for name in names:
            if name not in applied:
                _load(migrations_dir / f"{name}.py")(database)
                if not holds():
                    raise StoreBusy("mongodb", "migration_lock_lost")
                database[_APPLIED].update_one({"_id": name}, [{"$set": {"applied_at": "$$NOW"}}], upsert=True)


def at_head(database: Database[dict[str, Any]], migrations_dir: Path) -> None:
    """Answer when the database has every script that this code knows; it may have more, of newer code.

    Raises:  StoreBusy: migrations are missing.
    """
    with translated():
        missing = set(_names(migrations_dir)) - _applied(database)
    if missing:
        raise StoreBusy("mongodb", "migrations_missing")


def _names(migrations_dir: Path) -> list[str]:
    return sorted(path.stem for path in migrations_dir.glob("[0-9]*.py") if _NAME.fullmatch(path.stem))


def _applied(database: Database[dict[str, Any]]) -> set[str]:
    return {row["_id"] for row in database[_APPLIED].find({}, {"_id": 1})}


def _load(path: Path) -> Up:
    spec = importlib.util.spec_from_file_location(f"migration_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(path.name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Up", module.up)


@contextmanager
def _locked(database: Database[dict[str, Any]], *, patience_s: float) -> Iterator[Callable[[], bool]]:
    """Hold the lock document; a thread renews it, so a killed migrator blocks the next for seconds only."""
    holder, done = uuid4(), threading.Event()
    end = time.monotonic() + patience_s
    while not _take(database, holder):
        if time.monotonic() > end:
            raise StoreAway("mongodb", "another migration runs")
        time.sleep(0.2)

    renewed = [time.monotonic()]

    def renew() -> None:
        while not done.wait(_LEASE_MS / 3000):
            asked = time.monotonic()
            try:
                if not _take(database, holder):
                    return
            except PyMongoError:
                continue  # there are two more tries before the lease ends
            renewed[0] = asked

    thread = threading.Thread(target=renew, name="migration-lock", daemon=True)
    thread.start()
    try:
        yield lambda: time.monotonic() - renewed[0] < _LEASE_MS / 1000
    finally:
        done.set()
        thread.join()
        database[_LOCK].delete_one({"_id": "lock", "holder": holder})


def _take(database: Database[dict[str, Any]], holder: UUID) -> bool:
    """Take or keep the lock; the server's clock says whether another's has run out."""
    free = {"_id": "lock", "$expr": {"$or": [{"$eq": ["$holder", holder]}, {"$lt": ["$until", "$$NOW"]}]}}
    mine = [{"$set": {"holder": holder, "until": {"$add": ["$$NOW", _LEASE_MS]}}}]
    if database[_LOCK].update_one(free, mine).matched_count:
        return True
    try:
        # Nobody has it yet; a document that another has inserted meanwhile refuses ours.
        return database[_LOCK].update_one({"_id": "lock", "holder": holder}, mine, upsert=True).upserted_id is not None
    except DuplicateKeyError:
        return False

"""Migrations by Alembic without an env.py: one transaction for each revision, one migrator at a time, safe to kill."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from services.chassis.answers import lock_number
from services.chassis.sql.engine import engine as make_engine
from services.chassis.sql.errors import translated
from services.chassis.stores import StoreAway

_LOCK = lock_number("infirmary", "migrations")
_STEP_S = 600.0
_TRIES = 20


def migrate(url: str, migrations_dir: Path, *, target: str, patience_s: float) -> None:
    """Bring a database to its newest revision; nothing happens when it is there.

    Two at once are safe: the second waits for an advisory lock, then finds nothing left to do. Each revision is one
    transaction, so a killed run goes on where it stopped. A statement that cannot get its table lock within one second
    gives way to the traffic and is tried again.
    """
    db = make_engine(url, name="migrate", pool=0, statement_s=_STEP_S, lock_s=1.0, idle_in_transaction_s=_STEP_S)
    script = _script(migrations_dir)
    with translated(), db.connect() as connection:
        _lock(connection, patience_s=patience_s)
        for left in reversed(range(_TRIES)):
            try:
                _upgrade(connection, script, target)
            except sa.exc.OperationalError as error:
                if not isinstance(error.orig, psycopg.errors.LockNotAvailable) or left == 0:
                    raise
                time.sleep(0.5)
            else:
                return


def _script(migrations_dir: Path) -> ScriptDirectory:
    return ScriptDirectory(str(migrations_dir), version_locations=[str(migrations_dir)])


def _lock(connection: sa.Connection, *, patience_s: float) -> None:
    end = time.monotonic() + patience_s
    while not connection.execute(sa.text("SELECT pg_try_advisory_lock(:number)"), {"number": _LOCK}).scalar_one():
        connection.rollback()
        if time.monotonic() > end:
            raise StoreAway("postgresql", "another migration runs")
        time.sleep(0.2)
    connection.commit()  # the lock belongs to the session and goes with it, also when the process is killed


def _upgrade(connection: sa.Connection, script: ScriptDirectory, target: str) -> None:
    def steps(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs(target, revision)  # noqa: SLF001 - what alembic.command.upgrade itself calls

    connection.rollback()
    with EnvironmentContext(Config(), script, fn=steps, destination_rev=target) as environment:
        environment.configure(connection=connection, transaction_per_migration=True)
        try:
            environment.run_migrations()
        except CommandError as error:
            raise RuntimeError("the database has a revision that this code does not know") from error

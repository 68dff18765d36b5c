"""Whether a database is as new as the code, and the way to bring it there.

Alembic, which brings it there, takes a tenth of the memory of a process. Only a migration needs it, so only a migration
imports it; the web process and the worker compare what the database says with what the scripts say.
"""

from __future__ import annotations

import ast
import functools
import importlib
from pathlib import Path

import psycopg
import sqlalchemy as sa

from services.chassis.sql.errors import translated
from services.chassis.stores import StoreBusy

_CURRENT = sa.text("SELECT version_num FROM alembic_version")


def migrate(url: str, migrations_dir: Path, *, target: str = "head", patience_s: float = 120.0) -> None:
    """Bring a database to its newest revision, as `migrations.migrate` says."""
    alembic = importlib.import_module("services.chassis.sql.migrations")
    alembic.migrate(url, migrations_dir, target=target, patience_s=patience_s)


def at_head(db: sa.Engine, migrations_dir: Path) -> None:
    """Answer when the database is as new as this code: at its head, or at a revision that only newer code knows.

    Raises:  StoreBusy: migrations are missing.
    """
    heads, known = _revisions(migrations_dir)
    current = _current(db)
    if current != heads and (not current or current & known):
        raise StoreBusy("postgresql", "migrations_missing")


def _current(db: sa.Engine) -> frozenset[str]:
    try:
        with translated(), db.connect() as connection:
            return frozenset(connection.execute(_CURRENT).scalars())
    except sa.exc.ProgrammingError as error:
        if isinstance(error.orig, psycopg.errors.UndefinedTable):
            return frozenset()  # nothing was ever migrated here
        raise


@functools.cache
def _revisions(migrations_dir: Path) -> tuple[frozenset[str], frozenset[str]]:
    """The newest revisions and all of them; files of a release do not change, and readiness asks every second."""
    names = [_names(path) for path in sorted(migrations_dir.glob("[0-9]*.py"))]
    known = frozenset(str(each["revision"]) for each in names)
    return known - {each["down_revision"] for each in names}, known


def _names(script: Path) -> dict[str, object]:
    """The constants of a revision's script, without running it."""
    assigned = [each for each in ast.parse(script.read_bytes()).body if isinstance(each, ast.Assign)]
    return {
        each.targets[0].id: each.value.value
        for each in assigned
        if isinstance(each.targets[0], ast.Name) and isinstance(each.value, ast.Constant)
    }

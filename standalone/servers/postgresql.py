"""PostgreSQL: a data folder with durable settings, one database and one role with its own password per service."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from standalone.servers import lowered
from standalone.servers.finding import Program
from standalone.servers.ports import HOST
from standalone.servers.process import NotReady, bare_environ

SUPERUSER = "postgres"

# Durable defaults are said aloud, so that nobody's template changes them. Errors are logged without statement, detail
# or parameters: those hold what was written about people.
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}

ACCESS = f"host all all {HOST}/32 scram-sha-256\n"


class PostgreSQL:
    """One PostgreSQL server in a folder of its own."""

    name = "postgresql"
    stop_signal = signal.SIGINT  # "fast": clients are sent away; SIGTERM would wait for them to leave

    def __init__(
        self, program: Program, *, home: Path, port: int, password: str, settings: Mapping[str, str] | None = None
    ) -> None:
        self.program = program
        self.home = home.resolve()
        self.port = port
        self._password = password
        self._settings = {**SETTINGS, "port": str(port), **(settings or {})}

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.home / "data"

    def prepare(self) -> None:
        """Make the data folder once; write the settings and drop a lock that nobody holds at each start."""
        self.home.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._make_data_folder()
        self._write("postgresql.conf", "".join(f"{name} = '{value}'\n" for name, value in self._settings.items()))
        self._write("pg_hba.conf", ACCESS)
        self._drop_stale_lock()

    def command(self) -> Sequence[str]:
        """Run in the foreground."""
        return self._lowered([str(self.program.path), "-D", str(self.data)])

    def environ(self) -> Mapping[str, str]:
        """Nothing but where programs and libraries are."""
        return bare_environ()

    def url(self, *, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """Where a client finds a database of this server."""
        secret = quote(password if password is not None else self._password, safe="")
        return f"postgresql://{quote(user, safe='')}:{secret}@{HOST}:{self.port}/{quote(database, safe='')}"

    def is_ready(self) -> bool:
        """Whether it answers a statement."""
        return answers(self.url())

    def settle(self) -> None:
        """Nothing remains to be done."""

    def _make_data_folder(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # a first start that was cut off leaves one without PG_VERSION
        making = self.home / "making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        self._give(making)
        with tempfile.NamedTemporaryFile("w", dir=self.home, prefix="pw", encoding="ascii") as secret:
            secret.write(self._password)
            secret.flush()
            self._give(Path(secret.name))
            initdb = [str(self.program.path.parent / "initdb"), "-D", str(making), "-U", SUPERUSER]
            how = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--data-checksums", "--no-instructions"]
            made = subprocess.run(
                self._lowered([*initdb, *how, f"--pwfile={secret.name}"]),
                capture_output=True, text=True, env=bare_environ(), check=False, timeout=120, cwd="/",
            )  # fmt: skip
        if made.returncode != 0:
            raise NotReady(f"initdb: {made.stderr.strip() or made.stdout.strip()}")
        making.rename(self.data)  # whole or not at all: a data folder under its final name is always complete

    def _write(self, name: str, text: str) -> None:
        path = self.data / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        self._give(path)

    def _drop_stale_lock(self) -> None:
        """After a `kill -9` the lock may name a process of somebody else by now, and PostgreSQL would not start."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text(encoding="ascii").splitlines()[0])
        except (OSError, ValueError, IndexError):
            lock.unlink(missing_ok=True)
            return
        try:
            cwd = Path(f"/proc/{pid}/cwd").resolve(strict=True)
        except OSError:
            cwd = None
        if cwd != self.data:
            lock.unlink(missing_ok=True)

    def _lowered(self, command: list[str]) -> list[str]:
        return lowered.wrapped(command) if os.geteuid() == 0 else command

    def _give(self, path: Path) -> None:
        if os.geteuid() == 0:
            entry = lowered.account()
            os.chown(path, entry.pw_uid, entry.pw_gid)


def answers(url: str) -> bool:
    """Whether the server at this address answers a statement."""
    try:
        with psycopg.connect(url, connect_timeout=2, autocommit=True) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def ensure_database(url: str, *, name: str, password: str) -> None:
    """A database and a role of the same name that owns it and alone may enter; as often as you like."""
    role, secret = sql.Identifier(name), sql.Literal(password)
    with psycopg.connect(url, connect_timeout=5, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, secret))
        else:
            connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, secret))
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            # A managed server's administrator is no superuser: it may give a database only to a role it belongs to.
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(role))


def version_of(data: Path) -> int | None:
    """The major version that made a data folder, if there is one."""
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None

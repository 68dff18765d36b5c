"""Real stores for tests: one set for all workers of a run, started when first asked for, gone when the last user is.

Each server has a keeper process beside it. Every process that uses the server holds a shared lock on a file; when the
keeper gets the exclusive lock, nobody is left, and it stops the server and removes its folder. A lock goes with its
process, so a run that was killed leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg

from standalone import servers
from tests.places import free_port

READY_S = 60.0


class NoServer(RuntimeError):
    """A server that a test needs cannot be had here; the message says what to install or to set."""


def address(kind: str) -> str:
    """The address of the run's own server of one kind (postgres, mongo, redis), or that which the environment names."""
    given = os.environ.get(f"INFIRMARY_TEST_{kind.upper()}_URL")
    return given or _shared(kind)


@contextlib.contextmanager
def databases(server: str, name: str) -> Iterator[Callable[[], str]]:
    """A function that makes empty PostgreSQL databases and says their addresses; they go at the end."""
    made: list[str] = []

    def make() -> str:
        made.append(f"{name}_{len(made)}")
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{made[-1]}" TEMPLATE template0'.encode())
        return f"{server.rpartition('/')[0]}/{made[-1]}"

    yield make
    with psycopg.connect(server, autocommit=True) as admin:
        for each in made:
            admin.execute(f'DROP DATABASE IF EXISTS "{each}" WITH (FORCE)'.encode())


_held: dict[str, int] = {}


def _shared(kind: str) -> str:
    folder = _folder(kind)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "starting").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)  # one worker starts it, the others wait here
        if kind not in _held:
            _held[kind] = os.open(folder / "users", os.O_CREAT | os.O_RDWR)
            fcntl.flock(_held[kind], fcntl.LOCK_SH)  # held until this process ends
            if not (folder / "address").exists():
                _start_keeper(kind, folder)
        return (folder / "address").read_text()


def _folder(kind: str) -> Path:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    return Path(tempfile.gettempdir()) / f"infirmary-tests-{run}" / kind


def _start_keeper(kind: str, folder: Path) -> None:
    root = Path(__file__).resolve().parent.parent
    with (folder / "keeper.log").open("w") as log:
        command = [sys.executable, "-m", "tests.stores", kind, str(folder)]
        started = subprocess.run(command, cwd=root, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False)
    if started.returncode != 0:
        lines = (folder / "keeper.log").read_text().strip().splitlines()
        raise NoServer(f"no {kind} for the tests: {lines[-1] if lines else 'it did not start'}")


def start(kind: str, folder: Path) -> int:
    """Leave a keeper behind and return when its server is ready, 0, or when it failed, 1."""
    keeper = os.fork()
    if keeper == 0:
        os.setsid()
        keep(kind, folder)
        return 0
    while not (folder / "address").exists():
        if os.waitpid(keeper, os.WNOHANG)[0]:
            return 1
        time.sleep(0.05)
    os._exit(0)  # without the tidying of an interpreter whose twin goes on


def keep(kind: str, folder: Path) -> None:
    """Run one server until nobody uses it; the keeper process is this."""
    server = _MADE[kind](folder, {})
    log = folder / "server.log"
    process = servers.start(server, log=log)
    try:
        servers.wait_ready(server, process, log=log)
        with (folder / "users").open("w") as users:
            (folder / "new").write_text(server.url())
            (folder / "new").rename(folder / "address")
            _wait_for_exclusive(users.fileno(), process)
            (folder / "address").unlink()  # whoever comes now starts another
    finally:
        # Nothing in it is worth a clean stop; PostgreSQL takes SIGQUIT for that, and its children go with it.
        servers.stop(process, by=signal.SIGQUIT if kind == "postgres" else signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()  # the last keeper of the run takes the folder with it


def _wait_for_exclusive(users: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.5)
        else:
            return


def _postgres(folder: Path, settings: Mapping[str, str]) -> servers.PostgreSQL:
    program, port, password = servers.finding.postgresql(), free_port(), secrets.token_urlsafe()
    return servers.PostgreSQL(program, home=folder, port=port, password=password, settings=settings)


def _mongo(folder: Path, _settings: Mapping[str, str]) -> servers.MongoDB:
    return servers.MongoDB(servers.finding.mongodb(), home=folder, port=free_port())


def _redis(folder: Path, settings: Mapping[str, str]) -> servers.Redis:
    program, port = servers.finding.redis_server(), free_port()
    given = {"databases": "64", "save": '""', **settings}
    return servers.Redis(program, home=folder, port=port, role="bus", settings=given)


Maker = Callable[[Path, Mapping[str, str]], servers.PostgreSQL | servers.MongoDB | servers.Redis]
_MADE: dict[str, Maker] = {"postgres": _postgres, "mongo": _mongo, "redis": _redis}


def family(pid: int) -> list[int]:
    """A process and those that it has made, the oldest first; none when it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return [pid, *(each for child in children for each in family(int(child)))]
    return []


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(process, signal.SIGKILL)
            select.select([process], [], [])  # readable once it has ended
        finally:
            os.close(process)


class Own:
    """A server of a test's own, which it may kill, stop for a while and start again; its address stays the same."""

    def __init__(self, kind: str, folder: Path, **settings: str) -> None:
        self._server = _MADE[kind](folder, settings)
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = self._server.port

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return self._server.url()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = servers.start(self._server, log=self._log)
        servers.wait_ready(self._server, self._process, log=self._log)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its main process."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would: with its children, that no backend of PostgreSQL answers once more."""
        if self._process is not None:
            for each in family(self._process.pid):
                _end(each)
            self._process.wait()
            self._process = None


if __name__ == "__main__":
    sys.exit(start(sys.argv[1], Path(sys.argv[2])))

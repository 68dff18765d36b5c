"""Processes of services that a test starts beside the booking desk, to stop, kill or deceive them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from services.chassis.failpoints import VARIABLE

ROOT = Path(__file__).resolve().parents[3]


class Process:
    """A process of a service, started again when it dies: with a place to die at, once, when one is given."""

    def __init__(self, verb: str, service: str, environ: dict[str, str]) -> None:
        self._command = [sys.executable, "-m", "services.chassis", verb, service]
        self._environ = {**{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}, **environ}
        self._process: subprocess.Popen[bytes] | None = None
        self.deaths = 0

    def start(self, failpoint: str = "") -> None:
        given = {**self._environ, VARIABLE: failpoint} if failpoint else self._environ
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(self._command, cwd=ROOT, env=given, stdout=quiet, stderr=quiet)

    def look(self) -> None:
        """Start it again, whole, when it has died."""
        if self._process is not None and self._process.poll() is not None:
            self.deaths += self._process.returncode == -signal.SIGKILL
            self.start()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def signal(self, number: int) -> None:
        """Send it a signal while it is there."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

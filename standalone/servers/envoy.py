"""Envoy: the gateway's program, with a configuration that is generated elsewhere."""

from __future__ import annotations

import signal
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from standalone.servers.finding import Program
from standalone.servers.ports import HOST
from standalone.servers.process import bare_environ


class Envoy:
    """One Envoy; its configuration file names the ports, this object only has to know where it is ready."""

    name = "gateway"
    stop_signal = signal.SIGTERM

    def __init__(self, program: Program, *, config: Path, port: int, admin_port: int, concurrency: int = 2) -> None:
        """`admin_port` is the administration of Envoy on this machine only; it says whether Envoy is ready."""
        self.program = program
        self.config = config.resolve()
        self.port = port
        self._admin_port = admin_port
        self._concurrency = concurrency

    def prepare(self) -> None:
        """The file must be there; who starts Envoy has generated it."""
        if not self.config.is_file():
            raise FileNotFoundError(self.config)

    def command(self) -> Sequence[str]:
        """Run in the foreground; without hot restart two houses on one machine do not meet."""
        how = ["--disable-hot-restart", "--log-level", "warning", "--concurrency", str(self._concurrency)]
        return [str(self.program.path), "-c", str(self.config), *how]

    def environ(self) -> Mapping[str, str]:
        """Nothing but where programs and libraries are."""
        return bare_environ()

    def is_ready(self) -> bool:
        """Whether its listeners are open and its clusters known."""
        return answers(f"http://{HOST}:{self._admin_port}/ready")

    def settle(self) -> None:
        """Nothing remains to be done."""


def answers(url: str, *, timeout_s: float = 2.0) -> bool:
    """Whether this address answers 200."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False

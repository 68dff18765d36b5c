"""One server process: started, waited for, and stopped within a bounded time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

TAIL_BYTES = 2000


class NotReady(Exception):
    """A server did not come up; the text holds the end of what it said."""


class Server(Protocol):
    """What every server can tell about itself."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def port(self) -> int:
        """Where it listens on this machine."""

    @property
    def stop_signal(self) -> signal.Signals:
        """The signal that makes it finish its work and leave."""

    def prepare(self) -> None:
        """Make its folders and configuration; quick and harmless when they exist."""

    def command(self) -> Sequence[str]:
        """The command line that runs it in the foreground."""

    def environ(self) -> Mapping[str, str]:
        """All of its environment."""

    def is_ready(self) -> bool:
        """Whether it does its work now."""

    def settle(self) -> None:
        """What remains to be done once it answers for the first time after a start."""


def bare_environ() -> dict[str, str]:
    """The few variables that a server needs, none of them a secret."""
    kept = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE")
    return {"LANG": "C", "TZ": "UTC"} | {name: os.environ[name] for name in kept if name in os.environ}


def start(server: Server, *, log: Path, marks: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, with what it says appended to `log`; it may not be ready yet."""
    server.prepare()
    with log.open("ab") as out:
        return subprocess.Popen(
            list(server.command()),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**server.environ(), **(marks or {})},
            start_new_session=True,
        )


def wait_ready(server: Server, process: subprocess.Popen[bytes], *, log: Path, timeout_s: float = 30.0) -> None:
    """Wait until the server answers, then let it settle; NotReady when it dies or takes too long."""
    deadline = time.monotonic() + timeout_s
    pause_s = 0.02
    while not server.is_ready():
        if process.poll() is not None:
            raise NotReady(f"{server.name} ended with code {process.returncode}: {last_words(log)}")
        if time.monotonic() > deadline:
            raise NotReady(f"{server.name} was not ready within {timeout_s:.0f} s: {last_words(log)}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.25)
    server.settle()


def stop(process: subprocess.Popen[bytes], *, by: signal.Signals = signal.SIGTERM, timeout_s: float = 15.0) -> None:
    """Ask the process to leave, and after the time end it."""
    if process.poll() is not None:
        return
    process.send_signal(by)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_words(log: Path) -> str:
    """The end of a log, for a message to a person."""
    if not log.exists():
        return "it said nothing"
    with log.open("rb") as lines:
        lines.seek(max(0, log.stat().st_size - TAIL_BYTES))
        said = lines.read().decode("utf-8", "replace").strip()
    return "\n".join(said.splitlines()[-12:]) or "it said nothing"


@contextmanager
def running(server: Server, *, log: Path, timeout_s: float = 30.0) -> Iterator[subprocess.Popen[bytes]]:
    """A server that is ready within the block and gone after it."""
    process = start(server, log=log)
    try:
        wait_ready(server, process, log=log, timeout_s=timeout_s)
        yield process
    finally:
        stop(process, by=server.stop_signal)

"""Which process is which: a process id counts only together with the moment when that process began."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
HOUSE_MARK = "INFIRMARY_HOUSE"


def began(pid: int) -> str | None:
    """When the process with this id began, in whatever way the system counts; None when there is no living one."""
    if PROC.is_dir():
        try:
            fields = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in {"Z", "X"} else fields[19]
    asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or None


def lives(pid: int, *, since: str | None) -> bool:
    """Whether this very process still runs, and not another that has got its id."""
    return since is not None and began(pid) == since


def marked(home: Path) -> dict[int, str]:
    """Processes that carry the mark of this house in their environment, with the moment each began."""
    mark = f"{HOUSE_MARK}={home}".encode()
    found: dict[int, str] = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            environ = (folder / "environ").read_bytes()
        except OSError:
            continue
        pid = int(folder.name)
        since = began(pid)
        if since is not None and mark in environ.split(b"\0") and pid != os.getpid():
            found[pid] = since
    return found


def send(pid: int, number: signal.Signals, *, since: str) -> None:
    """Send a signal to this very process, if it is still there."""
    if lives(pid, since=since):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


def wait_gone(processes: Iterable[tuple[int, str]], *, timeout_s: float) -> list[tuple[int, str]]:
    """Wait until these processes are gone; those that are not in time."""
    until = time.monotonic() + timeout_s
    left = [each for each in processes if lives(each[0], since=each[1])]
    while left and time.monotonic() < until:
        time.sleep(0.05)
        left = [each for each in left if lives(each[0], since=each[1])]
    return left

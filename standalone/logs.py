"""Logs of the processes: appended by the processes themselves, bounded by the supervisor, shown to a person."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

MOST_BYTES = 8 << 20
SHOWN_LINES = 40


def bound(folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Put each log that has grown too long aside as `.1`, over the last one, and empty it.

    The processes append, so that they go on writing at the new end; a supervisor that dies costs no line.
    """
    for log in folder.glob("*.log"):
        if log.stat().st_size > most_bytes:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            with log.open("r+b") as file:
                file.truncate(0)


def show(folder: Path, *, names: Sequence[str], follow: bool) -> None:
    """Print the ends of these logs (all of them without names), and what comes while `follow` holds."""
    logs = [folder / f"{name}.log" for name in names] or sorted(folder.glob("*.log"))
    width = max((len(log.stem) for log in logs), default=0)
    ends = {log: _show_end(log, width=width) for log in logs if log.exists()}
    while follow:
        time.sleep(0.3)
        for log in [*ends, *([] if names else folder.glob("*.log"))]:
            ends[log] = _show_from(log, ends.get(log, 0), width=width)


def _show_end(log: Path, *, width: int) -> int:
    size = log.stat().st_size
    with log.open("rb") as file:
        file.seek(max(0, size - 64 * 1024))
        lines = file.read().decode("utf-8", "replace").splitlines()
    for line in lines[-SHOWN_LINES:]:
        _print(log, line, width=width)
    return size


def _show_from(log: Path, position: int, *, width: int) -> int:
    size = log.stat().st_size if log.exists() else 0
    if size < position:
        position = 0  # it was put aside
    if size == position:
        return position
    with log.open("rb") as file:
        file.seek(position)
        fresh = file.read(1 << 20)
    whole = fresh.rpartition(b"\n")[0]
    for line in whole.decode("utf-8", "replace").splitlines():
        _print(log, line, width=width)
    return position + len(whole) + (1 if whole else 0)


def _print(log: Path, line: str, *, width: int) -> None:
    sys.stdout.write(f"{log.stem:<{width}} | {line}\n")
    sys.stdout.flush()

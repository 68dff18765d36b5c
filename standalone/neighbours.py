"""Ports that other houses of this account have chosen on this machine, whether they run now or not.

Two houses that start at the same moment would else take the same port: nobody listens on it yet. What is kept is a list
of houses with their ports; a house is on it for as long as its own list of ports exists, or the process that chose.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

Entry = Mapping[str, object]


def choose(house: Path, pick: Callable[[set[int]], int], *, file: Path | None = None) -> int:
    """A port for a house, picked among those that no other has; `house`: where it keeps its ports.

    Where the list cannot be kept, a port is picked without it: it is a courtesy among houses, and guards nothing.
    """
    opened = _opened(file or Path(tempfile.gettempdir()) / f"infirmary-ports-{os.getuid()}.json")
    if opened is None:
        return pick(set())
    with opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        known = {name: entry for name, entry in _read(opened).items() if _lives(name, entry)}
        own = known.pop(str(house), {})
        port = pick({each for entry in known.values() for each in _ports(entry)})
        known[str(house)] = {"by": os.getpid(), "ports": sorted({*_ports(own), port})}
        opened.seek(0)
        opened.truncate()
        json.dump(known, opened)
        opened.flush()
    return port


def _opened(file: Path) -> IO[str] | None:
    """The list, if it is ours: not what somebody else has put in its place."""
    with suppress(OSError):
        number = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if os.fstat(number).st_uid == os.getuid():
            return os.fdopen(number, "r+", encoding="utf-8")
        os.close(number)
    return None


def _read(opened: IO[str]) -> dict[str, Entry]:
    found: object = None
    with suppress(ValueError):
        found = json.load(opened)
    return {name: entry for name, entry in found.items() if isinstance(entry, dict)} if isinstance(found, dict) else {}


def _lives(house: str, entry: Entry) -> bool:
    return Path(house).exists() or Path(f"/proc/{entry.get('by')}").exists()


def _ports(entry: Entry) -> Iterable[int]:
    found = entry.get("ports")
    return [each for each in found if isinstance(each, int)] if isinstance(found, list) else []

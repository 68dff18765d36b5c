"""Ports of a house: chosen once, kept in a file, and taken by nobody else when a process is to start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from standalone import neighbours
from standalone.layout import write_private
from standalone.servers import ports
from standalone.settings import GATEWAY_PORT, INBOX_PORT, port_variable
from standalone.trouble import Trouble

KNOWN = {"gateway": GATEWAY_PORT, "inbox": INBOX_PORT}


class Places:
    """Which process listens where."""

    def __init__(self, file: Path, *, chosen: Mapping[str, int]) -> None:
        """`chosen` are the ports that somebody has set by hand; they win and are kept."""
        self._file = file
        self._kept: dict[str, int] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        self._kept.update(chosen)
        self._asked: set[str] = set()

    def port(self, name: str) -> int:
        """The port of this process; a new name gets the one it is known by, or a free one."""
        self._asked.add(name)
        if name not in self._kept:
            self._kept[name] = KNOWN.get(name) or neighbours.choose(self._file, self._free)
        return self._kept[name]

    def _free(self, of_others: set[int]) -> int:
        return ports.free(taken={*self._kept.values(), *of_others})

    def keep(self) -> None:
        """Write down what was chosen."""
        write_private(self._file, json.dumps(self._kept, indent=1, sort_keys=True) + "\n")

    def require_free(self) -> None:
        """Raises Trouble when somebody else listens on a port of ours, or two of ours share one."""
        owners: dict[int, str] = {}
        for name in sorted(self._asked):
            port = self._kept[name]
            if port in owners:
                raise Trouble(
                    f"Port {port} is wanted by {owners[port]} and {name}: choose another with {port_variable(name)}=…"
                )
            owners[port] = name
            if not ports.is_free(port):
                raise Trouble(
                    f"Port {port} ({name}) is taken by another program: stop that, or choose another port with "
                    f"{port_variable(name)}=…"
                )

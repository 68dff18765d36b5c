"""A store that checks first and writes later, made of the very same pieces: what the tests of contests must notice."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from services.appointments.repository import scripts
from services.chassis.redis import Client, Cluster
from services.chassis.scripts import Script

_CUTS = {
    "place": "if a.hold then end_hold(a.hold) end\n",
    "settle": "local done = keep(a.seat or 0)\n",
}


class CheckedThenWritten:
    """Two scripts instead of one: the first checks and returns what it found, the second only writes.

    Who has checked writes when the next one has checked too, or after `between_s` when nobody came: so two who want
    the same meet between the halves on a slow machine as well.
    """

    def __init__(self, name: str, *, between_s: float = 1.0) -> None:
        cut, text, self._between_s = _CUTS[name], scripts.text(name), between_s
        self._met, self._found = threading.Condition(), 0
        before, after = text.split(cut)
        shared = scripts.text(name).partition("\n-- Book,")[0].partition("\n-- A change that")[0]
        found = "seat" if name == "place" else "0"
        self._checks = Script(f"{name}_checks", text=f"{before}return {{'found', {found}}}\n")
        self._writes = Script(f"{name}_writes", text=f"{shared}\nlocal seat = tonumber(ARGV[2])\n{cut}{after}")

    def run(self, connection: Client | Cluster, *, keys: Sequence[str], arguments: Sequence[str | bytes]) -> Any:
        """Check; write when somebody else has checked."""
        word, more = self._checks.run(connection, keys=keys, arguments=arguments)
        if word != "found":
            return word, more
        with self._met:
            self._found = mine = self._found + 1
            self._met.notify_all()
            self._met.wait_for(lambda: self._found > mine, timeout=self._between_s)
        return self._writes.run(connection, keys=keys, arguments=[*arguments, str(more)])


def texts() -> Mapping[str, Any]:
    """All scripts, with those that decide torn in two."""
    return scripts.load() | {name: CheckedThenWritten(name) for name in _CUTS}

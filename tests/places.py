"""Ports for the servers of tests, which no house that starts beside them chooses for itself."""

from __future__ import annotations

import os
from pathlib import Path

from standalone import neighbours
from standalone.servers import ports


def free_port() -> int:
    """One that no outgoing connection and no other house is given while nobody listens on it."""
    whose = Path(f"/proc/{os.getpid()}/tests")  # no file: it stands in the list for as long as this process is there
    return neighbours.choose(whose, lambda of_others: ports.free(taken=of_others))

"""What a service cannot work without: asked by its web process all the time, and waited for before the first start.

Where processes are started anew with growing pauses when they end, a process that gave up would be away for longer than
the store it missed. `infirmary wait` is run before them instead: it says what is missing, and says it once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from services.chassis.service import Service

PAUSE_S = 1.0
SCHEMA = "schema"


def missing(checks: Mapping[str, Callable[[], None]]) -> dict[str, str]:
    """What is away now: name to kind of failure."""
    found: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
        except Exception as error:  # noqa: BLE001 - whatever it is, it means not ready
            found[name] = type(error).__name__
    return found


def wait(
    service: Service, *, schema: bool, say: Callable[[str], None], pause: Callable[[float], None] = time.sleep
) -> None:
    """Return when nothing that a start wants is missing; each change of what is missing is said in one line.

    schema: whether stores must have their schema too; a migration, which brings it, only wants the stores.
    """
    checks = {name: check for name, check in service.wanted.items() if schema or name != SCHEMA}
    told: dict[str, str] = {}
    try:
        while found := missing(checks):
            if found != told:
                say(f"{service.name} waits for " + ", ".join(f"{name} ({kind})" for name, kind in found.items()))
                told = found
            pause(PAUSE_S)
        say(f"{service.name} has what it wants: {', '.join(checks)}")
    finally:
        for close in service.close:
            close()

"""What a program cannot work without: asked by its web process all the time, and waited for before the first start.

Where processes are started anew with growing pauses when they end, a process that gave up would be away for longer than
the store it missed. `infirmary wait` is run before them instead: it says what is missing, and says it once. A setting
that is wrong, of its own or of a store, is waited for like the rest: files of secrets and stores can be put right
meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from services.chassis.config import SettingsError
from services.chassis.service import Program
from services.chassis.stores import NotDurable, StoreAway

PAUSE_S = 1.0
SCHEMA, DURABILITY = "schema", "durability"
P = TypeVar("P", bound=Program)


def missing(checks: Mapping[str, Callable[[], None]]) -> dict[str, str]:
    """What is away now: name to kind of failure, or to the settings of a store that may lose what it confirmed."""
    found: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
        except NotDurable as error:
            found[name] = error.reason
        except Exception as error:  # noqa: BLE001 - whatever it is, it means not ready
            found[name] = type(error).__name__
    return found


def built(
    build: Callable[[], P],
    *,
    name: str,
    say: Callable[[str], None],
    pause: Callable[[float], None] = time.sleep,
) -> P:
    """The program, once its settings are right; each change of what is wrong with them is said in one line."""
    told = ""
    while True:
        try:
            return build()
        except SettingsError as error:
            if str(error) != told:
                told = str(error)
                say(f"{name} waits for settings: {told}")
            pause(PAUSE_S)


def wait(
    program: Program, *, schema: bool, say: Callable[[str], None], pause: Callable[[float], None] = time.sleep
) -> None:
    """Return when nothing that a start wants is missing; each change of what is missing is said in one line.

    schema: whether stores must have their schema too; a migration, which brings it, only wants the stores.
    """
    checks = {name: check for name, check in program.wanted.items() if schema or name != SCHEMA}
    if program.start_checks:
        checks[DURABILITY] = partial(_durable, program.start_checks)
    told: dict[str, str] = {}
    try:
        while found := missing(checks):
            if found != told:
                say(f"{program.name} waits for " + ", ".join(f"{name} ({kind})" for name, kind in found.items()))
                told = found
            pause(PAUSE_S)
        say(f"{program.name} has what it wants: {', '.join(checks)}")
    finally:
        for close in program.close:
            close()


def _durable(checks: Sequence[Callable[[], None]]) -> None:
    """Only what a store says of itself: that it is away is said by its own check."""
    for check in checks:
        with suppress(StoreAway):
            check()

"""Timed work of the booking desk, and what its operators do by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from services.chassis.call import Call


class Carrying(Protocol):
    """What moves between records and journal."""

    def rebuild(self, call: Call, *, say: Callable[[str], object]) -> None:
        """Put back into the records what the journal has."""


class Wrong(Protocol):
    """Something that must not be."""

    @property
    def invariant(self) -> str:
        """Which invariant it breaks."""

    @property
    def appointments(self) -> tuple[UUID, ...]:
        """Which appointments show it."""


class Looking(Protocol):
    """What looks at the invariants."""

    def look(self, call: Call) -> Sequence[Wrong]:
        """All that is wrong now."""


def rebuild(
    words: Sequence[str], *, carrier: Carrying, make: Callable[[str], Call], say: Callable[[str], object]
) -> int:
    """`infirmary appointments rebuild`: fill empty or incomplete records from the journal; safe to run again."""
    if words:
        return 2
    carrier.rebuild(make("rebuild_records"), say=say)
    say("the records are whole")
    return 0


def look(words: Sequence[str], *, auditor: Looking, make: Callable[[str], Call], say: Callable[[str], object]) -> int:
    """`infirmary appointments check`: look at the invariants; exit code 1 when one is broken."""
    if words:
        return 2
    found = auditor.look(make("check_invariants"))
    for each in found:
        say(f"{each.invariant}: {', '.join(map(str, each.appointments))}")
    say(f"{len(found)} violations")
    return 1 if found else 0

"""Dead letters: events that a group has given up on, until a person has mended the cause and sends them round again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.chassis import redis
from services.chassis.bus.group import dead_letters_of

_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """Where an event lies that could not be handled, and why; never what it says."""

    id: str
    stream: str
    entry: str
    event_id: str
    type: str
    error: str
    attempts: int
    trace: str


def dead_letters(bus: redis.Client, group: str) -> Iterator[DeadLetter]:
    """All dead letters of a group, oldest first."""
    start = "-"
    while True:
        with redis.translated():
            page: Any = bus.xrange(dead_letters_of(group), start, "+", count=_PAGE)
        for id_, fields in page:
            yield DeadLetter(
                id=id_,
                stream=fields["stream"],
                entry=fields["entry"],
                event_id=fields["event_id"],
                type=fields["type"],
                error=fields["error"],
                attempts=int(fields["attempts"]),
                trace=fields["trace"],
            )
        if len(page) < _PAGE:
            return
        start = f"({page[-1][0]}"


def redrive(bus: redis.Client, group: str) -> tuple[list[DeadLetter], list[DeadLetter]]:
    """Send a group's dead letters round again; those that were sent, and those whose entry is gone from its stream.

    The event is added to its stream anew, for every group: the others know it by its id and pass over it. What is gone
    comes back when the service that published it publishes it again (`republish`); it stays a dead letter until then.
    """
    sent: list[DeadLetter] = []
    gone: list[DeadLetter] = []
    for letter in list(dead_letters(bus, group)):
        with redis.translated():
            found: Any = bus.xrange(letter.stream, letter.entry, letter.entry, count=1)
            if not found:
                gone.append(letter)
                continue
            steps = bus.pipeline(transaction=True)
            steps.xadd(letter.stream, found[0][1])
            steps.xdel(dead_letters_of(group), letter.id)
            steps.execute()
        sent.append(letter)
    return sent, gone


def drop(bus: redis.Client, group: str, letter: DeadLetter) -> None:
    """Take a dead letter away that has been seen to in another way."""
    with redis.translated():
        bus.xdel(dead_letters_of(group), letter.id)

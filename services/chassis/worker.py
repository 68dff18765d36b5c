"""Everything of a service that is not a request: the relay, the consumers, the jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.chassis.call import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Timed work: runs when the worker starts and then every `every_s` seconds.

    `run` gets a call of its own, as an operation does. With `alone` it runs once in the house per period, however many
    workers there are; it must still be safe to run twice, because a lease can be lost.
    """

    name: str
    every_s: float
    run: Callable[[Call], None]
    alone: bool = False

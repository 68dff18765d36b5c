"""A breaker in front of another program: when most calls fail, the next ones are refused at once instead of waiting.

It opens at 50 % failures among at least 20 calls of the last ten seconds. After five seconds it lets three probes
through: when all succeed it closes, when one fails it opens again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from prometheus_client import Gauge

WINDOW_S: Final = 10
FEWEST_CALLS: Final = 20
FAILED_SHARE: Final = 0.5
OPEN_S: Final = 5.0
PROBES: Final = 3


class State(IntEnum):
    """The states of a breaker, with their numbers in the metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


STATE = Gauge("infirmary_breaker_state", "0 closed, 1 half open, 2 open.", ["service"])


class Breaker:
    """One breaker for one peer; thread-safe.

    monotonic: seconds that never go back.
    """

    def __init__(self, service: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._metric = STATE.labels(service)
        self._lock = threading.Lock()
        self._state = State.CLOSED
        self._changed_at = monotonic()
        self._probes = self._proved = 0
        self._era = 0
        self._counts: dict[int, list[int]] = {}  # by whole second: calls, failures
        self._metric.set(self._state)

    @property
    def state(self) -> State:
        """The state now."""
        with self._lock:
            self._move_on()
            return self._state

    def enter(self) -> int | None:
        """Ask for leave to call: a ticket to give back with the outcome, or None when the call may not be made."""
        with self._lock:
            self._move_on()
            if self._state is State.OPEN:
                return None
            if self._state is State.HALF_OPEN:
                if self._probes >= PROBES:
                    return None
                self._probes += 1
            return self._era

    def succeeded(self, ticket: int) -> None:
        """The peer answered."""
        self._ended(ticket, failed=False)

    def failed(self, ticket: int) -> None:
        """The peer did not answer, or said that it cannot."""
        self._ended(ticket, failed=True)

    def abandoned(self, ticket: int) -> None:
        """The call ended for a reason of the caller's own; it says nothing about the peer."""
        with self._lock:
            if ticket == self._era and self._state is State.HALF_OPEN:
                self._probes -= 1

    def _ended(self, ticket: int, *, failed: bool) -> None:
        with self._lock:
            if ticket != self._era:
                return  # begun before the last change of state: it says nothing about the time after it
            if self._state is State.HALF_OPEN:
                self._proved += not failed
                if failed:
                    self._become(State.OPEN)
                elif self._proved >= PROBES:
                    self._become(State.CLOSED)
                return
            self._count(failed=failed)

    def _count(self, *, failed: bool) -> None:
        second = int(self._monotonic())
        for old in [each for each in self._counts if each <= second - WINDOW_S]:
            del self._counts[old]
        counts = self._counts.setdefault(second, [0, 0])
        counts[0] += 1
        counts[1] += failed
        calls = sum(each[0] for each in self._counts.values())
        failures = sum(each[1] for each in self._counts.values())
        if calls >= FEWEST_CALLS and failures >= FAILED_SHARE * calls:
            self._become(State.OPEN)

    def _move_on(self) -> None:
        """Half open when the time has come; and again, when probes were lost without an outcome."""
        waited = self._monotonic() - self._changed_at
        is_rested = self._state is State.OPEN and waited >= OPEN_S
        is_stuck = self._state is State.HALF_OPEN and self._probes >= PROBES and waited >= WINDOW_S
        if is_rested or is_stuck:
            self._become(State.HALF_OPEN)

    def _become(self, state: State) -> None:
        self._state, self._changed_at = state, self._monotonic()
        self._probes = self._proved = 0
        self._era += 1
        self._counts.clear()
        self._metric.set(state)

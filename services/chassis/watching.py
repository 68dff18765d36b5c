"""What a worker says of stores: each is looked at every few seconds, and what it tells of itself becomes metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prometheus_client import Counter, Gauge

from services.chassis import logs
from services.chassis.stores import StoreError

LOOK_EVERY_S = 5.0

UP = Gauge("infirmary_store_up", "Whether a store answered the last look of a worker: 1 or 0.", ["store", "name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One store: its kind, its name among those of its kind, and what measures it.

    `measure` raises StoreError when the store is away.
    """

    store: str
    name: str
    measure: Callable[[], None]


class Repeated:
    """A counter that follows a count which is kept elsewhere, and which begins at zero again when that is restarted."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._last: float | None = None

    def follow(self, total: float) -> None:
        """Add what has come since the last look; what was before the first one is not ours."""
        if self._last is not None:
            self._counter.inc(total - self._last if total >= self._last else total)
        self._last = total


def watch(looks: Sequence[Look], *, every_s: float = LOOK_EVERY_S) -> Callable[[threading.Event], None]:
    """A part of a worker that looks at each of these stores in turn, until it is told to stop."""

    def run(stop: threading.Event) -> None:
        was_up: dict[tuple[str, str], bool] = {}
        while not stop.is_set():
            for each in looks:
                was_up[each.store, each.name] = _look(each, was_up=was_up.get((each.store, each.name), True))
            stop.wait(every_s)

    return run


def _look(look: Look, *, was_up: bool) -> bool:
    """Whether the store answers; that it does not any more is said once."""
    try:
        look.measure()
    except StoreError as error:
        UP.labels(look.store, look.name).set(0)
        if was_up:
            logs.logger().warning("store.away", store=look.store, name=look.name, reason=error.reason)
        return False
    UP.labels(look.store, look.name).set(1)
    return True

"""When a call may be tried once more: seldom enough that retries never become the load that keeps a peer down."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final

SHARE: Final = 0.1
RESERVE: Final = 3.0
SHORTEST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 1.0


class RetryBudget:
    """Retries to one peer: a tenth of the requests, and a reserve of three for quiet times; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = RESERVE

    def request(self) -> None:
        """A first try is made: it earns a tenth of a retry."""
        with self._lock:
            self._tokens = min(RESERVE, self._tokens + SHARE)

    def take(self) -> bool:
        """Take one retry out of the budget; False when there is none."""
        with self._lock:
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
            return True


def is_repeatable(method: str, *, key: str | None) -> bool:
    """Whether sending it twice has the effect of sending it once: a read, or a POST that carries an Idempotency-Key."""
    return method == "GET" or (method == "POST" and key is not None)


def pause_s(uniform: Callable[[float, float], float] = random.uniform) -> float:
    """How long to wait before the second try: anything from 50 ms to 1 s, so that callers do not come back together."""
    return uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)

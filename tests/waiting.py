"""Waiting for what other threads and processes bring about, no longer than needed."""

from __future__ import annotations

import time
from collections.abc import Callable

STEP_S = 0.05


def within(seconds: float, is_so: Callable[[], bool], *, step_s: float = STEP_S) -> bool:
    """Whether it becomes true in so many seconds; looked at every `step_s`."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(step_s)
    return True


def wait_for(
    is_so: Callable[[], bool], *, within_s: float = 20.0, what: str = "what was waited for", step_s: float = STEP_S
) -> None:
    """Go on once it is true; fail when it takes too long."""
    assert within(within_s, is_so, step_s=step_s), f"not within {within_s} s: {what}"

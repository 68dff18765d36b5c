"""How long a request may still take: set where it arrives, passed on in `x-deadline-ms`, looked at before work begins.

The deadline is a moment of the monotonic clock, kept in a context variable: each request, in whatever thread, has its
own. A caller sends what remains, not a moment, so that clocks of machines need not agree.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from services.kernel.errors import Unavailable

HEADER: Final = "x-deadline-ms"
REQUEST_S: Final = 10.0
CALL_S: Final = 2.0

_ends_at: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What happens inside ends after so many seconds at most, or earlier where an earlier deadline holds already."""
    ends_at = time.monotonic() + seconds
    earlier = _ends_at.get()
    token = _ends_at.set(ends_at if earlier is None else min(ends_at, earlier))
    try:
        yield
    finally:
        _ends_at.reset(token)


def incoming_s(value: str | None, *, longest_s: float = REQUEST_S) -> float:
    """Seconds that a request may take by its header; without a readable one, the longest.

    It can only shorten: who sends a day gets the longest.
    """
    if value is None or not (value.isascii() and value.isdigit()) or len(value) > 9:
        return longest_s
    return min(int(value) / 1000, longest_s)


def remaining_s() -> float | None:
    """Seconds until the deadline, zero or less when it is past; None when there is none."""
    ends_at = _ends_at.get()
    return None if ends_at is None else ends_at - time.monotonic()


def is_past() -> bool:
    """Whether nobody waits for the result any more."""
    remaining = remaining_s()
    return remaining is not None and remaining <= 0


def check(what: str) -> None:
    """Stop here when nobody waits for the result any more.

    what: the part that would work now, by its name in errors.
    Raises:  Unavailable.
    """
    if is_past():
        raise Unavailable(what)


def header_value() -> str | None:
    """What to send in `x-deadline-ms`: whole milliseconds that remain; None when there is no deadline."""
    remaining = remaining_s()
    return None if remaining is None else str(max(0, int(remaining * 1000)))

"""What a benchmark tells whoever has started it."""

from __future__ import annotations

import sys
from contextlib import suppress


def say(text: str) -> None:
    """A line, at once; whoever has closed the terminal is not told."""
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

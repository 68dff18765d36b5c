"""The command `infirmary`, and `python -m services.chassis`: begun while the collector of garbage rests.

What is loaded at a start stays to the end, and to walk through it over and over is a quarter of the start. The
collector goes on when a program is built.
"""

from __future__ import annotations

import gc
import importlib


def main() -> int:
    """Run one command; the exit code."""
    gc.disable()
    return int(importlib.import_module("services.chassis.cli").main())


if __name__ == "__main__":
    raise SystemExit(main())

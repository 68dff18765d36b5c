"""One number for all that figures are made of, to compare before and after."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def digest(lines: Iterable[str]) -> str:
    """SHA-256 over lines, each with its end.

    Source:  FIPS 180-4.
    """
    found = hashlib.sha256()
    for each in lines:
        found.update(each.encode())
        found.update(b"\n")
    return found.hexdigest()

"""Records that are there before anybody has made them: version 1 is what the house does, the first change makes 2."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from services.kernel.errors import Stale

FIRST: Final = 1
T = TypeVar("T")


def refuse_stale(version: int, *, expected: int | None, since: Sequence[str]) -> None:
    """Refuse a change that starts from an old version; `since` names what others have changed.

    Raises:  Stale.
    Source:  RFC 9110, section 13.1.1.
    """
    if expected != version:
        raise Stale(fields=since)


def following(before: T, after: T) -> T:
    """The next version of a record; the same version when nothing differs.

    Source: none, plain arithmetic.
    """
    known: Any = before
    fresh: Any = after
    if dataclasses.replace(fresh, version=known.version) == known:
        return before
    return dataclasses.replace(fresh, version=known.version + 1)  # type: ignore[no-any-return]


def differing(before: object, after: object) -> list[str]:
    """Names of the fields in which two versions differ.

    Source: none, plain arithmetic.
    """
    known: Any = before
    names = (each.name for each in dataclasses.fields(known) if each.name != "version")
    return [name for name in names if getattr(before, name) != getattr(after, name)]

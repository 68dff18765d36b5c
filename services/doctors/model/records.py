"""What all things that are kept with versions have in common: the next version, what differs, what is stale."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from services.kernel.errors import FieldError, Invalid, Stale

T = TypeVar("T")

_NOT_CONTENT = frozenset({"id", "version", "created_at", "changed_at"})
# Names of the contract where they are not those of the objects.
_AS_SAID = {
    "is_active": "active",
    "licence_number": "licence",
    "licence_authority": "licence",
    "licence_expires_on": "licence",
    "phone": "contacts",
    "email": "contacts",
}


def comparable(text: str) -> str:
    """The form in which names are compared: without case, doubled blanks and ways of writing one sign.

    Source:  Unicode Standard, section 3.13, caseless matching; UAX 15 (NFKC).
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def content(record: Any) -> dict[str, Any]:
    """All fields of a record but its id, version and times.

    Source: none, plain arithmetic.
    """
    fields = (each.name for each in dataclasses.fields(record))
    return {name: getattr(record, name) for name in fields if name not in _NOT_CONTENT}


def differing(before: Any | None, after: Any) -> list[str]:
    """Names of the fields, as the contract has them, in which two versions differ; all that a first version says.

    Source: none, plain arithmetic.
    """
    old = {} if before is None else content(before)
    return sorted({_AS_SAID.get(name, name) for name, value in content(after).items() if old.get(name) != value})


def following(before: T, after: T, *, at: datetime) -> T:
    """The next version of a record; the same version when nothing differs.

    Source: none, plain arithmetic.
    """
    known: Any = before
    fresh: Any = after
    if fresh == known:
        return before
    return dataclasses.replace(fresh, version=known.version + 1, changed_at=at)  # type: ignore[no-any-return]


def refuse_stale(version: int, *, expected: int | None, since: Sequence[str]) -> None:
    """Refuse a change that starts from an old version; `since` names what others have changed.

    Raises:  Stale.
    Source:  RFC 9110, section 13.1.1.
    """
    if expected is not None and expected != version:
        raise Stale(fields=since)


def refuse(rule: str, pointer: str) -> Invalid:
    """That one field breaks one rule.

    Source: none, plain arithmetic.
    """
    return Invalid(errors=[FieldError(rule=rule, pointer=pointer)])

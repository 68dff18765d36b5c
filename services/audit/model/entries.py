"""One entry of the trail, its one way to be written down, and what of it is searched by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import orjson

Entry: TypeAlias = Mapping[str, Any]
"""Who did or saw what, field by field as `audit.recorded.v1` has it, with the id of the event and the service."""

_LARGEST_EXACT = 2**53 - 1
_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


class Index(NamedTuple):
    """What an entry is found by. It stands beside the entry, and the check compares the two."""

    id: str
    at: datetime
    actor: str
    operation: str
    action: str
    outcome: str
    about: list[str]


def entry_from(data: Mapping[str, object], *, event_id: UUID, source: str) -> Entry:
    """The entry that an event carries: everything in it, also what only newer senders know, with the moment in UTC.

    `source` is the envelope's, `/infirmary/` and the service.

    Raises:  KeyError, ValueError: it lacks what every entry has.
    Source:  IHE BALP (patient, actor, action, outcome, source, time); HIPAA 45 CFR 164.312(b).
    """
    at = datetime.fromisoformat(str(data["at"])).astimezone(UTC)
    entry = {
        "patient_id": None,
        "record_id": None,
        "version": None,
        **data,
        "at": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "id": str(event_id),
        "service": source.rpartition("/")[2],
    }
    index_of(entry)
    return entry


def canonical(entry: Entry) -> str:
    """The one way in which an entry is written down: names sorted, no blanks, UTF-8, whole numbers only.

    Names are ASCII, so sorting by code point is sorting by UTF-16 unit, and only what JSON must escape is escaped.

    Raises:  ValueError: a fraction, a number beyond 2^53 or a lone surrogate: not everybody reads these alike.
    Source:  RFC 8785 (JSON Canonicalization Scheme) over RFC 7493 (I-JSON), for objects without fractions.
    """
    if _has_inexact(entry):
        raise ValueError("an entry has whole and exact numbers only")
    text = _WRITER.encode(dict(entry))
    text.encode("utf-8")
    return text


def read_entry(text: str) -> Entry:
    """An entry from what is written down.

    Raises:  ValueError: it is not an object in JSON.
    Source:  none, plain arithmetic.
    """
    found = orjson.loads(text)  # its own error is a ValueError; three times as fast as the standard library's reader
    if not isinstance(found, dict) or text[0] != "{" or text[-1] != "}":
        raise ValueError("not an entry")
    return found


def index_of(entry: Entry) -> Index:
    """What an entry is found by; `about` are the patient and everybody whom a search showed.

    Raises:  KeyError, ValueError: it lacks what every entry has.
    Source:  none, plain arithmetic.
    """
    patient, found = entry["patient_id"], entry["found"]
    return Index(
        entry["id"],
        datetime.fromisoformat(entry["at"]),
        entry["actor"],
        entry["operation"],
        entry["action"],
        entry["outcome"],
        [*found] if patient is None else [patient, *found],
    )


def _has_inexact(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_has_inexact(each) for each in value.values())
    if isinstance(value, list | tuple):
        return any(_has_inexact(each) for each in value)
    return isinstance(value, float) or (isinstance(value, int) and abs(value) > _LARGEST_EXACT)

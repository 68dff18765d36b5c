"""What the outside sees of the trail: dicts as the contract has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from services.audit import model
from services.chassis.comma_separated import Cell

JSON_LINES: Final = "application/x-ndjson"
_PART: Final = 64 * 1024
_FIELDS = (
    "id",
    "at",
    "service",
    "operation",
    "action",
    "outcome",
    "actor",
    "roles",
    "session",
    "request_id",
    "source",
    "purpose",
    "patient_id",
    "record_id",
    "version",
    "fields",
    "found",
)
_OF_RIGHTS = ("added", "removed")
_OF_EXPORTS = ("asked", "rows")
COLUMNS: Final = ("position", *_FIELDS, *_OF_RIGHTS, *_OF_EXPORTS, "hash")


def entries(links: Sequence[model.Link], *, next_cursor: str | None) -> dict[str, Any]:
    """One page of entries."""
    return {"items": [entry(each) for each in links], "next_cursor": next_cursor}


def entry(link: model.Link) -> dict[str, Any]:
    """One entry in its place; fields that only newer senders know are kept in the trail and not shown."""
    found = model.read_entry(link.text)
    shown = {name: found[name] for name in _FIELDS} | {name: found.get(name, []) for name in _OF_RIGHTS}
    shown |= {name: found.get(name) for name in _OF_EXPORTS}
    return {"position": link.position, **shown, "hash": link.hash.hex()}


def cells(links: Iterable[model.Link]) -> Iterator[list[Cell]]:
    """The rows of a file for people: the fields of entries in the order of `COLUMNS`, lists as words."""
    for each in links:
        yield [_cell(value) for value in entry(each).values()]


def lines(links: Iterable[model.Link]) -> Iterator[bytes]:
    """A file for machines, in parts: one object a line, with the entry exactly as it was hashed, in a text."""
    part = bytearray()
    for each in links:
        hashes = {"previous": each.previous.hex(), "hash": each.hash.hex()}
        part += orjson.dumps(
            {"position": each.position, **hashes, "entry": each.text}, option=orjson.OPT_APPEND_NEWLINE
        )
        if len(part) >= _PART:
            yield bytes(part)
            part.clear()
    yield bytes(part)


def accesses(links: Sequence[model.Link], *, names: Mapping[str, str], next_cursor: str | None) -> dict[str, Any]:
    """One page of who opened or changed a record; `names` of accounts, as far as they are shown."""
    return {"items": [_access(model.read_entry(each.text), names) for each in links], "next_cursor": next_cursor}


def _access(found: model.Entry, names: Mapping[str, str]) -> dict[str, Any]:
    kind = model.by(found)
    name = names.get(found["actor"]) if kind is model.By.STAFF else None
    shown = {each: found[each] for each in ("id", "at", "service", "operation", "action", "purpose")}
    return {**shown, "by": {"kind": kind.value, "roles": found["roles"], "name": name}}


def _cell(value: object) -> Cell:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, Mapping):
        return orjson.dumps(value).decode()
    return value if isinstance(value, str | int) else None


def verification(found: model.Verification) -> dict[str, Any]:
    """What a check has found."""
    broken = None if found.found is None else {"position": found.found.position, "kind": found.found.kind.value}
    return {
        "whole": found.found is None,
        "first_position": found.range.first,
        "last_position": found.range.last,
        "checked_entries": found.entries,
        "checked_checkpoints": found.checkpoints,
        "second_place": found.second_place,
        "break": broken,
        "next_position": found.next_position,
    }


def report(found: model.Verification, *, seconds: float) -> str:
    """What a check has found, in a line for the person at the terminal."""
    speed = f"{found.entries:,} entries and {found.checkpoints:,} checkpoints in {seconds:.1f} s"
    rate = f"{found.entries / seconds:,.0f} entries/s" if seconds > 0 else "at once"
    place = "compared with the second place" if found.second_place else "no second place is set up"
    if found.found is None:
        return f"whole: {speed} ({rate}), {place}"
    return f"BROKEN at position {found.found.position}: {found.found.kind.value}; {speed} ({rate}), {place}"

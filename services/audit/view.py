"""What the outside sees of the trail: dicts as the contract has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.audit import model

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
_OF_EXPORTS = ("asked", "rows")


def entries(links: Sequence[model.Link], *, next_cursor: str | None) -> dict[str, Any]:
    """One page of entries."""
    return {"items": [entry(each) for each in links], "next_cursor": next_cursor}


def entry(link: model.Link) -> dict[str, Any]:
    """One entry in its place; fields that only newer senders know are kept in the trail and not shown."""
    found = model.read_entry(link.text)
    shown = {name: found[name] for name in _FIELDS} | {name: found.get(name) for name in _OF_EXPORTS}
    return {"position": link.position, **shown, "hash": link.hash.hex()}


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

"""What the outside sees of the history: dicts as the contract has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.history import model
from services.kernel.coding import Coding

_STAFF = frozenset({"recorded_by", "changed_by", "stated_by"})


def seen(body: dict[str, Any], *, is_at_work: bool) -> dict[str, Any]:
    """An answer as those see it who work here; others do not see the accounts of staff."""
    if is_at_work:
        return body
    blank = {name: None if name in _STAFF else value for name, value in body.items()}
    if "items" in blank:
        blank["items"] = [seen(each, is_at_work=False) for each in blank["items"]]
    return blank


def allergy(allergy: model.Allergy) -> dict[str, Any]:
    """An allergy as the contract shows it."""
    return {
        "id": str(allergy.id),
        "patient_id": str(allergy.patient_id),
        "substance": _coding(allergy.substance),
        "category": allergy.category.value,
        "criticality": allergy.criticality.value,
        "certainty": allergy.certainty.value,
        "reactions": [_reaction(each) for each in allergy.reactions],
        "onset": allergy.onset,
        "note": allergy.note,
        **_bookkeeping(allergy),
    }


def problem(problem: model.Problem) -> dict[str, Any]:
    """A problem as the contract shows it."""
    return {
        "id": str(problem.id),
        "patient_id": str(problem.patient_id),
        "condition": _coding(problem.condition),
        "certainty": problem.certainty.value,
        "onset": problem.onset,
        "resolved_on": problem.resolved_on,
        "note": problem.note,
        **_bookkeeping(problem),
    }


def statement(statement: model.Statement) -> dict[str, Any]:
    """What stands about a patient's allergies as a whole."""
    return {
        "patient_id": str(statement.patient_id),
        "asked": statement.asked.value,
        "active_allergies": statement.active,
        "stated_at": None if statement.stated_at is None else _timestamp(statement.stated_at),
        "stated_by": statement.stated_by,
        "reason": statement.reason,
        "version": statement.version,
    }


def allergies(items: Sequence[model.Allergy], *, asked: model.Asked, next_cursor: str | None) -> dict[str, Any]:
    """One page of allergies, with what is known of them as a whole: an empty list alone says nothing."""
    return {"asked": asked.value, "items": [allergy(each) for each in items], "next_cursor": next_cursor}


def problems(items: Sequence[model.Problem], *, next_cursor: str | None) -> dict[str, Any]:
    """One page of problems."""
    return {"items": [problem(each) for each in items], "next_cursor": next_cursor}


def _bookkeeping(entry: model.Allergy | model.Problem) -> dict[str, Any]:
    return {
        "status": entry.status.value,
        "reason": entry.reason,
        "recorded_at": _timestamp(entry.recorded_at),
        "recorded_by": entry.recorded_by,
        "changed_at": _timestamp(entry.changed_at),
        "changed_by": entry.changed_by,
        "version": entry.version,
    }


def _reaction(reaction: model.Reaction) -> dict[str, Any]:
    severity = None if reaction.severity is None else reaction.severity.value
    return {"manifestation": _coding(reaction.manifestation), "severity": severity}


def _coding(coding: Coding) -> dict[str, Any]:
    return {"display": coding.display, "system": coding.system, "code": coding.code, "coded": coding.is_coded}


def _timestamp(at: datetime) -> str:
    # the store keeps milliseconds: the answer to a write must read like the read after it
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

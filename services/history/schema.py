"""Collections of the history, and its domain objects as documents; migrations make validators and indexes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.history import model
from services.kernel.coding import Coding

ALLERGIES = "allergies"
PROBLEMS = "problems"
STATEMENTS = "allergy_statements"
REVISIONS = "revisions"

Document = dict[str, Any]


def from_allergy(allergy: model.Allergy) -> Document:
    """An allergy as a document."""
    return {
        "substance": _from_coding(allergy.substance),
        "category": allergy.category.value,
        "criticality": allergy.criticality.value,
        "certainty": allergy.certainty.value,
        "reactions": [_from_reaction(each) for each in allergy.reactions],
        "onset": allergy.onset,
        "note": allergy.note,
        **_from_entry(allergy),
    }


def to_allergy(document: Document) -> model.Allergy:
    """An allergy from its document."""
    return model.Allergy(
        substance=_to_coding(document["substance"]),
        category=model.Category(document["category"]),
        criticality=model.Criticality(document["criticality"]),
        certainty=model.Certainty(document["certainty"]),
        reactions=tuple(_to_reaction(each) for each in document["reactions"]),
        onset=document["onset"],
        note=document["note"],
        **_to_entry(document),
    )


def from_problem(problem: model.Problem) -> Document:
    """A problem as a document."""
    return {
        "condition": _from_coding(problem.condition),
        "certainty": problem.certainty.value,
        "onset": problem.onset,
        "resolved_on": problem.resolved_on,
        "note": problem.note,
        **_from_entry(problem),
    }


def to_problem(document: Document) -> model.Problem:
    """A problem from its document."""
    return model.Problem(
        condition=_to_coding(document["condition"]),
        certainty=model.Certainty(document["certainty"]),
        onset=document["onset"],
        resolved_on=document["resolved_on"],
        note=document["note"],
        **_to_entry(document),
    )


def from_statement(statement: model.Statement) -> Document:
    """A statement as a document; a patient has one, so the patient's id is its id."""
    return {
        "_id": statement.patient_id,
        "asked": statement.asked.value,
        "active": statement.active,
        "stated_at": statement.stated_at,
        "stated_by": statement.stated_by,
        "reason": statement.reason,
        "version": statement.version,
    }


def to_statement(document: Document) -> model.Statement:
    """A statement from its document."""
    return model.Statement(
        patient_id=document["_id"],
        asked=model.Asked(document["asked"]),
        active=document["active"],
        stated_at=document["stated_at"],
        stated_by=document["stated_by"],
        reason=document["reason"],
        version=document["version"],
    )


def revision(kind: str, document: Document, *, patient_id: object, at: datetime, by: str, operation: str) -> Document:
    """One version of a document, whole, with who made it, when and by which operation."""
    return {
        "_id": {"kind": kind, "id": document["_id"], "version": document["version"]},
        "patient_id": patient_id,
        "at": at,
        "by": by,
        "operation": operation,
        "document": document,
    }


def _from_entry(entry: model.Allergy | model.Problem) -> Document:
    return {
        "_id": entry.id,
        "patient_id": entry.patient_id,
        "status": entry.status.value,
        "reason": entry.reason,
        "recorded_at": entry.recorded_at,
        "recorded_by": entry.recorded_by,
        "changed_at": entry.changed_at,
        "changed_by": entry.changed_by,
        "version": entry.version,
    }


def _to_entry(document: Document) -> Document:
    return {
        "id": document["_id"],
        "patient_id": document["patient_id"],
        "status": model.Status(document["status"]),
        "reason": document["reason"],
        "recorded_at": document["recorded_at"],
        "recorded_by": document["recorded_by"],
        "changed_at": document["changed_at"],
        "changed_by": document["changed_by"],
        "version": document["version"],
    }


def _from_coding(coding: Coding) -> Document:
    return {"display": coding.display, "system": coding.system, "code": coding.code}


def _to_coding(document: Document) -> Coding:
    return Coding(display=document["display"], system=document["system"], code=document["code"])


def _from_reaction(reaction: model.Reaction) -> Document:
    severity = None if reaction.severity is None else reaction.severity.value
    return {"manifestation": _from_coding(reaction.manifestation), "severity": severity}


def _to_reaction(document: Document) -> model.Reaction:
    severity = None if document["severity"] is None else model.Severity(document["severity"])
    return model.Reaction(manifestation=_to_coding(document["manifestation"]), severity=severity)

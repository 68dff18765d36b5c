"""What the outside sees of a patient's record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

from services.patients import model

S = TypeVar("S", bound=model.Status)


def patient(record: model.Patient, *, today: date) -> dict[str, Any]:
    """A patient's record, whole."""
    return {
        "id": str(record.id),
        "version": record.version,
        **model.snapshot(record),
        "age_years": model.age_of(record, today=today),
        "registered_at": record.registered_at,
        "changed_at": record.changed_at,
    }


def summary(record: model.Patient, *, today: date) -> dict[str, Any]:
    """As much of a patient's record as a list needs to tell people apart."""
    person = record.person
    return {
        "id": str(record.id),
        "mrn": record.mrn,
        "family_name": person.family_name,
        "given_name": person.given_name,
        "middle_name": person.middle_name,
        "prefix": person.prefix,
        "administrative_gender": person.administrative_gender.value,
        "birth_date": None if person.birth.date is None else person.birth.date.isoformat(),
        "birth_year": person.birth.year,
        "birth_estimated": person.birth.is_estimated,
        "age_years": model.age_of(record, today=today),
        "standing": record.standing.value,
    }


def likely_duplicates(
    candidates: Sequence[model.Candidate], shown: Sequence[model.Candidate], *, today: date
) -> dict[str, Any]:
    """Those who are probably the same person; of those that the caller may not see only how many."""
    return {
        "saved": False,
        "candidates": [
            {"score": each.score, "reasons": list(each.reasons), "patient": summary(each.patient, today=today)}
            for each in shown
        ],
        "hidden": len(candidates) - len(shown),
    }


def search_page(
    hits: Sequence[model.Hit],
    records: Sequence[model.Patient],
    *,
    next_cursor: str | None,
    truncated: bool,
    today: date,
) -> dict[str, Any]:
    """One page of hits with the records that they point at."""
    scores = {hit.id: hit.score for hit in hits}
    items = [{"score": scores[record.id], "patient": summary(record, today=today)} for record in records]
    return {"items": items, "next_cursor": next_cursor, "truncated": truncated}


def change_page(
    changes: Sequence[model.FieldChange], *, next_cursor: str | None, has_names: bool = True
) -> dict[str, Any]:
    """One page of what was changed; has_names: whether it is said by which account."""
    items = [
        {
            "field": each.field,
            "version": each.version,
            "at": each.at,
            "by": each.by if has_names else None,
            "old": each.old,
            "new": each.new,
        }
        for each in changes
    ]
    return {"items": items, "next_cursor": next_cursor}


def standing(record: model.Status) -> dict[str, Any]:
    """Whether a record may be acted on, and nothing about the person."""
    return {
        "id": str(record.id),
        "standing": record.standing.value,
        "merged_into": None if record.merged_into is None else str(record.merged_into),
        "version": record.version,
    }


def contact(record: model.Patient) -> dict[str, Any]:
    """How a patient is addressed and reached: of the numbers only those that can be dialled from anywhere."""
    person = record.person
    return {
        **standing(record),
        "family_name": person.family_name,
        "given_name": person.given_name,
        "middle_name": person.middle_name,
        "prefix": person.prefix,
        "language": person.language,
        "zone": person.zone,
        "contact_preference": person.contact_preference,
        "phones": [{"e164": each.e164, "use": each.use} for each in person.phones if each.e164 is not None],
        "emails": [{"address": each.address, "use": each.use} for each in person.emails],
    }


def items(show: Callable[[S], dict[str, Any]], records: Sequence[S]) -> dict[str, Any]:
    """Several records, all of those that were asked for, each shown in the same way."""
    return {"items": [show(each) for each in records], "next_cursor": None}

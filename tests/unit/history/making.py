"""Allergies, problems and statements, right by default, with one keyword for each deviation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.history import model

PATIENT = UUID("01939c3e-0000-7000-8000-000000000001")
FIRST = UUID("01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20")
SECOND = UUID("01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b21")
AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 4, 2, 8, 0, tzinfo=UTC)


def draft(display: str = "Penicillin", **given: Any) -> model.AllergyDraft:
    """An allergy as somebody wrote it."""
    words = {
        "substance": model.Term(display=display),
        "category": model.Category.MEDICATION,
        "criticality": model.Criticality.HIGH,
        "certainty": model.Certainty.CONFIRMED,
    }
    return model.AllergyDraft(**(words | given))


def recorded(
    display: str = "Penicillin",
    *,
    allergy_id: UUID = FIRST,
    statement: model.Statement | None = None,
    active: tuple[model.Allergy, ...] = (),
) -> tuple[model.Allergy, model.Statement]:
    """A recorded allergy and the statement after it."""
    before = statement or model.no_statement(PATIENT)
    return model.record_allergy(
        draft(display), allergy_id=allergy_id, statement=before, active=active, at=AT, by="nurse-1"
    )


def problem(**given: Any) -> model.Problem:
    """A recorded problem."""
    words = {"condition": model.Term(display="Often tired"), "certainty": model.Certainty.UNCONFIRMED}
    written = model.ProblemDraft(**(words | given))
    return model.record_problem(written, problem_id=FIRST, patient_id=PATIENT, at=AT, by="doctor-1")

"""Problems of a patient: what they suffer from, or suffered from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.history.model.entries import Certainty, Status, check_markable, check_resolvable
from services.history.model.terms import CONDITIONS, Term, date_errors, is_before, term_errors
from services.kernel.coding import Coding
from services.kernel.errors import FieldError, Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemDraft:
    """A problem as somebody wrote it, before its rules were checked."""

    condition: Term
    certainty: Certainty
    onset: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A condition that a patient has or had; without a code it is free text and marked so."""

    id: UUID
    patient_id: UUID
    condition: Coding
    certainty: Certainty
    onset: str | None
    resolved_on: str | None
    note: str | None
    status: Status
    reason: str | None
    recorded_at: datetime
    recorded_by: str
    changed_at: datetime
    changed_by: str
    version: int


def record_problem(draft: ProblemDraft, *, problem_id: UUID, patient_id: UUID, at: datetime, by: str) -> Problem:
    """A new active problem, coded by ICD-10 or ICD-11 or in words.

    The same condition may stand twice: two fractures share a code.

    Raises:  Invalid: the code or the date cannot be right.
    Source:  HL7 FHIR R4, Condition.
    """
    errors = term_errors(draft.condition, systems=CONDITIONS, pointer="/condition")
    if errors := errors + date_errors(draft.onset, at=at, pointer="/onset"):
        raise Invalid(errors=errors)
    return Problem(
        id=problem_id,
        patient_id=patient_id,
        condition=draft.condition.coding(),
        certainty=draft.certainty,
        onset=draft.onset,
        resolved_on=None,
        note=draft.note,
        status=Status.ACTIVE,
        reason=None,
        recorded_at=at,
        recorded_by=by,
        changed_at=at,
        changed_by=by,
        version=1,
    )


def resolve_problem(problem: Problem, *, resolved_on: str | None, reason: str | None, at: datetime, by: str) -> Problem:
    """The problem is over: it leaves the active list and stays in the history. Since when may be unknown.

    Raises:  EntryNotActive.
             Invalid: the day cannot be right, or lies before the onset.
    Source:  HL7 FHIR R4, Condition.abatement.
    """
    check_resolvable(problem.status)
    errors = date_errors(resolved_on, at=at, pointer="/resolved_on")
    if not errors and resolved_on and problem.onset and is_before(resolved_on, problem.onset):
        errors = [FieldError("not_before_onset", "/resolved_on")]
    if errors:
        raise Invalid(errors=errors)
    return replace(
        problem,
        status=Status.RESOLVED,
        resolved_on=resolved_on,
        reason=reason,
        changed_at=at,
        changed_by=by,
        version=problem.version + 1,
    )


def mark_problem_entered_in_error(problem: Problem, *, reason: str, at: datetime, by: str) -> Problem:
    """The problem should never have been recorded; it stays, with the reason.

    Raises:  AlreadyInError.
    Source:  HL7 FHIR R4, condition-ver-status (entered-in-error).
    """
    check_markable(problem.status)
    return replace(
        problem,
        status=Status.ENTERED_IN_ERROR,
        reason=reason,
        changed_at=at,
        changed_by=by,
        version=problem.version + 1,
    )

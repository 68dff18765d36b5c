"""What the rest of the house learns from the history: that something happened, by ids."""

from __future__ import annotations

from services.history.model.allergies import Allergy, Statement
from services.history.model.problems import Problem
from services.kernel.events import Event


def _of_entry(type_: str, entry: Allergy | Problem) -> Event:
    data = {"patient_id": str(entry.patient_id)}
    return Event(type=type_, subject=str(entry.id), version=entry.version, data=data)


def _of_statement(type_: str, statement: Statement) -> Event:
    data = {"patient_id": str(statement.patient_id)}
    return Event(type=type_, subject=str(statement.patient_id), version=statement.version, data=data)


def allergy_recorded(allergy: Allergy) -> Event:
    """An allergy was recorded.

    Source:  none, plain arithmetic.
    """
    return _of_entry("history.allergy_recorded.v1", allergy)


def allergy_resolved(allergy: Allergy) -> Event:
    """An allergy no longer stands.

    Source:  none, plain arithmetic.
    """
    return _of_entry("history.allergy_resolved.v1", allergy)


def allergy_entered_in_error(allergy: Allergy) -> Event:
    """An allergy was marked as entered in error.

    Source:  none, plain arithmetic.
    """
    return _of_entry("history.allergy_entered_in_error.v1", allergy)


def none_known_declared(statement: Statement) -> Event:
    """A patient was asked and knows of no allergies.

    Source:  none, plain arithmetic.
    """
    return _of_statement("history.none_known_declared.v1", statement)


def none_known_withdrawn(statement: Statement) -> Event:
    """A statement of no known allergies was withdrawn.

    Source:  none, plain arithmetic.
    """
    return _of_statement("history.none_known_withdrawn.v1", statement)


def problem_recorded(problem: Problem) -> Event:
    """A problem was recorded.

    Source:  none, plain arithmetic.
    """
    return _of_entry("history.problem_recorded.v1", problem)


def problem_resolved(problem: Problem) -> Event:
    """A problem is over.

    Source:  none, plain arithmetic.
    """
    return _of_entry("history.problem_resolved.v1", problem)


def problem_entered_in_error(problem: Problem) -> Event:
    """A problem was marked as entered in error.

    Source:  none, plain arithmetic.
    """
    return _of_entry("history.problem_entered_in_error.v1", problem)

"""What allergies and problems have in common: status, versions, and that nothing is ever deleted."""

from __future__ import annotations

from dataclasses import fields
from enum import StrEnum
from typing import ClassVar, Protocol

from services.kernel.errors import Conflict, Stale


class EntryNotActive(Conflict):
    """Only an active entry can be resolved."""

    code: ClassVar[str] = "entry_not_active"
    title: ClassVar[str] = "Only an active entry can be resolved"


class AlreadyInError(Conflict):
    """The entry is marked as entered in error already."""

    code: ClassVar[str] = "already_entered_in_error"
    title: ClassVar[str] = "This entry is marked already"


class Status(StrEnum):
    """Whether an entry stands, is over, or should never have been made."""

    ACTIVE = "active"
    RESOLVED = "resolved"
    ENTERED_IN_ERROR = "entered_in_error"


class Certainty(StrEnum):
    """How sure a finding is; allergies may be presumed, problems provisional or one of a differential."""

    UNCONFIRMED = "unconfirmed"
    PRESUMED = "presumed"
    PROVISIONAL = "provisional"
    DIFFERENTIAL = "differential"
    CONFIRMED = "confirmed"


class Versioned(Protocol):
    """Something that counts its changes."""

    @property
    def version(self) -> int:
        """How often it has changed, from 1."""
        ...


def shown(status: str | None, *, include_errors: bool) -> tuple[Status, ...]:
    """Which entries a list shows: those of the status asked for, else all that were not entered in error.

    Source:  HL7 FHIR R4, AllergyIntolerance and Condition: entered-in-error has no clinical meaning and is not shown
             as part of the record, but stays in it.
    """
    if status is not None:
        return (Status(status),)
    return tuple(Status) if include_errors else (Status.ACTIVE, Status.RESOLVED)


def check_resolvable(status: Status) -> None:
    """Refuse to resolve what is over or was never right.

    Raises:  EntryNotActive: with the status that it has.
    Source:  HL7 FHIR R4, condition-clinical: resolved follows active.
    """
    if status is not Status.ACTIVE:
        raise EntryNotActive(facts={"status": status.value})


def check_markable(status: Status) -> None:
    """Refuse to mark an entry twice: the first reason stays.

    Raises:  AlreadyInError.
    Source:  decision: the mark is final; a right entry is recorded anew.
    """
    if status is Status.ENTERED_IN_ERROR:
        raise AlreadyInError


def check_version(current: Versioned, *, expected: int | None, earlier: Versioned | None) -> None:
    """Refuse a change that starts from an old version, and name the fields that others have changed since.

    `earlier` is the revision that the change starts from, where there is one.

    Raises:  Stale.
    Source:  RFC 9110, section 13.1.1 (If-Match).
    """
    if expected != current.version:
        raise Stale(fields=() if earlier is None else changed_fields(earlier, current))


def changed_fields(earlier: object, later: object) -> tuple[str, ...]:
    """Names of the fields in which two revisions of one thing differ, bookkeeping apart.

    Source:  none, plain arithmetic.
    """
    bookkeeping = {"version", "changed_at", "changed_by"}
    names = (field.name for field in fields(later) if field.name not in bookkeeping)  # type: ignore[arg-type]
    return tuple(sorted(name for name in names if getattr(earlier, name) != getattr(later, name)))

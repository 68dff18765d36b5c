"""Allergies of a patient, and the statement whether anybody asked for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from services.history.model.entries import Certainty, Status, check_markable, check_resolvable
from services.history.model.terms import MANIFESTATIONS, SUBSTANCES, Term, date_errors, term_errors
from services.kernel.coding import Coding
from services.kernel.errors import Conflict, FieldError, Invalid


class AllergyAlreadyRecorded(Conflict):
    """The same substance stands as an active allergy already."""

    code: ClassVar[str] = "allergy_already_recorded"
    title: ClassVar[str] = "This allergy stands already"


class ActiveAllergiesStand(Conflict):
    """No known allergies cannot be said while active allergies stand."""

    code: ClassVar[str] = "active_allergies_stand"
    title: ClassVar[str] = "Active allergies stand"


class NothingStated(Conflict):
    """There is no statement of no known allergies that could be withdrawn."""

    code: ClassVar[str] = "nothing_stated"
    title: ClassVar[str] = "No statement to withdraw"


class Category(StrEnum):
    """What kind of substance it is."""

    FOOD = "food"
    MEDICATION = "medication"
    ENVIRONMENT = "environment"
    BIOLOGIC = "biologic"


class Criticality(StrEnum):
    """How much harm a further exposure may do."""

    LOW = "low"
    HIGH = "high"
    UNABLE_TO_ASSESS = "unable_to_assess"


class Severity(StrEnum):
    """How strong a reaction was."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class Asked(StrEnum):
    """What is known about a patient's allergies as a whole: nobody asked, asked and none known, or some stand."""

    NOT_ASKED = "not_asked"
    NONE_KNOWN = "none_known"
    HAS_ALLERGIES = "has_allergies"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionDraft:
    """A reaction as somebody wrote it."""

    manifestation: Term
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllergyDraft:
    """An allergy as somebody wrote it, before its rules were checked."""

    substance: Term
    category: Category
    criticality: Criticality
    certainty: Certainty
    reactions: tuple[ReactionDraft, ...] = ()
    onset: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What the patient showed after an exposure, and how strongly."""

    manifestation: Coding
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allergy:
    """A substance that a patient reacts to, or was thought to react to."""

    id: UUID
    patient_id: UUID
    substance: Coding
    category: Category
    criticality: Criticality
    certainty: Certainty
    reactions: tuple[Reaction, ...]
    onset: str | None
    note: str | None
    status: Status
    reason: str | None
    recorded_at: datetime
    recorded_by: str
    changed_at: datetime
    changed_by: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What stands about a patient's allergies as a whole; each change of an allergy makes a new version of it.

    It is what two writers meet in: a declaration of no known allergies and a new allergy both change it, so that the
    store lets one of them win.
    """

    patient_id: UUID
    asked: Asked
    active: int
    stated_at: datetime | None
    stated_by: str | None
    reason: str | None
    version: int


def no_statement(patient_id: UUID) -> Statement:
    """What stands about a patient of whom nobody has said anything: not asked.

    Source:  HL7 FHIR R4, AllergyIntolerance, notes on no known allergies: absence of entries is not absence of
             allergies.
    """
    return Statement(
        patient_id=patient_id, asked=Asked.NOT_ASKED, active=0, stated_at=None, stated_by=None, reason=None, version=0
    )


def record_allergy(
    draft: AllergyDraft, *, allergy_id: UUID, statement: Statement, active: Iterable[Allergy], at: datetime, by: str
) -> tuple[Allergy, Statement]:
    """A new active allergy, and the statement that some stand, which ends one of no known allergies.

    Raises:  Invalid: a term or a date cannot be right.
             AllergyAlreadyRecorded: the same substance is among the `active` ones.
    Source:  HL7 FHIR R4, AllergyIntolerance.
    """
    if errors := _draft_errors(draft, at=at):
        raise Invalid(errors=errors)
    substance = draft.substance.coding()
    for other in active:
        if other.substance.means_the_same_as(substance):
            raise AllergyAlreadyRecorded(facts={"allergy_id": str(other.id)})
    reactions = (Reaction(manifestation=e.manifestation.coding(), severity=e.severity) for e in draft.reactions)
    allergy = Allergy(
        id=allergy_id,
        patient_id=statement.patient_id,
        substance=substance,
        category=draft.category,
        criticality=draft.criticality,
        certainty=draft.certainty,
        reactions=tuple(reactions),
        onset=draft.onset,
        note=draft.note,
        status=Status.ACTIVE,
        reason=None,
        recorded_at=at,
        recorded_by=by,
        changed_at=at,
        changed_by=by,
        version=1,
    )
    return allergy, _counted(statement, active=statement.active + 1, at=at, by=by)


def resolve_allergy(
    allergy: Allergy, *, reason: str, statement: Statement, at: datetime, by: str
) -> tuple[Allergy, Statement]:
    """The allergy no longer stands: outgrown, desensitised or refuted.

    When it was the last one, the statement returns to not asked: that this one is over does not say that there are no
    others, and only somebody who asks the patient can say so.

    Raises:  EntryNotActive.
    Source:  HL7 FHIR R4, allergyintolerance-clinical (resolved); the return to not asked is a decision of this project.
    """
    check_resolvable(allergy.status)
    version = allergy.version + 1
    resolved = replace(allergy, status=Status.RESOLVED, reason=reason, changed_at=at, changed_by=by, version=version)
    return resolved, _counted(statement, active=statement.active - 1, at=at, by=by)


def mark_allergy_entered_in_error(
    allergy: Allergy, *, reason: str, statement: Statement, at: datetime, by: str
) -> tuple[Allergy, Statement]:
    """The allergy should never have been recorded; it stays, with the reason.

    When it was the last active one, the statement returns to not asked, as in `resolve_allergy`: what was stated before
    the wrong entry was made is not known to hold still.

    Raises:  AlreadyInError.
    Source:  HL7 FHIR R4, allergyintolerance-verification (entered-in-error); the return to not
             asked is a decision of this project.
    """
    check_markable(allergy.status)
    version = allergy.version + 1
    marked = replace(
        allergy, status=Status.ENTERED_IN_ERROR, reason=reason, changed_at=at, changed_by=by, version=version
    )
    active = statement.active - (1 if allergy.status is Status.ACTIVE else 0)
    return marked, _counted(statement, active=active, at=at, by=by)


def declare_none_known(statement: Statement, *, at: datetime, by: str) -> Statement:
    """The patient was asked and knows of no allergies; saying it again renews the day.

    Raises:  ActiveAllergiesStand: with how many.
    Source:  HL7 FHIR R4, AllergyIntolerance, notes on no known allergies (SNOMED CT 716186003).
    """
    if statement.active:
        raise ActiveAllergiesStand(facts={"active_allergies": statement.active})
    return replace(
        statement, asked=Asked.NONE_KNOWN, stated_at=at, stated_by=by, reason=None, version=statement.version + 1
    )


def withdraw_none_known(statement: Statement, *, reason: str, at: datetime, by: str) -> Statement:
    """The statement of no known allergies was made in error: nobody has asked.

    Raises:  NothingStated: nobody has said that there are none.
    Source:  decision: a statement is corrected as an entry is, with its reason and never deleted.
    """
    if statement.asked is not Asked.NONE_KNOWN:
        raise NothingStated(facts={"asked": statement.asked.value})
    return replace(
        statement, asked=Asked.NOT_ASKED, stated_at=at, stated_by=by, reason=reason, version=statement.version + 1
    )


def _counted(statement: Statement, *, active: int, at: datetime, by: str) -> Statement:
    none_left = Asked.NOT_ASKED if statement.active else statement.asked
    asked = Asked.HAS_ALLERGIES if active else none_left
    counted = replace(statement, active=active, version=statement.version + 1)
    if asked is statement.asked:
        return counted
    return replace(counted, asked=asked, stated_at=at, stated_by=by, reason=None)


def _draft_errors(draft: AllergyDraft, *, at: datetime) -> list[FieldError]:
    errors = term_errors(draft.substance, systems=SUBSTANCES, pointer="/substance")
    for place, reaction in enumerate(draft.reactions):
        pointer = f"/reactions/{place}/manifestation"
        errors += term_errors(reaction.manifestation, systems=MANIFESTATIONS, pointer=pointer)
    return errors + date_errors(draft.onset, at=at, pointer="/onset")

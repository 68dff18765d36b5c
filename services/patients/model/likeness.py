"""Likely duplicates: who is probably registered already, and which identifiers are taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from rapidfuzz.distance import OSA

from services.kernel.errors import FieldError
from services.patients.model.errors import IdentifierTaken
from services.patients.model.keys import name_hints, phone_keys, unspaced_forms
from services.patients.model.names import words
from services.patients.model.person import Birth, Demographics, House, Patient

_NAMES_ALIKE = 80
_ESTIMATE_YEARS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Keys by which a store finds who may be the same person.

    It is whoever has one of `identifiers`, or one of `surest` or `years` together with one of `names`.
    """

    identifiers: tuple[str, ...]
    surest: tuple[str, ...]
    years: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who is probably the same person: how probably, and why."""

    patient: Patient
    score: int
    reasons: tuple[str, ...]


def probe(person: Demographics, *, house: House) -> Probe:
    """What to ask the store for, to find who may be the same person.

    Source: none, plain arithmetic.
    """
    born = person.birth
    years = range(born.year - _ESTIMATE_YEARS, born.year + _ESTIMATE_YEARS + 1)
    day = [] if born.date is None else [f"b{born.date.isoformat()}"]
    return Probe(
        identifiers=tuple(f"u{each.key}" for each in person.identifiers),
        surest=tuple(sorted(_phones(person, house=house)) + day),
        years=tuple(f"{'y' if born.is_estimated else 'e'}{year}" for year in years),
        names=name_hints(person),
    )


def likely_duplicates(person: Demographics, others: Sequence[Patient], *, house: House) -> list[Candidate]:
    """Those who are probably the same person, the most probable first.

    The same identifier; or nearly the same name with the same birth (an estimate fits within two years) or phone.

    Source: none, plain arithmetic.
    """
    found = [each for each in (_candidate(person, other, house=house) for other in others) if each is not None]
    return sorted(found, key=lambda each: (-each.score, each.patient.id))


def ensure_identifiers_free(
    person: Demographics,
    holders: Sequence[Patient],
    *,
    shown: Callable[[Sequence[UUID]], frozenset[UUID]],
    but: UUID | None = None,
    forgive_same_name: bool = False,
) -> None:
    """Refuse an identifier that can belong to one person only and stands on another record.

    With `forgive_same_name` a record with nearly the same name passes: it is probably the same person, and is shown
    as a likely duplicate instead.

    shown: those of some records that may be read by whoever registers.

    Raises:  IdentifierTaken: with the other's MRN where that record may be read.
    Source: none, plain arithmetic.
    """
    claimed = {each.key: number for number, each in enumerate(person.identifiers) if each.is_exclusive}
    for other in holders:
        for number in sorted(claimed[each.key] for each in other.person.identifiers if each.key in claimed):
            if other.id == but:
                continue
            if forgive_same_name and name_likeness(person, other.person) >= _NAMES_ALIKE:
                continue
            seen = {"patient_id": str(other.id), "mrn": other.mrn} if shown([other.id]) else {}
            raise IdentifierTaken(
                errors=[FieldError(rule="unique", pointer=f"/identifiers/{number}/value")], facts=seen
            )


def name_likeness(one: Demographics, other: Demographics) -> int:
    """How alike two names are, 100 is the same; the order of family and given name does not count.

    Source:  as search.name_score.
    """
    return round(100 * OSA.normalized_similarity(_joined(one), _joined(other)))


def _joined(person: Demographics) -> str:
    forms = unspaced_forms(person.family_name, person.given_name)
    return min(forms) if forms else " ".join(sorted(words(f"{person.family_name} {person.given_name}")))


def _candidate(person: Demographics, other: Patient, *, house: House) -> Candidate | None:
    likeness = name_likeness(person, other.person)
    alike = likeness >= _NAMES_ALIKE
    scores: dict[str, int] = {}
    if {each.key for each in person.identifiers} & {each.key for each in other.person.identifiers}:
        scores["identifier"] = 100 if alike else 80
    if alike and (fit := _birth_fit(person.birth, other.person.birth)):
        scores["name_and_birth_date"] = likeness * fit // 100
    if alike and _phones(person, house=house) & _phones(other.person, house=house):
        scores["name_and_phone"] = likeness * 95 // 100
    return Candidate(patient=other, score=max(scores.values()), reasons=tuple(scores)) if scores else None


def _birth_fit(one: Birth, other: Birth) -> int:
    """100 for the same day, less for years that an estimate allows, 0 for different people."""
    if one.date is not None and other.date is not None:
        return 100 if one.date == other.date else 0
    apart = abs(one.year - other.year)
    return 85 - 5 * apart if apart <= _ESTIMATE_YEARS else 0


def _phones(person: Demographics, *, house: House) -> set[str]:
    return {
        key for phone in person.phones for key in phone_keys(phone.e164 or phone.number, house=house) if key[0] != "s"
    }

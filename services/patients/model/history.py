"""Versions of a record: the form in which each is kept, and what differs between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from services.kernel.errors import FieldError, Malformed, Stale
from services.patients.model.person import Patient

Snapshot = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVersion:
    """One version as the history keeps it: who made it, when, and the whole record."""

    version: int
    at: datetime
    by: str
    record: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field in one version: what stood there before, and after."""

    field: str
    version: int
    at: datetime
    by: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page of changes ended."""

    version: int
    field: str


def snapshot(patient: Patient) -> dict[str, Any]:
    """A version in plain values, by the names of the contract.

    Source: none, plain arithmetic.
    """
    person = patient.person
    return {
        "mrn": patient.mrn,
        "family_name": person.family_name,
        "given_name": person.given_name,
        "middle_name": person.middle_name,
        "prefix": person.prefix,
        "administrative_gender": person.administrative_gender.value,
        "sex_at_birth": None if person.sex_at_birth is None else person.sex_at_birth.value,
        "birth_date": None if person.birth.date is None else person.birth.date.isoformat(),
        "birth_year": person.birth.year,
        "birth_estimated": person.birth.is_estimated,
        "phones": [asdict(each) for each in person.phones],
        "emails": [asdict(each) for each in person.emails],
        "addresses": [asdict(each) | {"lines": list(each.lines)} for each in person.addresses],
        "language": person.language,
        "zone": person.zone,
        "contact_preference": person.contact_preference,
        "identifiers": [asdict(each) | {"type": each.type.value} for each in person.identifiers],
        "standing": patient.standing.value,
        "deactivation_reason": patient.deactivation_reason,
        "deceased_on": None if patient.deceased_on is None else patient.deceased_on.isoformat(),
        "merged_into": None if patient.merged_into is None else str(patient.merged_into),
    }


def differing(old: Snapshot, new: Snapshot) -> list[str]:
    """Names of the fields in which two versions differ.

    Source: none, plain arithmetic.
    """
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def stale(patient: Patient, *, since: Snapshot | None) -> Stale:
    """That a change starts from an old version, with the names of what others have changed since.

    `since` is the version that the change starts from, None when there never was such a version.

    Source: none, plain arithmetic.
    """
    return Stale(fields=[] if since is None else differing(since, snapshot(patient)))


def changes(versions: Sequence[KeptVersion], *, after: Place | None) -> list[FieldChange]:
    """What was changed, newest first, in some versions in a row that come newest first; from a place on.

    A version without the one before it among `versions` tells nothing: it is the registration, or not asked for.

    Source: none, plain arithmetic.
    """
    found = [
        FieldChange(
            field=name, version=new.version, at=new.at, by=new.by, old=old.record.get(name), new=new.record.get(name)
        )
        for new, old in pairwise(versions)
        for name in differing(old.record, new.record)
    ]
    if after is None:
        return found
    return [each for each in found if (-each.version, each.field) > (-after.version, after.field)]


def place_at(keys: Sequence[Any] | None) -> Place | None:
    """The place in the changes that a cursor holds.

    Raises:  Malformed: it holds something else.
    Source: none, plain arithmetic.
    """
    match keys:
        case None:
            return None
        case [int() as version, str() as field]:
            return Place(version=version, field=field)
    raise Malformed(errors=[FieldError(rule="cursor", parameter="cursor")])

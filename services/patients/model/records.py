"""Decisions about a record: register, change, deactivate, restore, mark as deceased; and what happened then."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.kernel.errors import FieldError
from services.kernel.events import Event
from services.kernel.identifiers import check_digit
from services.patients.model.demographics import read_demographics
from services.patients.model.errors import (
    AlreadyDeceased,
    DeathDateInvalid,
    DemographicsInvalid,
    PatientInactive,
    PatientMerged,
    PatientNotInactive,
)
from services.patients.model.history import differing, snapshot
from services.patients.model.person import Birth, Demographics, House, Patient


def medical_record_number(number: int) -> str:
    """The MRN of a place in the sequence: its digits, and one that shows a slip in any of them.

    Source:  kernel.identifiers.check_digit.
    """
    digits = f"{number:07d}"
    return digits + check_digit(digits)


def register(person: Demographics, *, id: UUID, number: int, at: datetime) -> Patient:  # noqa: A002 - the hospital's word
    """The first version of a new patient's record.

    Source: none, plain arithmetic.
    """
    return Patient(id=id, mrn=medical_record_number(number), version=1, person=person, registered_at=at, changed_at=at)


def change(patient: Patient, fields: Mapping[str, Any], *, today: date, house: House, at: datetime) -> Patient:
    """The record after a change of demographics; the same record when nothing differs.

    Raises:  PatientMerged, PatientInactive: such a record is not changed. DemographicsInvalid: names the bad fields.
    Source: none, plain arithmetic.
    """
    _ensure_not_merged(patient)
    _ensure_active_record(patient)
    person = read_demographics(fields, today=today, house=house, known=patient.person)
    if patient.deceased_on is not None and _is_before_birth(patient.deceased_on, person.birth):
        pointer = "/birth_date" if "birth_date" in fields else "/estimated_age"
        raise DemographicsInvalid(errors=[FieldError(rule="not_after_death", pointer=pointer)])
    return patient if person == patient.person else _next(patient, at=at, person=person)


def deactivate(patient: Patient, *, reason: str, at: datetime) -> Patient:
    """The record after it was deactivated: hidden from search, kept whole.

    Raises:  PatientMerged, PatientInactive: it is out of use already.
    Source: none, plain arithmetic.
    """
    _ensure_not_merged(patient)
    _ensure_active_record(patient)
    return _next(patient, at=at, deactivation_reason=reason)


def restore(patient: Patient, *, at: datetime) -> Patient:
    """The record after it was restored.

    Raises:  PatientMerged; PatientNotInactive: there is nothing to restore.
    Source: none, plain arithmetic.
    """
    _ensure_not_merged(patient)
    if patient.deactivation_reason is None:
        raise PatientNotInactive
    return _next(patient, at=at, deactivation_reason=None)


def mark_deceased(patient: Patient, *, on: date, today: date, at: datetime) -> Patient:
    """The record of a patient who has died.

    Raises:  DeathDateInvalid: before the birth or in the future. PatientMerged, PatientInactive, AlreadyDeceased.
    Source: none, plain arithmetic.
    """
    _ensure_not_merged(patient)
    _ensure_active_record(patient)
    if patient.deceased_on is not None:
        raise AlreadyDeceased
    if on > today:
        raise DeathDateInvalid(errors=[FieldError(rule="not_in_future", pointer="/deceased_on")])
    if _is_before_birth(on, patient.person.birth):
        raise DeathDateInvalid(errors=[FieldError(rule="not_before_birth", pointer="/deceased_on")])
    return _next(patient, at=at, deceased_on=on)


def happened(type: str, patient: Patient, **data: object) -> Event:  # noqa: A002 - the envelope's word
    """An event of this service about one patient, version by version; ids, codes and names of fields only.

    Source: none, plain arithmetic.
    """
    return Event(type=f"patients.{type}.v1", subject=str(patient.id), version=patient.version, data=data)


def changed_fields(before: Patient, after: Patient) -> list[str]:
    """Names of the fields that differ between two versions.

    Source: none, plain arithmetic.
    """
    return differing(snapshot(before), snapshot(after))


def _next(patient: Patient, *, at: datetime, **changes: Any) -> Patient:
    return dataclasses.replace(patient, version=patient.version + 1, changed_at=at, **changes)


def _ensure_not_merged(patient: Patient) -> None:
    if patient.merged_into is not None:
        raise PatientMerged(facts={"merged_into": str(patient.merged_into)})


def _ensure_active_record(patient: Patient) -> None:
    if patient.deactivation_reason is not None:
        raise PatientInactive


def _is_before_birth(day: date, birth: Birth) -> bool:
    # An estimated year of birth is right within a year or two only; a death in the year before it is possible.
    return day < birth.date if birth.date is not None else day.year < birth.year - 1

"""A patient's record: who the person is, and what may be done with the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from services.patients.model.contacts import Address, Email, Phone
from services.patients.model.identifiers import Identifier

OLDEST_YEARS = 130


class Gender(StrEnum):
    """Administrative gender, and sex as it was recorded at birth (HL7 FHIR R4, AdministrativeGender)."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """Whether a record may be acted on: only an active one."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DECEASED = "deceased"
    MERGED = "merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What this hospital takes for granted: the country of a number without one, and whose midnight counts.

    known_for: how long after an appointment the patient is known there. open_for: how long a patient who was just
    registered is in the care of everybody on duty.
    """

    country: str
    zone: ZoneInfo
    known_for: timedelta = timedelta(days=730)
    open_for: timedelta = timedelta(hours=24)

    def today(self, at: datetime) -> date:
        """The calendar day in the hospital at a moment."""
        return at.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """When a person was born: the day, or about the year."""

    year: int
    date: date | None = None

    @property
    def is_estimated(self) -> bool:
        """Whether only the year is known, and only about."""
        return self.date is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demographics:
    """What is known of the person."""

    family_name: str
    given_name: str
    administrative_gender: Gender
    birth: Birth
    middle_name: str | None = None
    prefix: str | None = None
    sex_at_birth: Gender | None = None
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    addresses: tuple[Address, ...] = ()
    language: str | None = None
    zone: str | None = None
    contact_preference: str | None = None
    identifiers: tuple[Identifier, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What says how a record stands, and nothing about the person."""

    id: UUID
    version: int
    deactivation_reason: str | None = None
    deceased_on: date | None = None
    merged_into: UUID | None = None

    @property
    def standing(self) -> Standing:
        """What the record allows now; the strongest reason against acting on it wins."""
        if self.merged_into is not None:
            return Standing.MERGED
        if self.deceased_on is not None:
            return Standing.DECEASED
        return Standing.ACTIVE if self.deactivation_reason is None else Standing.INACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient(Status):
    """One version of a patient's record."""

    mrn: str
    person: Demographics
    registered_at: datetime
    changed_at: datetime

    @property
    def is_listed(self) -> bool:
        """Whether a search shows it without being asked for hidden records."""
        return self.deactivation_reason is None and self.merged_into is None


def age_years(birth: Birth, *, on: date) -> int:
    """Whole years of age on a day, never less than none.

    Who was born on 29 February completes a year on 1 March of a common year. Of an estimated birth the years count.

    Source:  Family Law Reform Act 1969 (England and Wales), section 9: an age is reached at the start of the birthday.
    """
    if birth.date is None:
        return max(0, on.year - birth.year)
    had_birthday = (on.month, on.day) >= (birth.date.month, birth.date.day)
    return max(0, on.year - birth.date.year - (0 if had_birthday else 1))


def age_of(patient: Patient, *, today: date) -> int:
    """Whole years of age today, or those reached at death.

    Source:  as age_years.
    """
    return age_years(patient.person.birth, on=patient.deceased_on or today)


def born_about(age: int, *, today: date) -> Birth:
    """The estimated birth of somebody who is about so many years old today.

    Source: none, plain arithmetic.
    """
    return Birth(year=today.year - age)


def broken_birth_rule(born: date, *, today: date) -> str | None:
    """The rule that a birth date breaks, if it breaks one.

    Source:  nobody was ever older than 122 years (Gerontology Research Group, verified supercentenarians); the rest is
             room for doubt.
    """
    if born > today:
        return "not_in_future"
    return "too_long_ago" if today.year - born.year > OLDEST_YEARS else None

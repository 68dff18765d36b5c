"""Whether somebody knows the birth date of a record: yes or no, and not as often as one could guess."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from services.kernel.errors import TooMany
from services.patients.model.person import Patient, Standing

MOST_WRONG: Final = 10
WITHIN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthChecks:
    """Wrong answers about one record since a moment."""

    patient_id: UUID
    wrong: int
    since: datetime


def checked(
    patient: Patient, *, given: date, before: BirthChecks | None, at: datetime
) -> tuple[bool, BirthChecks | None]:
    """Whether the date is that of the record, and the count of wrong ones after this one.

    A record that is out of use, or whose birth date nobody knows, has none that is right.

    Raises:  TooMany: ten were wrong within a day; the date is not looked at.
    Source:  NIST SP 800-63A-4, section 3.1.7; a birth date is one of 40,000, so guessing is bounded by count.
    """
    known = before if before is not None and at < before.since + WITHIN else None
    if known is not None and known.wrong >= MOST_WRONG:
        raise TooMany(retry_after_s=max(1, int((known.since + WITHIN - at).total_seconds())))
    is_right = patient.standing is Standing.ACTIVE and patient.person.birth.date == given
    if is_right:
        return True, before
    wrong = 1 if known is None else known.wrong + 1
    return False, BirthChecks(patient_id=patient.id, wrong=wrong, since=at if known is None else known.since)

"""Which records may be written to.

Whose record may be opened is decided in one place, by `patients`: the history asks it before each operation how the
record stands, with the token of whoever asks and the permission that is about to be used. A record that is not in reach
is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services.kernel.errors import Conflict


class PatientMerged(Conflict):
    """The record was merged into another one, which is where to write now."""

    code: ClassVar[str] = "patient_merged"
    title: ClassVar[str] = "This record was merged into another one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What `patients` says about a record: whether it is in use, and where it went if it was merged."""

    standing: str
    merged_into: str | None = None


def check_may_add(standing: Standing) -> None:
    """Refuse new entries on a record that was merged away.

    Inactive records and those of the deceased take entries: what is learned late about a patient's safety is better
    kept than refused for the state of the administration, and findings after death belong to the record. Corrections
    and reading stay possible on every record.

    Raises:  PatientMerged: with the id of the record that it was merged into.
    Source:  decision: entries follow the surviving record; HL7 FHIR R4, Patient.link (replaced-by).
    """
    if standing.standing == "merged":
        raise PatientMerged(facts={"merged_into": standing.merged_into})

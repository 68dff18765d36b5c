"""Whose record may be opened and written to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from services.kernel.access import Actor
from services.kernel.errors import Conflict, Forbidden


class PatientMerged(Conflict):
    """The record was merged into another one, which is where to write now."""

    code: ClassVar[str] = "patient_merged"
    title: ClassVar[str] = "This record was merged into another one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What `patients` says about a record: whether it is in use, and where it went if it was merged."""

    standing: str
    merged_into: str | None = None


def check_may_open(actor: Actor, *, patient_id: UUID, own_records: frozenset[UUID] = frozenset()) -> None:
    """Refuse an account that may not open this patient's history; every operation asks before it looks.

    Staff open the records that their permission covers. An account of a patient opens the records that it is linked
    with and no other, whatever permissions its further roles give.

    Raises:  Forbidden: the record is not one of the account's own.
    Source:  decision: a patient's account is bound to its own record (GDPR Art. 15; HIPAA 45 CFR 164.524).
    """
    if "patient" in actor.roles and patient_id not in own_records:
        raise Forbidden


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

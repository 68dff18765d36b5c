"""Accounts of patients and guardians: a code from the reception, and the birth date of whose record it opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from services.identity.model.reach import Relation
from services.kernel.errors import Conflict, FieldError, Invalid, NotSignedIn

LIFE: Final = timedelta(days=7)
TRIES: Final = 3
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_SIGNS, _GROUP = 12, 4


class ActivationRefused(NotSignedIn):
    """Code and birth date do not open a record. One answer for every reason."""

    code = "activation_refused"
    title = "Code and birth date do not belong together"


class UnknownPatient(Invalid):
    """There is no record of this id, or it may not be acted on."""

    code = "unknown_patient"
    title = "There is no such patient, or the record is out of use"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("unknown", pointer="/patient_id")])


class EndsInThePast(Invalid):
    """A link that has ended before it begins opens nothing."""

    code = "ends_in_the_past"
    title = "The end is over already"

    def __init__(self, pointer: str) -> None:
        super().__init__(errors=[FieldError("past", pointer=pointer)])


class RecordMoved(Conflict):
    """The record that the code was made for may not be acted on any more."""

    code = "record_out_of_use"
    title = "The record is out of use"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationCode:
    """A code for one record, as it is kept: a digest. It counts once, for seven days, and dies of three wrong tries."""

    id: UUID
    digest: bytes
    patient_id: UUID
    relation: Relation
    made_by: str
    made_at: datetime
    expires_at: datetime
    link_until: datetime | None = None
    tries: int = 0
    used_at: datetime | None = None


class Records(Protocol):
    """What the keeper of records answers about one."""

    def standing(self, patient_id: UUID, *, call: Any) -> str | None:
        """How the record stands for whoever asks; None when there is none, or none in reach.

        Raises:  Unavailable, Forbidden.
        """

    def is_born_on(self, patient_id: UUID, *, birth_date: date) -> bool:
        """Whether this is the birth date of the record.

        Raises:  Unavailable, TooMany.
        """


def new_code(
    *,
    code_id: UUID,
    digest: bytes,
    patient_id: UUID,
    relation: Relation,
    until: datetime | None,
    by: str,
    at: datetime,
) -> ActivationCode:
    """A code for a record.

    Raises:  EndsInThePast: the link would have ended.
    Source:  NIST SP 800-63A-4, section 3.1.7 (enrolment codes: short life, single use).
    """
    if until is not None and until <= at:
        raise EndsInThePast("/until")
    return ActivationCode(
        id=code_id,
        digest=digest,
        patient_id=patient_id,
        relation=relation,
        made_by=by,
        made_at=at,
        expires_at=at + LIFE,
        link_until=until,
    )


def is_open(code: ActivationCode, *, at: datetime) -> bool:
    """Whether a code may be tried once more.

    Source:  NIST SP 800-63A-4, section 3.1.7.
    """
    return code.used_at is None and at < code.expires_at and code.tries < TRIES


def written(randomness: bytes) -> str:
    """A code as it is handed out, from twelve random bytes: 60 bits in three groups of four signs.

    Raises:  ValueError: other than twelve bytes.
    Source:  NIST SP 800-63A-4, section 3.1.7 (at least 20 bits; this has 60).
    """
    if len(randomness) != _SIGNS:
        raise ValueError("12 bytes of randomness are needed")
    signs = [_ALPHABET[byte % len(_ALPHABET)] for byte in randomness]  # 256 is a multiple of 32: no sign is likelier
    return "-".join("".join(signs[start : start + _GROUP]) for start in range(0, _SIGNS, _GROUP))

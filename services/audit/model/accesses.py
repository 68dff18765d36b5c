"""Who opened or changed a record, as the person may see whose record it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from uuid import UUID

from services.audit.model.chain import Link
from services.audit.model.entries import Entry, read_entry
from services.audit.model.searching import Search
from services.kernel.access import Actor
from services.kernel.errors import Forbidden

READS_ALL: Final = "audit.read"
_PERSONS: Final = frozenset({"patient"})
_PROGRAMS: Final = frozenset({"service"})


class By(StrEnum):
    """Who it was: somebody who works here, a program for itself, or whose record it is, and who acts for them."""

    STAFF = "staff"
    HOUSE = "house"
    PERSON = "person"


def refuse_narrowed(reader: Actor) -> None:
    """Refuse whoever reads the trail for some places only: entries do not say where they were made.

    Raises:  Forbidden.
    Source:  decision D-97.
    """
    if not reader.scope.is_everywhere:
        raise Forbidden


def refuse_others(patient_id: UUID, *, reader: Actor) -> None:
    """Refuse whoever is neither the person, nor acts for them, nor reads the whole trail.

    Raises:  Forbidden.
    Source:  GDPR art. 15; NHS Care Record Guarantee, commitment 8; decisions D-93 and D-97.
    """
    if reader.is_about(str(patient_id)):
        return
    if not reader.may(READS_ALL):
        raise Forbidden
    refuse_narrowed(reader.under(READS_ALL))


def accesses_to(patient_id: UUID) -> Search:
    """What counts as an access: all that was done or shown; what was refused was neither.

    Source:  decision D-93.
    """
    return Search(patient_id=str(patient_id), outcome="success")


def is_by_staff(link: Link) -> bool:
    """Whether somebody who works here did it.

    Source:  none, plain arithmetic.
    """
    return by(read_entry(link.text)) is By.STAFF


def by(entry: Entry) -> By:
    """Who it was, by the roles of the account at that moment; an account without any is a program at work.

    Source:  decision D-93.
    """
    roles = frozenset(entry["roles"])
    if roles <= _PROGRAMS:
        return By.HOUSE
    return By.PERSON if roles <= _PERSONS else By.STAFF

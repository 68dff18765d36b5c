"""What somebody opens or changes a record for: the words of the trail, each with its code in HL7."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from services.kernel.access import Actor


class Purpose(StrEnum):
    """Why. Contracts name the usual one of their operations, in `x-purpose`."""

    TREATMENT = "treatment"
    ADMINISTRATION = "administration"
    OPERATIONS = "operations"
    SYSTEM = "system"
    COMPLIANCE = "compliance"
    OWN_REQUEST = "own_request"
    FAMILY_REQUEST = "family_request"


CODES: Final[Mapping[Purpose, str]] = {
    Purpose.TREATMENT: "TREAT",
    Purpose.ADMINISTRATION: "PATADMIN",
    Purpose.OPERATIONS: "HOPERAT",
    Purpose.SYSTEM: "HSYSADMIN",
    Purpose.COMPLIANCE: "HCOMPL",
    Purpose.OWN_REQUEST: "PATRQT",
    Purpose.FAMILY_REQUEST: "FAMRQT",
}
"""Source:  HL7 Version 3, value set PurposeOfUse of the code system ActReason."""


def purpose_of(actor: Actor, *, about: str | None, usual: Purpose) -> Purpose:
    """The usual one, unless the record is the actor's own or one in whose name the actor acts.

    Source:  HL7 Version 3, ActReason: PATRQT (at the request of the person) and FAMRQT (of the family).
    """
    if about is not None and about == actor.scope.own:
        return Purpose.OWN_REQUEST
    if about is not None and about in actor.scope.linked:
        return Purpose.FAMILY_REQUEST
    return usual

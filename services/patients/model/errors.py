"""Rules of patient records that can be broken, by name."""

from __future__ import annotations

from services.kernel.errors import Conflict, Invalid


class DemographicsInvalid(Invalid):
    """Something that was said about the person cannot be so."""

    code = "demographics_invalid"
    title = "Some demographics are not right"


class DeathDateInvalid(Invalid):
    """Nobody dies before birth or in the future."""

    code = "death_date_invalid"
    title = "The day of death is not possible"


class NothingToSearch(Invalid):
    """A search without a word or a number would show everybody."""

    code = "nothing_to_search"
    title = "Nothing to search for"


class IdentifierTaken(Conflict):
    """An identifier that can belong to one person only stands on another record."""

    code = "identifier_taken"
    title = "This identifier belongs to another record"


class PatientInactive(Conflict):
    """The record is deactivated and must be restored before it is changed."""

    code = "patient_inactive"
    title = "This record is deactivated"


class PatientNotInactive(Conflict):
    """There is nothing to restore."""

    code = "patient_not_inactive"
    title = "This record is not deactivated"


class PatientMerged(Conflict):
    """The record lives on in another one, which `facts` names."""

    code = "patient_merged"
    title = "This record was merged into another one"


class AlreadyDeceased(Conflict):
    """The death is recorded already."""

    code = "already_deceased"
    title = "The death is recorded already"

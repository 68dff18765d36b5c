"""A term of a code system, or words where no code fits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """What something is: its words, and its code where a code system has one.

    `system` is the address of the code system, `code` the term in it; both or neither. `display` is always there.

    Source:  HL7 FHIR R4, datatypes Coding and CodeableConcept.
    """

    display: str
    system: str | None = None
    code: str | None = None

    def __post_init__(self) -> None:
        """Refuse a code without its system, and a system without a code."""
        if (self.system is None) != (self.code is None):
            raise ValueError("a code needs its system")

    @property
    def is_coded(self) -> bool:
        """Whether it is a term of a code system and not only words."""
        return self.code is not None

    def means_the_same_as(self, other: Coding) -> bool:
        """Whether both name the same term: by code where both have one, else by their words without case and blanks."""
        if self.is_coded and other.is_coded:
            return (self.system, self.code) == (other.system, other.code)
        return self.display.casefold().split() == other.display.casefold().split()

"""Terms of code systems and partial dates, as clinicians write them, and the rules that they must keep."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.kernel.coding import Coding
from services.kernel.errors import FieldError

SNOMED_CT = "http://snomed.info/sct"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_11 = "http://id.who.int/icd/release/11/mms"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
UNII = "http://fdasis.nlm.nih.gov"

SUBSTANCES = frozenset({SNOMED_CT, RXNORM, ATC, UNII})
MANIFESTATIONS = frozenset({SNOMED_CT, ICD_10, ICD_10_CM})
CONDITIONS = frozenset({ICD_10, ICD_10_CM, ICD_11})

_FORMS = {
    SNOMED_CT: re.compile(r"[1-9][0-9]{5,17}"),
    ICD_10: re.compile(r"[A-Z][0-9]{2}(\.[0-9]{1,2})?"),
    ICD_10_CM: re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?"),
    ICD_11: re.compile(r"[0-9A-HJ-NP-Z][A-HJ-NP-Z][0-9][0-9A-HJ-NP-Z](\.[0-9A-HJ-NP-Z]{1,2})?"),
    RXNORM: re.compile(r"[1-9][0-9]{0,7}"),
    ATC: re.compile(r"[ABCDGHJLMNPRSV][0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?"),
    UNII: re.compile(r"[0-9A-Z]{10}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A term as somebody wrote it, before anyone has looked whether its code can be right."""

    display: str
    system: str | None = None
    code: str | None = None

    def coding(self) -> Coding:
        """The term as the record keeps it: blanks at the ends are nobody's wish.

        Source:  none, plain arithmetic.
        """
        return Coding(display=self.display.strip(), system=self.system, code=self.code)


def term_errors(term: Term, *, systems: frozenset[str], pointer: str) -> list[FieldError]:
    """What is wrong with a term: a code without its system, a system that does not fit here, or a form that cannot be.

    Whether the code exists is not looked up.

    Source:  WHO ICD-10 (2019) volume 2, section 2.4; ICD-10-CM Official Guidelines FY2024, I.A.2; WHO ICD-11 Reference
             Guide, section 1.2 (codes without the letters I and O); SNOMED CT Release File Specification, SCTID;
             RxNorm Technical Documentation (RXCUI: up to 8 digits); WHO Guidelines for ATC classification, A.2;
             FDA UNII (ten characters).
    """
    if term.system is None or term.code is None:
        missing = "code" if term.code is None else "system"
        return [] if term.system is term.code else [FieldError("code_and_system_together", f"{pointer}/{missing}")]
    if term.system not in systems:
        return [FieldError("code_system_not_used_here", f"{pointer}/system")]
    if not _FORMS[term.system].fullmatch(term.code) or (term.system == SNOMED_CT and not _is_sctid(term.code)):
        return [FieldError("code_format", f"{pointer}/code")]
    return []


def date_errors(text: str | None, *, at: datetime, pointer: str) -> list[FieldError]:
    """What is wrong with a date that is a year, a month or a day: no such day, or not yet begun anywhere on earth.

    Source:  HL7 FHIR R4, datatype dateTime (partial dates); the future is refused because nobody can have observed it,
             with 14 hours of grace for the zones that are ahead of UTC.
    """
    if text is None:
        return []
    first = _first_day(text)
    if first is None:
        return [FieldError("date", pointer)]
    return [FieldError("not_in_future", pointer)] if first > (at + timedelta(hours=14)).date() else []


def is_before(one: str, other: str) -> bool:
    """Whether a partial date is certainly over before another begins; 2019 and 2019-05 may be the same day.

    Source:  HL7 FHIR R4, search on partial dates: a date stands for the whole interval that it names.
    """
    end, begin = _last_day(one), _first_day(other)
    return end is not None and begin is not None and end < begin


def _first_day(text: str) -> date | None:
    return _day(text, last=False)


def _last_day(text: str) -> date | None:
    return _day(text, last=True)


def _day(text: str, *, last: bool) -> date | None:
    parts = [int(part) for part in text.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else (12 if last else 1)
    try:
        return date(year, month, parts[2] if len(parts) > 2 else (calendar.monthrange(year, month)[1] if last else 1))
    except ValueError:
        return None


_TIMES = (  # multiplication in the dihedral group D5
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_PERMUTED = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def _is_sctid(code: str) -> bool:
    """Whether the check digit of a SNOMED CT identifier fits and it names a concept (partition 00 or 10)."""
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = int(_TIMES[check][int(_PERMUTED[place % 8][int(digit)])])
    return check == 0 and code[-3:-1] in {"00", "10"}

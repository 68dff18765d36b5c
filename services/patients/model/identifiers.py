"""Identifiers that others gave a person: format by type, and which of them can belong to one person only."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from stdnum.br import cpf as br_cpf
from stdnum.ca import sin as ca_sin
from stdnum.cl import rut as cl_rut
from stdnum.cn import ric as cn_ric
from stdnum.de import idnr as de_idnr
from stdnum.es import dni as es_dni
from stdnum.es import nie as es_nie
from stdnum.fr import nir as fr_nir
from stdnum.gb import nhs as gb_nhs
from stdnum.in_ import aadhaar as in_aadhaar
from stdnum.it import codicefiscale as it_codicefiscale
from stdnum.mx import curp as mx_curp
from stdnum.nl import bsn as nl_bsn
from stdnum.pl import pesel as pl_pesel
from stdnum.ro import cnp as ro_cnp
from stdnum.tr import tckimlik as tr_tckimlik
from stdnum.us import ssn as us_ssn

from services.patients.model.countries import is_country
from services.patients.model.names import fold, tidy

Check = Callable[[str], bool]


class IdentifierType(StrEnum):
    """What kind of number it is."""

    NATIONAL_ID = "national_id"
    PASSPORT = "passport"
    DRIVING_LICENCE = "driving_licence"
    INSURANCE = "insurance"
    OTHER = "other"


# One family often shares an insurance number, and what stands under `other` has no rule that we know.
EXCLUSIVE = frozenset({IdentifierType.NATIONAL_ID, IdentifierType.PASSPORT, IdentifierType.DRIVING_LICENCE})
ISSUED_BY_COUNTRY = EXCLUSIVE

_SHAPES = {
    IdentifierType.NATIONAL_ID: re.compile(r"[A-Z0-9]{4,20}"),
    IdentifierType.PASSPORT: re.compile(r"[A-Z0-9]{4,9}"),
    IdentifierType.DRIVING_LICENCE: re.compile(r"[A-Z0-9]{4,20}"),
    IdentifierType.INSURANCE: re.compile(r"[A-Z0-9]{4,30}"),
    IdentifierType.OTHER: re.compile(r"[A-Z0-9]{1,64}"),
}
# Countries whose rule does not look at today's date; a number of any other country needs the general shape only.
_NATIONAL: dict[str, tuple[Check, ...]] = {
    "BR": (br_cpf.is_valid,),
    "CA": (ca_sin.is_valid,),
    "CL": (cl_rut.is_valid,),
    "CN": (cn_ric.is_valid,),
    "DE": (de_idnr.is_valid,),
    "ES": (es_dni.is_valid, es_nie.is_valid),
    "FR": (fr_nir.is_valid,),
    "GB": (gb_nhs.is_valid,),
    "IN": (in_aadhaar.is_valid,),
    "IT": (it_codicefiscale.is_valid,),
    "MX": (mx_curp.is_valid,),
    "NL": (nl_bsn.is_valid,),
    "PL": (pl_pesel.is_valid,),
    "RO": (ro_cnp.is_valid,),
    "TR": (tr_tckimlik.is_valid,),
    "US": (us_ssn.is_valid,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A number that somebody gave a person; `issuer` is a country, or a name where no country gives it."""

    type: IdentifierType
    value: str
    issuer: str

    @property
    def key(self) -> str:
        """The same for every writing of the same identifier."""
        return f"{self.type}:{fold(self.issuer)}:{bare(self.value)}"

    @property
    def is_exclusive(self) -> bool:
        """Whether it can belong to one person only."""
        return self.type in EXCLUSIVE


def bare(value: str) -> str:
    """An identifier without the blanks and strokes that only help the eye.

    Source: none, plain arithmetic.
    """
    return "".join(each for each in value.upper() if each.isalnum())


def identifier(*, type: IdentifierType, value: str, issuer: str) -> Identifier:  # noqa: A002 - the hospital's word
    """An identifier as it is kept.

    Source: none, plain arithmetic.
    """
    return Identifier(type=type, value=tidy(value).upper(), issuer=tidy(issuer))


def broken_rule(given: Identifier) -> tuple[str, str] | None:
    """The field and the rule that an identifier breaks, if it breaks one.

    Source:  passports: ICAO Doc 9303 part 4 (at most nine letters and digits); national ids: the rule of the country's
             authority as collected in python-stdnum; the other lengths are the house's own.
    """
    if given.type in ISSUED_BY_COUNTRY and not is_country(given.issuer):
        return "issuer", "country"
    if not _SHAPES[given.type].fullmatch(bare(given.value)):
        return "value", f"{given.type}_format"
    checks = _NATIONAL.get(given.issuer, ()) if given.type is IdentifierType.NATIONAL_ID else ()
    if checks and not any(check(given.value) for check in checks):
        return "value", "national_id_format"
    return None

"""How a person is reached: phone numbers in any writing, e-mail, post."""

from __future__ import annotations

import functools
import unicodedata
import zoneinfo
from dataclasses import dataclass

import phonenumbers

_SHORTEST_WHOLE = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A phone number as it was written, and in international form where it has one."""

    number: str
    e164: str | None
    use: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """An e-mail address."""

    address: str
    use: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where post finds a person."""

    use: str
    lines: tuple[str, ...]
    country: str
    city: str | None = None
    district: str | None = None
    region: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialled:
    """A phone number taken apart: all digits with the country's, and the digits within the country."""

    international: str | None
    national: str


def digits_of(number: str) -> str:
    """The ASCII digits of a number as it was written.

    Source: none, plain arithmetic.
    """
    return "".join(each for each in number if each in "0123456789")


def dialled(number: str, *, country: str) -> Dialled | None:
    """A phone number, read as it is dialled in a country; None when no number can be read from it.

    Extensions of a house and emergency numbers have no international form and keep their digits.

    Source:  ITU-T E.164 (at most fifteen digits) and the numbering plans in Google's libphonenumber.
    """
    digits = digits_of(number)
    if digits.startswith("00") and len(digits) > _SHORTEST_WHOLE:
        number = f"+{digits[2:]}"  # most of the world dials 00 for abroad; no number within a country begins with it
    abroad = number.lstrip("( ").startswith("+")
    if not 3 <= len(digits) <= 17:
        return None
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not _is_whole(parsed) or not (abroad or len(digits) >= _SHORTEST_WHOLE):
        return None if abroad else Dialled(international=None, national=digits.lstrip("0") or digits)
    national = phonenumbers.national_significant_number(parsed)
    return Dialled(
        international=phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
        national=national.lstrip("0") or national,
    )


def _is_whole(number: phonenumbers.PhoneNumber) -> bool:
    """Whether it can be dialled from anywhere, and is not the part that is dialled within a town."""
    return phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE


def is_email(address: str) -> bool:
    """Whether mail can be sent there as far as its form tells.

    Source:  RFC 5321, sections 4.1.2 and 4.5.3.1 (an unquoted local part of at most 64 octets).
    """
    local, at, domain = address.rpartition("@")
    return (
        bool(local and at and domain)
        and len(local.encode(errors="replace")) <= 64
        and "@" not in local
        and not any(unicodedata.category(each)[0] in "CZ" or each in '"<>(),:;\\[]' for each in local + domain)
    )


def is_zone(name: str) -> bool:
    """Whether a name is one of the time zone database.

    Source:  IANA time zone database.
    """
    return name in _zones()


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - {"localtime", "posixrules", "Factory"}

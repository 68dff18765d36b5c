"""What was said about a person, checked and put into the form in which it is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from services.kernel.errors import FieldError
from services.patients.model.contacts import Address, Email, Phone, dialled, is_email, is_zone
from services.patients.model.countries import is_country
from services.patients.model.errors import DemographicsInvalid
from services.patients.model.identifiers import (
    ISSUED_BY_COUNTRY,
    Identifier,
    IdentifierType,
    broken_rule,
    identifier,
)
from services.patients.model.names import is_plain, is_visible, tidy
from services.patients.model.person import Birth, Demographics, Gender, House, born_about, broken_birth_rule

_NAMES = ("family_name", "given_name", "middle_name", "prefix")


def read_demographics(
    fields: Mapping[str, Any], *, today: date, house: House, known: Demographics | None = None
) -> Demographics:
    """The demographics that follow from what was said: of a new person, or a change to what is known.

    A field that is left out stays as it is known; None empties it; a list replaces the whole list. A birth date takes
    the place of an estimate and the other way round.

    Raises:  DemographicsInvalid: names every field that breaks a rule.
    Source:  RFC 7396 (merge patch); the rules of single fields stand with them.
    """
    reader = _Reader(fields, today=today, house=house)
    changes = reader.read()
    if known is None and "birth" not in changes and not any(each.pointer in _BIRTH for each in reader.errors):
        reader.refuse("/birth_date", "required")
    if reader.errors:
        raise DemographicsInvalid(errors=reader.errors)
    return Demographics(**changes) if known is None else dataclasses.replace(known, **changes)


_BIRTH = ("/birth_date", "/estimated_age")


class _Reader:
    """Goes through the fields once and gathers what is wrong, so that all of it is said at once."""

    def __init__(self, fields: Mapping[str, Any], *, today: date, house: House) -> None:
        self.errors: list[FieldError] = []
        self._fields = fields
        self._today = today
        self._house = house

    def refuse(self, pointer: str, rule: str) -> None:
        self.errors.append(FieldError(rule=rule, pointer=pointer))

    def read(self) -> dict[str, Any]:
        readers: dict[str, Callable[[str, Any], Any]] = {
            **dict.fromkeys(_NAMES, self._name),
            "administrative_gender": lambda _, value: Gender(value),
            "sex_at_birth": lambda _, value: Gender(value),
            "phones": self._each(self._phone),
            "emails": self._each(self._email),
            "addresses": self._each(self._address),
            "identifiers": self._each(self._identifier),
            "language": lambda _, value: value,
            "zone": self._zone,
            "contact_preference": lambda _, value: value,
        }
        changes = {
            name: None if self._fields[name] is None else read(f"/{name}", self._fields[name])
            for name, read in readers.items()
            if name in self._fields
        }
        self._refuse_repeated(changes.get("identifiers") or ())
        birth = self._birth()
        return changes if birth is None else {**changes, "birth": birth}

    def _each(self, read: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
        def read_all(pointer: str, values: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(read(f"{pointer}/{number}", value) for number, value in enumerate(values))

        return read_all

    def _name(self, pointer: str, value: str) -> str:
        name = tidy(value)
        if not is_plain(name):
            self.refuse(pointer, "plain_text")
        elif not is_visible(name):
            self.refuse(pointer, "visible")
        return name

    def _line(self, pointer: str, value: str | None) -> str | None:
        return None if value is None else self._name(pointer, value)

    def _birth(self) -> Birth | None:
        born, age = self._fields.get("birth_date"), self._fields.get("estimated_age")
        if born is not None and age is not None:
            self.refuse("/estimated_age", "only_one_of_birth_date_and_estimated_age")
        if born is None:
            return None if age is None else born_about(int(age), today=self._today)
        day = date.fromisoformat(born)
        rule = broken_birth_rule(day, today=self._today)
        if rule is not None:
            self.refuse("/birth_date", rule)
        return Birth(year=day.year, date=day)

    def _phone(self, pointer: str, value: Mapping[str, Any]) -> Phone:
        read = dialled(value["number"], country=self._house.country)
        if read is None:
            self.refuse(f"{pointer}/number", "phone_number")
        e164 = None if read is None else read.international
        return Phone(number=tidy(value["number"]), e164=e164, use=value.get("use", "mobile"))

    def _email(self, pointer: str, value: Mapping[str, Any]) -> Email:
        address = tidy(value["address"])
        if not is_email(address):
            self.refuse(f"{pointer}/address", "email")
        return Email(address=address, use=value.get("use", "home"))

    def _address(self, pointer: str, value: Mapping[str, Any]) -> Address:
        if not is_country(value["country"]):
            self.refuse(f"{pointer}/country", "country")
        return Address(
            use=value.get("use", "home"),
            lines=tuple(self._name(f"{pointer}/lines/{number}", line) for number, line in enumerate(value["lines"])),
            city=self._line(f"{pointer}/city", value.get("city")),
            district=self._line(f"{pointer}/district", value.get("district")),
            region=self._line(f"{pointer}/region", value.get("region")),
            postal_code=self._line(f"{pointer}/postal_code", value.get("postal_code")),
            country=value["country"],
        )

    def _zone(self, pointer: str, value: str) -> str:
        if not is_zone(value):
            self.refuse(pointer, "zone")
        return value

    def _identifier(self, pointer: str, value: Mapping[str, Any]) -> Identifier:
        kind = IdentifierType(value["type"])
        issuer = value.get("issuer") or (self._house.country if kind in ISSUED_BY_COUNTRY else "")
        given = identifier(type=kind, value=value["value"], issuer=issuer)
        broken = broken_rule(given)
        if not issuer:
            self.refuse(f"{pointer}/issuer", "required")
        elif broken is not None:
            self.refuse(f"{pointer}/{broken[0]}", broken[1])
        else:
            self._name(f"{pointer}/issuer", issuer)
        return given

    def _refuse_repeated(self, identifiers: Sequence[Identifier]) -> None:
        seen: set[str] = set()
        for number, each in enumerate(identifiers):
            if each.key in seen:
                self.refuse(f"/identifiers/{number}/value", "repeated")
            seen.add(each.key)

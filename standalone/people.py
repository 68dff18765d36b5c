"""Invented people for a demo: names of several scripts, phones that belong to nobody; the same for a seed.

Family and given names are put together by chance; a likeness to a living person is chance too. Phones come from ranges
kept for fiction (North America 555-01xx, London 7946 0xxx), mail from `example.org`.
"""

# ruff: noqa: RUF001 - names in their own letters are what this file is for

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

# Language and zone of the person, names for women, names for men, family names for women, family names for men.
_Names = tuple[str, str, list[str], list[str], list[str], list[str]]

_NAMES: list[_Names] = [
    ("en", "America/New_York", ["Grace", "Olive", "Hazel", "Ruth"], ["Walter", "Felix", "Miles", "Owen"],
     ["Whitlow", "Ashcombe", "Fairburn", "Pell"], ["Whitlow", "Ashcombe", "Fairburn", "Pell"]),
    ("de", "Europe/Berlin", ["Käthe", "Ursel", "Jördis", "Änne"], ["Jürgen", "Götz", "Björn", "Ruprecht"],
     ["Großkurth", "Müllershausen", "Ökonomidis", "Süßbier"], ["Großkurth", "Müllershausen", "Öhlenbach", "Süßbier"]),
    ("es", "Europe/Madrid", ["Begoña", "Nuria", "Inés", "Rocío"], ["Íñigo", "Ramón", "Adrián", "Andrés"],
     ["Núñez Peñalver", "Ibáñez", "Güell", "Zúñiga"], ["Núñez Peñalver", "Ibáñez", "Güell", "Zúñiga"]),
    ("pl", "Europe/Warsaw", ["Łucja", "Świętosława", "Jadwiga"], ["Władysław", "Zdzisław", "Grzegorz"],
     ["Źdźbłowska", "Łękawska", "Chrząszczewska"], ["Źdźbłowski", "Łękawski", "Chrząszczewski"]),
    ("tr", "Europe/Istanbul", ["Işıl", "Çiğdem", "Gülşen"], ["İlker", "Çağrı", "Oğuz"],
     ["Yıldızoğlu", "Şimşekçi", "Öztürkmen"], ["Yıldızoğlu", "Şimşekçi", "Öztürkmen"]),
    ("el", "Europe/Athens", ["Ευδοκία", "Καλλιόπη"], ["Αριστοτέλης", "Σπύρος"],
     ["Παπαδάκη", "Θεοδωρίδου"], ["Παπαδάκης", "Θεοδωρίδης"]),
    ("uk", "Europe/Kyiv", ["Соломія", "Їванна"], ["Ярослав", "Євген"],
     ["Ковальчук", "Гончаренко"], ["Ковальчук", "Гончаренко"]),
    ("ar", "Africa/Cairo", ["ليلى", "نورهان"], ["طارق", "يوسف"], ["المنصوري", "الحداد"], ["المنصوري", "الحداد"]),
    ("he", "Asia/Jerusalem", ["נעמה", "שירה"], ["אוריאל", "יהונתן"], ["בן־דרור", "אלקלעי"], ["בן־דרור", "אלקלעי"]),
    ("hi", "Asia/Kolkata", ["अनन्या", "मीनाक्षी"], ["आरव", "सिद्धार्थ"], ["त्रिपाठी", "चतुर्वेदी"], ["त्रिपाठी", "चतुर्वेदी"]),
    ("zh", "Asia/Shanghai", ["雨桐", "思涵"], ["浩然", "子轩"], ["欧阳", "慕容"], ["欧阳", "慕容"]),
    ("ja", "Asia/Tokyo", ["さくら", "美咲"], ["健太", "翔"], ["五十嵐", "長谷川"], ["五十嵐", "長谷川"]),
    ("ko", "Asia/Seoul", ["서연", "지우"], ["민준", "도윤"], ["황보", "남궁"], ["황보", "남궁"]),
    ("vi", "Asia/Ho_Chi_Minh", ["Nguyệt Ánh", "Phương"], ["Đức Thịnh", "Quốc Bảo"],
     ["Trần", "Đặng"], ["Trần", "Đặng"]),
]  # fmt: skip

_STREETS = ["Invented Lane", "Sample Street", "Placeholder Road", "Specimen Square"]
_TOWNS = [("Northbridge", "US", "00501"), ("Eastmere", "US", "00544"), ("Lower Fenwick", "US", "00601")]
_OLDEST_DAYS = 96 * 365

_PENICILLIN = {"display": "Penicillin", "system": "http://snomed.info/sct", "code": "764146007"}
_ALLERGIES: list[dict[str, Any]] = [
    {"substance": _PENICILLIN, "category": "medication", "criticality": "high", "certainty": "confirmed"},
    {"substance": {"display": "Peanut"}, "category": "food", "criticality": "high", "certainty": "confirmed"},
    {"substance": {"display": "Birch pollen"}, "category": "environment", "criticality": "low",
     "certainty": "confirmed"},
    {"substance": {"display": "Natural rubber latex"}, "category": "environment", "criticality": "unable_to_assess",
     "certainty": "presumed"},
    {"substance": {"display": "Iodine contrast medium"}, "category": "medication", "criticality": "high",
     "certainty": "unconfirmed"},
]  # fmt: skip

_ICD = "http://hl7.org/fhir/sid/icd-10"
_PROBLEMS: list[dict[str, Any]] = [
    {"condition": {"display": "Type 2 diabetes mellitus", "system": _ICD, "code": "E11.9"}, "certainty": "confirmed"},
    {"condition": {"display": "Essential hypertension", "system": _ICD, "code": "I10"}, "certainty": "confirmed"},
    {"condition": {"display": "Asthma", "system": _ICD, "code": "J45.9"}, "certainty": "confirmed"},
    {"condition": {"display": "Migraine", "system": _ICD, "code": "G43.9"}, "certainty": "provisional"},
    {"condition": {"display": "Tired since spring"}, "certainty": "unconfirmed"},
]


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person: what reception registers, and what the ward writes down.

    allergies: None when nobody has asked, empty when somebody has and there are none.
    """

    number: int
    registration: Mapping[str, Any]
    allergies: tuple[Mapping[str, Any], ...] | None
    problems: tuple[Mapping[str, Any], ...] = field(default=())


def invented(count: int, *, seed: int, today: date) -> Iterator[Person]:
    """So many people, the same ones for the same seed and day."""
    chance = random.Random(seed)  # noqa: S311 - the same people for the same seed is what is wanted
    for number in range(count):
        yield _person(number, chance=chance, today=today)


def _person(number: int, *, chance: random.Random, today: date) -> Person:
    language, zone, women, men, their_families, his_families = _NAMES[number % len(_NAMES)]
    gender = chance.choices(["female", "male", "other", "unknown"], weights=[48, 48, 3, 1])[0]
    is_man = gender == "male" or (gender != "female" and chance.random() < 0.5)
    born = today - timedelta(days=chance.randrange(_OLDEST_DAYS))
    town, country, postal_code = chance.choice(_TOWNS)
    registration = {
        "family_name": chance.choice(his_families if is_man else their_families),
        "given_name": chance.choice(men if is_man else women),
        "administrative_gender": gender,
        "birth_date": born.isoformat(),
        "phones": [{"number": _phone(chance), "use": "mobile"}],
        "emails": [{"address": f"person{number:04d}@example.org", "use": "home"}],
        "addresses": [
            {
                "use": "home",
                "lines": [f"{chance.randrange(1, 200)} {chance.choice(_STREETS)}"],
                "city": town,
                "postal_code": postal_code,
                "country": country,
            }
        ],
        "language": language,
        "zone": zone,
        "contact_preference": chance.choice(["phone", "email", "sms"]),
        # Twins of chance are welcome in a demo; reception would be asked.
        "confirm_duplicate": True,
    }
    asked = chance.random()
    allergies = None if asked < 0.15 else () if asked < 0.5 else tuple(chance.sample(_ALLERGIES, chance.randint(1, 2)))
    problems = tuple(chance.sample(_PROBLEMS, chance.choice([0, 0, 1, 1, 2])))
    return Person(number, registration, allergies, problems)


def _phone(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return f"+1 {chance.choice(['202', '312', '415'])} 555 01{chance.randrange(100):02d}"
    return f"+44 20 7946 0{chance.randrange(1000):03d}"

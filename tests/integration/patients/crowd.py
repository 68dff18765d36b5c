"""A whole town of patients, put into the database in one go: names with the weights of real life, in several scripts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import orjson
import psycopg

from services.kernel.identifiers import uuid7
from services.patients import model
from services.patients.repository import _keys, _row

_FAMILY = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson"
    " Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Müller Schmidt Schneider Fischer Weber Nguyen"
    " O'Brien Иванов Петров Сидорова Παπαδόπουλος محمود חסן 山田 佐藤 王 李 김 Åberg Łukasiewicz"
).split()
_GIVEN = (
    "John Mary Robert Patricia James Jennifer Michael Linda William Elizabeth David Barbara Richard Susan Joseph Jessica"
    " Anna Peter Zoë Jürgen Anne-Marie Иван Мария Γιώργος محمد שרה 太郎 花子 伟 민수"
).split()
_SYLLABLES = "ba ko ri ten sal mor vin dal ker po lu hen gar tis wo ster field man sen ov ham ley ton".split()


def people(number: int, *, seed: int = 7) -> Iterator[model.Patient]:
    """So many patients, the same ones for the same seed; a few names are those of very many."""
    dice = random.Random(seed)  # noqa: S311 - test material
    families = _FAMILY + ["".join(dice.choices(_SYLLABLES, k=3)).title() for _ in range(8000)]
    given = _GIVEN + ["".join(dice.choices(_SYLLABLES, k=2)).title() for _ in range(800)]
    family_weights = [1 / (place + 8) for place in range(len(families))]
    given_weights = [1 / (place + 4) for place in range(len(given))]
    start, at = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    for place in range(number):
        born = date(1930, 1, 1) + timedelta(days=dice.randrange(34000))
        person = model.Demographics(
            family_name=dice.choices(families, family_weights)[0],
            given_name=dice.choices(given, given_weights)[0],
            middle_name=dice.choice(_GIVEN) if dice.random() < 0.3 else None,
            administrative_gender=dice.choice(list(model.Gender)),
            birth=model.Birth(year=born.year, date=born),
            phones=(_phone(place),),
        )
        when = start + timedelta(milliseconds=place)
        yield model.register(person, id=uuid7(when, dice.randbytes(10)), number=2000000 + place, at=at)


def settle(postgres_url: str, patients: Iterator[model.Patient], *, house: model.House) -> None:
    """Put patients and their search keys into the database, and let it count what it has."""
    with psycopg.connect(postgres_url) as admin:
        admin.execute("CREATE TEMP TABLE settling (record jsonb, keys jsonb) ON COMMIT DROP")
        with admin.cursor().copy("COPY settling FROM STDIN") as copy:
            for patient in patients:
                row = _row(patient)
                copy.write_row((orjson.dumps(row).decode(), orjson.dumps(_keys(patient, house=house)).decode()))
        for table, column in (("patients", "record"), ("search_keys", "keys")):
            columns = f"SELECT (jsonb_populate_record(NULL::{table}, {column})).* FROM settling"
            admin.execute(f"INSERT INTO {table} {columns}".encode())
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("VACUUM ANALYZE patients, search_keys")


def _phone(place: int) -> model.Phone:
    digits = f"555{place:07d}"
    return model.Phone(number=f"({digits[:3]}) {digits[3:6]}-{digits[6:]}", e164=f"+1{digits}", use="mobile")

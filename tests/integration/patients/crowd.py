"""A whole town of patients, put into the database in one go: names as common as in life, in several scripts."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

import orjson
import psycopg

from services.kernel.identifiers import uuid7
from services.patients import model
from services.patients.repository.records import _keys, _row
from tests.integration.patients import making


def _words(text: str) -> list[str]:
    return text.split()


_FAMILY = _words(
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson"
    " Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Müller Schmidt Schneider Fischer"
    " Weber Nguyen O'Brien Иванов Петров Сидорова Παπαδόπουλος محمود חסן 山田 佐藤 王 李 김 Åberg Łukasiewicz"
)
_GIVEN = _words(
    "John Mary Robert Patricia James Jennifer Michael Linda William Elizabeth David Barbara Richard Susan Joseph"
    " Jessica Anna Peter Zoë Jürgen"
    " Anne-Marie Иван Мария Γιώργος محمد שרה 太郎 花子 伟 민수"
)
_SYLLABLES = _words("ba ko ri ten sal mor vin dal ker po lu hen gar tis wo ster field man sen ov ham ley ton")

# What people type, by kind.
SEARCHES: dict[str, list[dict[str, object]]] = {
    "name with slips": [{"text": "jhon smit"}, {"text": "micheal jonson"}, {"text": "elisabet garcai"}],
    "common name": [{"text": "smith"}, {"text": "john"}, {"text": "maria garcia"}],
    "part of a name": [{"text": "smi jo"}, {"text": "gar"}, {"text": "field"}],
    "one letter": [{"text": "j"}, {"text": "j s"}],
    "other scripts": [{"text": "иван петров"}, {"text": "山田太郎"}, {"text": "王"}, {"text": "محمد"}],
    "phone": [{"phone": "+1 (555) 000-1234"}, {"text": "5550004321"}],
    "birth date": [{"birth_date": "1984-11-05"}, {"text": "smith 1984-11-05"}],
    "record number": [{"mrn": "20000014"}],
    "nobody": [{"text": "xqzw vbnm"}],
}


def people(number: int, *, seed: int = 7) -> Iterator[model.Patient]:
    """So many patients, the same ones for the same seed; a few names are those of very many."""
    dice = random.Random(seed)
    families = _FAMILY + ["".join(dice.choices(_SYLLABLES, k=3)).title() for _ in range(8000)]
    given = _GIVEN + ["".join(dice.choices(_SYLLABLES, k=2)).title() for _ in range(800)]
    family_weights = list(accumulate(1 / (place + 8) for place in range(len(families))))
    given_weights = list(accumulate(1 / (place + 4) for place in range(len(given))))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for place in range(number):
        born = date(1930, 1, 1) + timedelta(days=dice.randrange(34000))
        person = model.Demographics(
            family_name=dice.choices(families, cum_weights=family_weights)[0],
            given_name=dice.choices(given, cum_weights=given_weights)[0],
            middle_name=dice.choice(_GIVEN) if dice.random() < 0.3 else None,
            administrative_gender=dice.choice(list(model.Gender)),
            birth=model.Birth(year=born.year, date=born),
            phones=(_phone(place),),
        )
        when = start + timedelta(milliseconds=place)
        yield model.register(person, id=uuid7(when, dice.randbytes(10)), number=2000000 + place, at=start)


def settle(postgres_url: str, patients: Iterable[model.Patient], *, copies: int = 1) -> None:
    """Put patients and their search keys into the database, each so many times, and let it count what it has.

    A copy has its own id and number. Real searches then meet more people of one name than a town of that size has.
    """
    with psycopg.connect(postgres_url) as admin:
        admin.execute("CREATE TEMP TABLE settling (record jsonb, keys jsonb) ON COMMIT DROP")
        with admin.cursor().copy("COPY settling FROM STDIN") as copy:
            for each in patients:
                record, keys = orjson.dumps(_row(each)), orjson.dumps(_keys(each, house=making.HOUSE))
                copy.write_row((record.decode(), keys.decode()))
        admin.execute(_COPIED, {"copies": copies})
        # An index is built from all rows at once in a tenth of the time that it takes to grow row by row.
        (definition,) = admin.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [_INDEX]).fetchone()
        admin.execute(f"DROP INDEX {_INDEX}".encode())
        for table, column in (("patients", "record"), ("search_keys", "keys")):
            columns = f"SELECT (jsonb_populate_record(NULL::{table}, {column})).* FROM copied"
            admin.execute(f"INSERT INTO {table} {columns}".encode())
        admin.execute("SET LOCAL maintenance_work_mem = '256MB'")
        admin.execute(definition.encode())
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("VACUUM ANALYZE patients, search_keys")


_INDEX = "search_keys_found_by"
_COPIED = """
CREATE TEMP TABLE copied ON COMMIT DROP AS
SELECT record || jsonb_build_object('id', id, 'mrn', (record ->> 'mrn') || number) AS record,
       keys || jsonb_build_object('patient_id', id) AS keys
FROM (SELECT record, keys, number, gen_random_uuid() AS id FROM settling, generate_series(1, %(copies)s) number) made
"""


def _phone(place: int) -> model.Phone:
    digits = f"555{place:07d}"
    return model.Phone(number=f"({digits[:3]}) {digits[3:6]}-{digits[6:]}", e164=f"+1{digits}", use="mobile")

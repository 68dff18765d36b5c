"""Things that the tests of the patients make: bodies, records, and a look into the store."""

from __future__ import annotations

import hashlib
import itertools
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from services.chassis.call import Call
from services.chassis.schemas import Schema
from services.chassis.service import new_id
from services.chassis.testing import Got, House
from services.kernel.access import Actor
from services.patients import model

HOUSE = model.House(country="US", zone=ZoneInfo("UTC"))
NOBODY = "01939c3e-0000-7000-8000-0000000000ff"
_TABLES = (
    "patients",
    "birth_checks",
    "patients_history",
    "identifier_claims",
    "search_keys",
    "known",
    "doctor_accounts",
    "inbox",
    "outbox",
    "idempotency",
)
_numbers = itertools.count(1)


def environ(postgres_url: str, redis_url: str) -> dict[str, str]:
    """The settings of the service under test."""
    return {
        "DATABASE_URL": postgres_url,
        "BUS_URL": redis_url,
        "IDENTITY_URL": "http://127.0.0.1:9",
        "SERVICE_SECRET": "not used here",
        "DOCTORS_URL": "http://127.0.0.1:9",
        "HOME_COUNTRY": "US",
    }


def empty(postgres_url: str) -> None:
    """Forget every record, past the triggers that keep the history and past foreign keys."""
    with psycopg.connect(postgres_url) as admin:
        admin.execute("SET LOCAL session_replication_role = replica")
        for table in _TABLES:
            admin.execute(f"DELETE FROM {table}".encode())


def rows(house: House, table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    url = house.service.settings.database_url.get_secret_value()
    with psycopg.connect(url, row_factory=dict_row) as admin:
        return admin.execute(f"SELECT * FROM {table} ORDER BY 1, 2".encode()).fetchall()


def written(house: House) -> dict[str, int]:
    """How many rows each table has, for `nothing was written`."""
    return {
        table: len(rows(house, table)) for table in ("patients", "patients_history", "identifier_claims", "search_keys")
    }


def body(**given: Any) -> dict[str, Any]:
    """A person nobody else is like, as a receptionist would send it; a field that is given as None is left out."""
    number = next(_numbers)
    digest = hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()
    letters = digest.translate(str.maketrans("0123456789", "ghijklmnop"))
    made: dict[str, Any] = {
        "family_name": letters[:10].title(),
        "given_name": letters[10:18].title(),
        "administrative_gender": "female",
        "birth_date": f"{1930 + number % 80}-{1 + number % 12:02d}-{1 + number % 28:02d}",
    }
    return {name: value for name, value in (made | given).items() if value is not None}


def call(*, at: datetime) -> Call:
    """A call of somebody who may read, at another time than now."""
    actor = Actor(subject="test", permissions=frozenset({"patients.read"}))
    return Call(id=new_id(), operation="test", action="read", actor=actor, at=at, request_id="test")


def fits(house: House, operation_id: str, got: Got) -> Got:
    """The answer, after a look whether the contract describes it."""
    answer = house.contract.operations[operation_id].document["responses"][str(got.status)]
    (media,) = answer["content"].values()
    errors = Schema(media["schema"], house.contract.document["components"]).errors(got.body)
    assert errors == [], (operation_id, got.status, errors)
    return got


def registered(house: House, **given: Any) -> dict[str, Any]:
    """A record that stands."""
    got = house.call("register_patient", body=body(**given))
    assert got.status == 201, got.raw
    return got.body


def found(house: House, **search: Any) -> list[str]:
    """The ids that a search finds, best first."""
    got = house.call("search_patients", body=search)
    assert got.status == 200, got.raw
    return [hit["patient"]["id"] for hit in got.body["items"]]


def multiply(postgres_url: str, times: int) -> None:
    """Copy the one record that stands, under new ids and numbers, with its search keys."""
    with psycopg.connect(postgres_url) as admin:
        admin.execute(
            b"INSERT INTO patients SELECT (jsonb_populate_record(one, jsonb_build_object("
            b"'id', gen_random_uuid(), 'mrn', 'copy' || number))).* FROM patients one, generate_series(1, %d) number"
            % times
        )
        admin.execute(
            b"INSERT INTO search_keys SELECT patients.id, 1, true, sort_name, found_by"
            b" FROM patients, search_keys WHERE patients.id <> search_keys.patient_id"
        )


def count(postgres_url: str) -> int:
    """How many patients can be searched for."""
    with psycopg.connect(postgres_url) as admin:
        (found,) = admin.execute("SELECT count(*) FROM search_keys").fetchone() or (0,)
        return int(found)

"""Registering a patient, through the whole application and into PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import orjson
import pytest

from services.chassis.service import now
from services.kernel.identifiers import is_checked
from tests.integration.patients import making

PASSPORT = [{"type": "passport", "value": "C01X00T47", "issuer": "DE"}]
JOHN = {"family_name": "Smith", "given_name": "John", "birth_date": "1984-11-05"}


def at_once(number, act):
    """Call a function from many threads at the same moment; the answers in order."""
    barrier = threading.Barrier(number)

    def run(each):
        barrier.wait()
        return act(each)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


@pytest.mark.row("PAT-01")
def test_registering_gives_a_unique_number_also_to_fifty_at_once_and_names_a_missing_field(house):
    bodies = [making.body() for _ in range(50)]
    first = house.call("register_patient", body=making.body())
    got = at_once(50, lambda each: house.call("register_patient", body=bodies[each]))
    assert [each.status for each in [first, *got]] == [201] * 51
    numbers = {each.body["mrn"] for each in [first, *got]}
    assert len(numbers) == 51
    assert all(is_checked(number) for number in numbers)
    for field in ("family_name", "given_name", "administrative_gender", "birth_date"):
        refused = house.call("register_patient", body=making.body(**{field: None}))
        assert refused.status == 422
        assert {"pointer": f"/{field}", "rule": "required"} in refused.body["errors"]
    assert len(making.rows(house, "patients")) == 51


def test_a_record_comes_back_as_it_was_said(house):
    said = making.body(
        family_name="A\u030angstro\u0308m",
        given_name="Zoë",
        middle_name="Maria",
        prefix="Dr.",
        sex_at_birth="female",
        phones=[{"number": "+49 30 5550101", "use": "home"}],
        emails=[{"address": "zoe@example.org", "use": "work"}],
        addresses=[
            {"use": "home", "lines": ["Musterweg 1"], "city": "Berlin", "postal_code": "10115", "country": "DE"}
        ],
        language="de",
        zone="Europe/Berlin",
        contact_preference="email",
        identifiers=PASSPORT,
    )
    got = house.call("register_patient", body=said)
    assert (got.status, got.headers["etag"]) == (201, '"1"')
    assert got.headers["location"] == f"/api/v1/patients/{got.body['id']}"
    read = house.call("get_patient", patient_id=got.body["id"])
    assert read.body == got.body
    assert read.headers["etag"] == '"1"'
    assert (read.body["family_name"], read.body["phones"][0]["e164"]) == ("Ångström", "+49305550101")
    assert {name: read.body[name] for name in ("language", "zone", "contact_preference", "identifiers", "prefix")} == {
        "language": "de",
        "zone": "Europe/Berlin",
        "contact_preference": "email",
        "identifiers": PASSPORT,
        "prefix": "Dr.",
    }


@pytest.mark.row("PAT-03")
def test_identifiers_have_a_format_and_belong_to_one_record(house):
    national = [{"type": "national_id", "value": "123-45-6789", "issuer": "US"}]
    first = making.registered(house, identifiers=national + PASSPORT)
    taken = house.call("register_patient", body=making.body(identifiers=[national[0] | {"value": "123456789"}]))
    assert (taken.status, taken.body["code"]) == (409, "identifier_taken")
    assert taken.body["facts"] == {"patient_id": first["id"], "mrn": first["mrn"]}
    assert taken.body["errors"] == [{"pointer": "/identifiers/0/value", "rule": "unique"}]
    blind = house.call("register_patient", role="kiosk", body=making.body(identifiers=national))
    assert (blind.status, blind.body["code"]) == (409, "identifier_taken")
    assert first["mrn"] not in blind.raw.decode()
    assert first["id"] not in blind.raw.decode()
    other = making.registered(house, identifiers=[PASSPORT[0] | {"issuer": "FR"}])
    moved = house.call("update_patient", patient_id=other["id"], version=1, body={"identifiers": PASSPORT})
    assert (moved.status, moved.body["facts"]["mrn"]) == (409, first["mrn"])
    for wrong in ({"value": "000-45-6789"}, {"type": "passport", "value": "C01X00T47X"}, {"issuer": "ZZ"}):
        refused = house.call("register_patient", body=making.body(identifiers=[national[0] | wrong]))
        assert refused.status == 422
        assert refused.body["errors"][0]["pointer"].startswith("/identifiers/0/")


def test_an_identifier_belongs_to_one_record_also_when_many_ask_at_once(house):
    got = at_once(8, lambda _: house.call("register_patient", body=making.body(identifiers=PASSPORT)))
    assert sorted(each.status for each in got) == [201] + [409] * 7
    (winner,) = (each.body["mrn"] for each in got if each.status == 201)
    assert {each.body["facts"]["mrn"] for each in got if each.status == 409} == {winner}
    assert len(making.rows(house, "patients")) == len(making.rows(house, "identifier_claims")) == 1


TWINS = [
    ({"identifiers": PASSPORT}, {"identifiers": PASSPORT, "birth_date": "1990-01-01"}, ["identifier"]),
    ({}, {}, ["name_and_birth_date"]),
    (
        {"phones": [{"number": "+1 (555) 010-1234"}]},
        {"phones": [{"number": "5550101234"}], "birth_date": "1990-01-01"},
        ["name_and_phone"],
    ),
]


@pytest.mark.row("PAT-05")
def test_a_likely_duplicate_is_shown_and_kept_only_when_confirmed(house):
    for family_name, (known, twin, reasons) in zip(("Abbott", "Brown", "Curie"), TWINS, strict=True):
        name = JOHN | {"family_name": family_name}
        first = making.registered(house, **name | known)
        before = making.written(house)
        warned = house.call("register_patient", body=making.body(**name | twin))
        assert warned.status == 200
        (candidate,) = warned.body["candidates"]
        assert (candidate["patient"]["id"], candidate["reasons"]) == (first["id"], reasons)
        assert 80 <= candidate["score"] <= 100
        assert making.written(house) == before
        own = {key: value for key, value in twin.items() if key != "identifiers"}  # of those there is only one
        saved = house.call("register_patient", body=making.body(**name | own, confirm_duplicate=True))
        assert saved.status == 201
        assert saved.body["mrn"] != first["mrn"]


def test_a_warning_tells_who_may_not_read_only_how_many_there_are(house):
    making.registered(house, **JOHN)
    warned = house.call("register_patient", role="kiosk", body=making.body(**JOHN))
    assert (warned.status, warned.body) == (200, {"saved": False, "candidates": [], "hidden": 1})


def test_one_key_registers_once(house):
    body, key = making.body(), str(uuid4())
    first = house.call("register_patient", body=body, key=key)
    again = house.call("register_patient", body=body, key=key)
    assert (again.status, again.body, again.headers["idempotency-replayed"]) == (201, first.body, "true")
    assert again.headers["location"] == first.headers["location"]
    other = house.call("register_patient", body=making.body(), key=key)
    assert (other.status, other.body["code"]) == (422, "key_reused")
    assert len(making.rows(house, "patients")) == 1


def test_the_record_its_history_its_audit_entry_and_its_event_are_one(house):
    made = making.registered(house, identifiers=PASSPORT)
    (version,) = making.rows(house, "patients_history")
    assert (str(version["patient_id"]), version["version"], version["operation"]) == (made["id"], 1, "register_patient")
    assert version["record"]["identifiers"] == PASSPORT
    told = {row["type"]: orjson.loads(row["event"]) for row in making.rows(house, "outbox")}
    assert told.keys() == {"patients.registered.v1", "audit.recorded.v1"}
    assert (told["patients.registered.v1"]["subject"], told["patients.registered.v1"]["data"]) == (made["id"], {})
    assert told["audit.recorded.v1"]["data"]["patient_id"] == made["id"]
    assert made["family_name"] not in str(told)


@pytest.mark.row("PAT-02")
def test_an_estimated_age_is_kept_as_a_year_and_grows_with_the_years(house):
    made = making.registered(house, birth_date=None, estimated_age=40)
    assert (made["birth_date"], made["birth_estimated"], made["age_years"]) == (None, True, 40)
    (row,) = making.rows(house, "patients")
    assert (row["birth_date"], row["birth_year"]) == (None, now().year - 40)
    next_year = making.call(at=datetime(now().year + 1, 1, 2, tzinfo=UTC))
    assert house.service.controller.get_patient(made["id"], next_year).body["age_years"] == 41
    exact = making.registered(house, birth_date="1984-11-05")
    assert (exact["birth_date"], exact["birth_estimated"]) == ("1984-11-05", False)


def test_every_answer_is_as_the_contract_says(house):
    said = {"identifiers": PASSPORT, "phones": [{"number": "112"}], "emails": [{"address": "a@b.example"}]}
    said["addresses"] = [{"lines": ["Musterweg 1"], "country": "DE"}]
    record = making.fits(
        house, "register_patient", house.call("register_patient", body=making.body(**JOHN | said))
    ).body
    again = house.call("register_patient", body=making.body(**JOHN | said))
    taken = house.call("register_patient", body=making.body(identifiers=PASSPORT))
    wrong = house.call("register_patient", body=making.body(zone="Europe/Atlantis"))
    for got, status in ((again, 200), (taken, 409), (wrong, 422)):
        assert got.status == status
        making.fits(house, "register_patient", got)
    known = {"patient_id": record["id"]}
    changed = {"middle_name": "Q", "addresses": [], "birth_date": "1984-11-06"}
    making.fits(house, "update_patient", house.call("update_patient", **known, version=1, body=changed))
    making.fits(house, "update_patient", house.call("update_patient", **known, version=1, body=changed))
    died = {"deceased_on": "2020-01-01"}
    making.fits(house, "mark_deceased", house.call("mark_deceased", **known, version=2, body=died))
    reason = {"reason": "other"}
    making.fits(house, "deactivate_patient", house.call("deactivate_patient", **known, version=3, query=reason))
    making.fits(house, "restore_patient", house.call("restore_patient", **known, version=4))
    for operation in ("get_patient", "get_patient_standing", "list_patient_changes"):
        got = making.fits(house, operation, house.call(operation, **known))
        assert got.status == 200
    making.fits(house, "search_patients", house.call("search_patients", body={"text": "smith"}))

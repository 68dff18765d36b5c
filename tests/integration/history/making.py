"""Things that the tests of the history make: bodies, patients, and a look into the store."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from services.chassis.testing import Got, House

PATIENT = "01939c3e-0000-7000-8000-000000000001"
OTHER = "01939c3e-0000-7000-8000-000000000002"
NOBODY = "01939c3e-0000-7000-8000-0000000000ff"
SNOMED, ICD_10 = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10"


def allergy(display: str = "Penicillin", **given: Any) -> dict[str, Any]:
    """An allergy as a nurse would send it."""
    body = {
        "substance": {"display": display},
        "category": "medication",
        "criticality": "high",
        "certainty": "confirmed",
        "reactions": [
            {"manifestation": {"display": "Urticaria", "system": ICD_10, "code": "L50.9"}, "severity": "mild"}
        ],
    }
    return body | given


def problem(display: str = "Type 2 diabetes", **given: Any) -> dict[str, Any]:
    """A problem as a doctor would send it."""
    return {"condition": {"display": display, "system": ICD_10, "code": "E11.9"}, "certainty": "confirmed"} | given


def add_allergy(house: House, display: str = "Penicillin", **given: Any) -> dict[str, Any]:
    """An allergy that stands."""
    got = house.call("add_allergy", patient_id=PATIENT, body=allergy(display, **given))
    assert got.status == 201, got.raw
    return got.body


def add_problem(house: House, **given: Any) -> dict[str, Any]:
    """A problem that stands."""
    got = house.call("add_problem", patient_id=PATIENT, body=problem(**given))
    assert got.status == 201, got.raw
    return got.body


def asked(house: House) -> str:
    """What is known of the patient's allergies as a whole."""
    return str(house.call("get_allergy_statement", patient_id=PATIENT).body["asked"])


def shown(got: Got) -> list[str]:
    """The words of the items of a list."""
    return [(each.get("substance") or each["condition"])["display"] for each in got.body["items"]]


def database(house: House) -> Any:
    """The Mongo database of the house."""
    return house.service.controller._store._documents.database


def sent(house: House) -> list[dict[str, Any]]:
    """Every envelope in the outbox, in its order."""
    found = database(house)["outbox"].find().sort([("recorded_at", 1), ("number", 1)])
    return [orjson.loads(row["event"]) for row in found]


def entries(house: House) -> list[dict[str, Any]]:
    """What every audit entry in the outbox says."""
    return [each["data"] for each in sent(house) if each["type"] == "audit.recorded.v1"]


def empty(house: House) -> None:
    """Forget everything."""
    for name in ("allergies", "problems", "allergy_statements", "revisions", "outbox", "inbox", "idempotency"):
        database(house)[name].delete_many({})


def revisions(house: House, kind: str, id_: str) -> list[dict[str, Any]]:
    """Every version of one thing, as it was."""
    found = database(house)["revisions"].find({"_id.kind": kind, "_id.id": UUID(id_)}).sort("_id.version", 1)
    return [each["document"] for each in found]

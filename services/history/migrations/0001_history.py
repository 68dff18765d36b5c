"""Collections of the history with their validators and indexes. Frozen: a change is a new script."""

from __future__ import annotations

from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database

from services.chassis import mongo

_WORDS = {"bsonType": "string", "minLength": 1}
_WORDS_OR_NOTHING = {"bsonType": ["string", "null"]}
_ID = {"bsonType": "binData"}
_TIME = {"bsonType": "date"}
_COUNT = {"bsonType": ["int", "long"]}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "bsonType": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }


_CODING = _object(display=_WORDS, system=_WORDS_OR_NOTHING, code=_WORDS_OR_NOTHING)
_ENTRY = {
    "_id": _ID,
    "patient_id": _ID,
    "status": {"enum": ["active", "resolved", "entered_in_error"]},
    "reason": _WORDS_OR_NOTHING,
    "onset": _WORDS_OR_NOTHING,
    "note": _WORDS_OR_NOTHING,
    "recorded_at": _TIME,
    "recorded_by": _WORDS,
    "changed_at": _TIME,
    "changed_by": _WORDS,
    "version": {**_COUNT, "minimum": 1},
}
_VALIDATORS = {
    "allergies": _object(
        **_ENTRY,
        substance=_CODING,
        category={"enum": ["food", "medication", "environment", "biologic"]},
        criticality={"enum": ["low", "high", "unable_to_assess"]},
        certainty={"enum": ["unconfirmed", "presumed", "confirmed"]},
        reactions={
            "bsonType": "array",
            "items": _object(manifestation=_CODING, severity={"enum": ["mild", "moderate", "severe", None]}),
        },
    ),
    "problems": _object(
        **_ENTRY,
        condition=_CODING,
        certainty={"enum": ["unconfirmed", "provisional", "differential", "confirmed"]},
        resolved_on=_WORDS_OR_NOTHING,
    ),
    "allergy_statements": _object(
        _id=_ID,
        asked={"enum": ["not_asked", "none_known", "has_allergies"]},
        active={**_COUNT, "minimum": 0},
        stated_at={"bsonType": ["date", "null"]},
        stated_by=_WORDS_OR_NOTHING,
        reason=_WORDS_OR_NOTHING,
        version={**_COUNT, "minimum": 1},
    ),
    "revisions": _object(
        _id=_object(kind={"enum": ["allergies", "problems", "allergy_statements"]}, id=_ID, version=_COUNT),
        patient_id=_ID,
        at=_TIME,
        by=_WORDS,
        operation=_WORDS,
        document={"bsonType": "object"},
    ),
}
_OF_PATIENT = [("patient_id", ASCENDING), ("status", ASCENDING), ("_id", DESCENDING)]
_INDEXES = {
    "allergies": [IndexModel(_OF_PATIENT, name="allergies_of_patient")],
    "problems": [IndexModel(_OF_PATIENT, name="problems_of_patient")],
    "revisions": [IndexModel([("patient_id", ASCENDING), ("at", DESCENDING)], name="revisions_of_patient")],
}


def up(database: Database[dict[str, Any]]) -> None:
    """Make what is missing; a run that was killed in the middle may be repeated."""
    mongo.create_technical_collections_v1(database)
    there = set(database.list_collection_names())
    for name, schema in _VALIDATORS.items():
        validator = {"$jsonSchema": schema}
        if name in there:
            database.command("collMod", name, validator=validator, validationLevel="strict", validationAction="error")
        else:
            database.create_collection(name, validator=validator, validationLevel="strict", validationAction="error")
    for name, indexes in _INDEXES.items():
        database[name].create_indexes(indexes)

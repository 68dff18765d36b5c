"""What the store promises: all or nothing, one winner of two, only documents of the rules, no operators."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pymongo
import pytest

from services.chassis import mongo
from services.chassis.schemas import Schema
from services.chassis.spec import events
from services.history import app
from tests.integration.history import making
from tests.integration.history.making import PATIENT


def at_once(*calls):
    """Make calls that start at one moment, each in a thread of its own."""
    barrier = Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [each.result() for each in [threads.submit(run, call) for call in calls]]


@pytest.mark.parametrize("_round", range(5))
def test_none_known_and_an_allergy_at_once_cannot_both_stand(house, _round):
    """Whoever comes second sees the first: the declaration is refused, or the allergy ends it."""
    declared, added = at_once(
        lambda: house.call("declare_no_known_allergies", patient_id=PATIENT),
        lambda: house.call("add_allergy", patient_id=PATIENT, body=making.allergy()),
    )
    assert added.status == 201
    assert declared.status in {200, 409}
    statement = house.call("get_allergy_statement", patient_id=PATIENT).body
    assert (statement["asked"], statement["active_allergies"]) == ("has_allergies", 1)
    assert statement["version"] == (2 if declared.status == 200 else 1)


@pytest.mark.parametrize("_round", range(3))
def test_of_many_who_add_the_same_allergy_at_once_one_wins(house, _round):
    answers = at_once(*[lambda: house.call("add_allergy", patient_id=PATIENT, body=making.allergy())] * 6)
    assert sorted(each.status for each in answers if each.status != 503)[:1] == [201]
    assert [each.status for each in answers].count(201) == 1
    assert {each.status for each in answers} <= {201, 409, 503}
    assert making.database(house)["allergies"].count_documents({"status": "active"}) == 1


def test_of_two_who_change_one_version_at_once_one_wins(house):
    allergy = making.add_allergy(house)
    where = {"patient_id": PATIENT, "allergy_id": allergy["id"], "version": 1, "body": {"reason": "x"}}
    answers = at_once(
        lambda: house.call("resolve_allergy", **where),
        lambda: house.call("mark_allergy_entered_in_error", **where),
    )
    assert sorted(each.status for each in answers) == [200, 412]
    assert [each["version"] for each in making.revisions(house, "allergies", allergy["id"])] == [1, 2]


def test_record_revision_event_and_audit_entry_stand_together(house):
    allergy = making.add_allergy(house)
    database = making.database(house)
    assert database["allergies"].count_documents({}) == 1
    assert database["revisions"].count_documents({}) == 2  # of the allergy and of the statement
    told = making.sent(house)
    assert [each["type"] for each in told] == ["history.allergy_recorded.v1", "audit.recorded.v1"]
    assert (told[0]["subject"], told[0]["data"]) == (allergy["id"], {"patient_id": PATIENT})


def test_what_is_refused_leaves_nothing_but_its_entry_in_the_trail(house):
    making.add_allergy(house)
    database = making.database(house)
    before = {name: database[name].count_documents({}) for name in database.list_collection_names()}
    assert house.call("add_allergy", patient_id=PATIENT, body=making.allergy()).status == 409
    after = {name: database[name].count_documents({}) for name in database.list_collection_names()}
    assert after == before | {"outbox": before["outbox"] + 1}
    assert making.entries(house)[-1]["outcome"] == "failed"


def test_all_that_is_told_fits_its_schema_and_holds_no_finding(house):
    """Every event of the history is made once; what a patient has is in none of them."""
    canary = "canary-xyz"
    house.call("declare_no_known_allergies", patient_id=PATIENT)
    house.call("withdraw_no_known_allergies", patient_id=PATIENT, version=1, body={"reason": canary})
    for end, name in (("resolve_allergy", "a"), ("mark_allergy_entered_in_error", "b")):
        allergy = making.add_allergy(house, f"{canary} {name}", note=canary)
        where = {"patient_id": PATIENT, "allergy_id": allergy["id"], "version": 1}
        assert house.call(end, **where, body={"reason": canary}).status == 200
    for end in ("resolve_problem", "mark_problem_entered_in_error"):
        problem = making.add_problem(house, condition={"display": canary})
        where = {"patient_id": PATIENT, "problem_id": problem["id"], "version": 1}
        assert house.call(end, **where, body={"reason": canary}).status == 200
    schemas = events(house.service.settings.openapi_dir)
    told = making.sent(house)
    for each in told:
        assert Schema(schemas["Envelope"], {"schemas": schemas}).errors(each) == []
        assert Schema(schemas[each["type"]], {"schemas": schemas}).errors(each["data"]) == []
        assert canary not in str(each)
    own = {kind for kind in schemas if kind.startswith("history.")}
    assert {each["type"] for each in told} == own | {"audit.recorded.v1"}


@pytest.mark.parametrize("change", [{"status": "gone"}, {"version": 0}, {"patient_id": "text"}, {"surplus": 1}])
@pytest.mark.parametrize("kind", ["allergies", "problems"])
def test_the_database_refuses_a_document_that_the_rules_would_not_make(house, kind, change):
    """The validators of the migration hold for every writer."""
    making.add_allergy(house)
    making.add_problem(house)
    collection = making.database(house)[kind]
    with pytest.raises(pymongo.errors.WriteError):
        collection.update_one({}, {"$set": change})
    with pytest.raises(pymongo.errors.WriteError):
        collection.update_one({}, {"$unset": {"status": 1}})


def test_migrations_can_be_repeated_and_keep_what_is_there(house):
    making.add_allergy(house)
    database = making.database(house)
    mongo.migrate(database, app.MIGRATIONS)
    database["migrations"].delete_many({})  # as if the first run had been killed before it noted the script
    mongo.migrate(database, app.MIGRATIONS)
    mongo.at_head(database, app.MIGRATIONS)
    assert database["allergies"].count_documents({}) == 1


def test_lists_are_read_by_an_index(house):
    making.add_allergy(house)
    query = {"patient_id": PATIENT, "status": {"$in": ["active", "resolved"]}}
    for kind in ("allergies", "problems"):
        plan = making.database(house)[kind].find(query).sort("_id", -1).explain()["queryPlanner"]["winningPlan"]
        assert "COLLSCAN" not in str(plan)
        assert f"{kind}_of_patient" in str(plan)


OPERATORS = [
    {"$ne": None},
    {"$gt": ""},
    {"$regex": ".*"},
    {"$where": "sleep(1000)"},
    {"$function": {"body": "return true", "args": [], "lang": "js"}},
    {"$expr": {"$eq": [1, 1]}},
    {"$in": ["active"]},
    {"a.b": 1},
    ["active"],
    [{"$ne": 1}],
    True,
    0,
    1.5,
    None,
]


def strings(body, path=()):
    """Where the texts of a body are."""
    if isinstance(body, str):
        yield path
    for name, each in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
        yield from strings(each, (*path, name))


def replaced(body, path, value):
    """A body with another value in one place."""
    if not path:
        return value
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[path[0]] = replaced(body[path[0]], path[1:], value)
    return copy


@pytest.mark.target("C-20")
def test_an_operator_in_the_place_of_a_text_is_refused_by_the_contract(house):
    """In every text of every body that the history takes; nothing is written, and nobody's data is shown."""
    allergy = making.add_allergy(house)
    problem = making.add_problem(house)
    one, other = (
        {"patient_id": PATIENT, "allergy_id": allergy["id"]},
        {"patient_id": PATIENT, "problem_id": problem["id"]},
    )
    bodies = {
        "add_allergy": (making.allergy("Latex", onset="2019", note="x"), {"patient_id": PATIENT}),
        "resolve_allergy": ({"reason": "x"}, {**one, "version": 1}),
        "mark_allergy_entered_in_error": ({"reason": "x"}, {**one, "version": 1}),
        "withdraw_no_known_allergies": ({"reason": "x"}, {"patient_id": PATIENT, "version": 1}),
        "add_problem": (making.problem(onset="2019", note="x"), {"patient_id": PATIENT}),
        "resolve_problem": ({"reason": "x", "resolved_on": "2020"}, {**other, "version": 1}),
        "mark_problem_entered_in_error": ({"reason": "x"}, {**other, "version": 1}),
    }
    tried = 0
    for operation, (body, where) in bodies.items():
        for path in strings(body):
            for value in OPERATORS:
                got = house.call(operation, body=replaced(body, path, value), **where)
                assert got.status == 422, (operation, path, value, got.status)
                tried += 1
    assert tried > 200
    database = making.database(house)
    assert database["allergies"].count_documents({}) == database["problems"].count_documents({}) == 1
    assert database["revisions"].count_documents({}) == 3


@pytest.mark.target("C-20")
@pytest.mark.parametrize(
    "value", ["$ne", "{$ne:1}", '{"$gt":""}', "active'||'1'=='1", "*", "[$ne]", "$where", "a\x00b"]
)
def test_an_operator_in_an_address_is_refused_or_unknown(house, value):
    making.add_allergy(house)
    got = house.call("list_allergies", patient_id=PATIENT, query={"status": value})
    assert got.status == 422
    assert house.call("list_allergies", patient_id=PATIENT, query={"status[$ne]": "x"}).status == 400
    assert house.call("list_allergies", patient_id="$ne").status in {404, 422}


@pytest.mark.target("C-20")
def test_a_text_that_looks_like_an_operator_is_a_text(house):
    for words in ('{"$ne": null}', "$where", "a.b", "'; DROP TABLE x; --", "=1+1"):
        allergy = making.add_allergy(house, words, note=words)
        read = house.call("get_allergy", patient_id=PATIENT, allergy_id=allergy["id"]).body
        assert (read["substance"]["display"], read["note"]) == (words, words)

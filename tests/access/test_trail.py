"""Who did and who saw what: each operation leaves exactly one entry, whatever came of it, and without it no answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pymongo
import pytest

from services.chassis import redis
from services.chassis.testing import House
from tests.contract import requests
from tests.contract.contracts import OPERATIONS, named, schema_of
from tests.contract.journey import Journey

AUDITED = [operation for operation in OPERATIONS if operation.audit != "none"]
SIGNED_IN = [operation for operation in AUDITED if not operation.is_public]
OPEN_TO_ALL = "account.open"  # every account holds it, so that nobody is refused for want of it
READING = {"read", "search", "export", "verify"}
SOMEBODY = "00000000-0000-7000-8000-0000000000aa"
ASKED_ABOUT = "01939c3e-0000-7000-8000-0000000000ee"
TAKES_IDS_AS_THEY_ARE = {"apply_plan", "list_record_accesses"}


def only(entries):
    """The one entry that there is."""
    assert len(entries) == 1, [(each["action"], each["outcome"]) for each in entries]
    return entries[0]


def patient_of(operation, sent):
    """Whose record the address of a request names."""
    return sent.get("patient_id") if "{patient_id}" in operation.path else None


def send(houses, operation, **changes):
    """A request of the right form, as super admin, on things that there are not."""
    sent = {"body": requests.first_body(operation), "query": requests.query_of(operation), "subject": SOMEBODY}
    sent |= requests.path_of(operation, id_=ASKED_ABOUT) | ({"version": 1} if operation.takes_version else {})
    return houses[operation.service].call(operation.operation_id, **{**sent, **changes})


# ---- what was done ---------------------------------------------------------------------------------------------------


@pytest.mark.row("SEC-10", "SEC-11")
@pytest.mark.target("C-14")
@pytest.mark.parametrize("operation", AUDITED, ids=named)
def test_what_was_done_or_shown_leaves_one_entry(performed, told, operation):
    """Who, in which roles and session, what, with which outcome, of whom, from where, what for, in which request."""
    for name in requests.body_examples(operation) or [""]:
        got, journey = performed.with_journey(operation, name)
        assert got.status < 300
        entry = only(told.entries(operation.service, got, operation=operation.operation_id))
        assert (entry["action"], entry["outcome"]) == (operation.audit, "success")
        assert entry["request_id"] == got.headers["x-request-id"]
        assert entry["at"]
        assert entry["source"] == "testclient"
        assert entry["purpose"] == operation.purpose
        if not operation.is_public:
            subject, _, session = journey.sent.get("subject", requests.SUPER_ADMIN).partition("/")
            assert (entry["actor"], entry["roles"]) == (subject, ["super_admin"])
            assert entry["session"] == session or "test"
        check_about(operation, got, journey, entry)


def check_about(operation, got, journey, entry):
    """Whose record, what within it, and who was shown."""
    body = got.body if isinstance(got.body, Mapping) else {}
    if patient_of(operation, journey.sent):
        assert entry["patient_id"] == journey.sent["patient_id"]
    elif body.get("patient_id"):
        assert entry["patient_id"] == body["patient_id"]
    elif operation.operation_id == "register_patient" and got.status == 201:
        assert entry["patient_id"] == body["id"]
    if operation.audit == "search":
        assert shown(body["items"] if "items" in body else about_patients(body)) <= set(entry["found"])
    if operation.audit == "export":
        assert entry["rows"] >= 0
        assert entry["asked"]
    if operation.audit == "update" and body.get("version", 1) > 1:
        assert entry["fields"], "a change names its fields"


def about_patients(found):
    """Each part of an answer that names a patient, wherever it lies."""
    if isinstance(found, Mapping):
        inner = [part for each in found.values() for part in about_patients(each)]
        return [found, *inner] if found.get("patient_id") else inner
    return [part for each in found for part in about_patients(each)] if isinstance(found, list) else []


def shown(items):
    """Whom, or what, a search has shown."""
    whom = {each.get("patient_id") or each.get("patient", {}).get("id") for each in items} - {None}
    return whom or {each["id"] for each in items if "patient_id" not in each}


@pytest.mark.row("SEC-14")
def test_a_change_of_roles_or_settings_says_what_changed(houses, links, told):
    """Names of roles are nobody's data, so old and new stand in the entry; of settings the names of what changed."""
    journey = Journey(houses, links=links)
    before = set(journey.perform("get_user").body["roles"])
    granted = journey.perform("assign_roles", body={"roles": [*before, "auditor"]})
    entry = only(told.entries("identity", granted, operation="assign_roles"))
    assert (entry["fields"], entry["added"]) == (["roles"], ["auditor"])
    taken = journey.perform("assign_roles", body={"roles": [*before]})
    assert only(told.entries("identity", taken, operation="assign_roles"))["removed"] == ["auditor"]
    [settings] = [each for each in OPERATIONS if each.operation_id == "set_notification_settings"]
    changed = journey.perform(settings.operation_id, body=requests.body_examples(settings)["few"])
    entry = only(told.entries("notifications", changed, operation="set_notification_settings"))
    assert {"channels", "language"} <= set(entry["fields"])


# ---- what was refused ------------------------------------------------------------------------------------------------


@pytest.mark.target("C-14")
@pytest.mark.parametrize("operation", [each for each in SIGNED_IN if each.permission != OPEN_TO_ALL], ids=named)
def test_what_a_permission_refused_leaves_one_entry_about_whose_record_it_was(houses, told, operation):
    got = send(houses, operation, role="first_sign_in")
    assert got.status == 403
    entry = only(told.entries(operation.service, got, operation=operation.operation_id))
    assert (entry["action"], entry["outcome"], entry["actor"]) == (operation.audit, "denied", SOMEBODY)
    assert entry["roles"] == ["first_sign_in"]
    assert entry["patient_id"] == (ASKED_ABOUT if "{patient_id}" in operation.path else None)
    assert (entry["version"], entry["fields"], entry["found"]) == (None, [], [])


@pytest.mark.target("C-14")
@pytest.mark.parametrize(
    "operation",
    [
        each
        for each in SIGNED_IN
        if "_id}" in each.path
        and not each.permission.startswith("account.")
        and each.operation_id not in TAKES_IDS_AS_THEY_ARE
    ],
    ids=named,
)
def test_what_was_not_found_leaves_one_entry_about_whose_record_it_was(houses, told, operation):
    got = send(houses, operation)
    assert got.status == 404
    entry = only(told.entries(operation.service, got, operation=operation.operation_id))
    assert (entry["action"], entry["outcome"], entry["actor"]) == (operation.audit, "not_found", SOMEBODY)
    assert entry["patient_id"] == (ASKED_ABOUT if "{patient_id}" in operation.path else entry["patient_id"])
    assert (entry["version"], entry["fields"], entry["found"]) == (None, [], [])


@pytest.mark.target("C-14")
@pytest.mark.parametrize("operation", [each for each in SIGNED_IN if each.takes_version], ids=named)
def test_what_a_rule_refused_leaves_one_entry_because_the_answer_tells_of_what_there_is(houses, links, told, operation):
    """A stale version, for every operation that takes one."""
    journey = Journey(houses, links=links)
    got = journey.perform(operation.operation_id, version=999_999)
    assert got.status in {409, 412, 422}, got.body
    things = [journey.sent[each["name"]] for each in operation.parameters if each["name"].endswith("_id")]
    entry = only(told.entries(operation.service, got, operation=operation.operation_id))
    assert (entry["action"], entry["outcome"]) == (operation.audit, "failed")
    assert entry["patient_id"] == patient_of(operation, journey.sent) or "{patient_id}" not in operation.path
    assert (entry["version"], entry["fields"]) == (None, [])
    assert not things or {entry["patient_id"], entry["record_id"]} & set(things), "it says which thing it was about"


@pytest.mark.target("C-14")
@pytest.mark.parametrize("operation", [each for each in AUDITED if schema_of(each) is not None], ids=named)
def test_what_had_the_wrong_form_opened_nothing_and_leaves_no_entry(houses, told, operation):
    """Neither what cannot be read, nor what breaks the contract, nor what lacks its key or version."""
    wrong = next(iter(requests.wrong_bodies(operation, canary="x")))[1]
    sent = [send(houses, operation, raw=b"{"), send(houses, operation, body=wrong)]
    if operation.takes_version:
        sent.append(send(houses, operation, version=None))
    if operation.takes_key:
        sent.append(send(houses, operation, headers={"idempotency-key": "x"}))
    for got in sent:
        assert 400 <= got.status < 500
        assert told.entries(operation.service, got, operation=operation.operation_id) == []


# ---- what was asked for twice ----------------------------------------------------------------------------------------


@pytest.mark.target("C-14")
@pytest.mark.parametrize("operation", [each for each in SIGNED_IN if each.takes_key], ids=named)
def test_a_stored_answer_that_is_given_again_is_an_entry_of_reading(houses, performed, told, operation):
    """The effect has the entry it had; who is shown the answer once more has seen what it shows."""
    first, journey = performed.with_journey(operation, next(iter(requests.body_examples(operation)), ""))
    again = houses[operation.service].call(operation.operation_id, **journey.sent)
    assert (again.status, again.headers["idempotency-replayed"]) == (first.status, "true")
    done = only(told.entries(operation.service, first, operation=operation.operation_id))
    seen = only(told.entries(operation.service, again, operation=operation.operation_id))
    assert (seen["action"], seen["outcome"], seen["actor"]) == ("read", "success", done["actor"])
    assert (seen["patient_id"], seen["fields"]) == (done["patient_id"], [])
    assert not {"stored-about", "stored-record"} & set(again.headers)


# ---- without an entry no answer --------------------------------------------------------------------------------------


@contextmanager
def full(house: House) -> Iterator[None]:
    """The store of a service, as long as it can be read and not written."""
    settings: Any = house.service.settings
    with ExitStack() as at_end:
        if hasattr(settings, "records_url"):
            at_end.enter_context(full_redis(settings.records_url.get_secret_value()))
        elif settings.database_url.get_secret_value().startswith("mongodb"):
            at_end.enter_context(full_mongo(settings))
        else:
            at_end.enter_context(full_postgres(settings.database_url.get_secret_value()))
        yield


@contextmanager
def full_postgres(url: str) -> Iterator[None]:
    """What a full disk does to whoever writes down what is to be sent."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$;"
            "CREATE TRIGGER full_disk BEFORE INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION full_disk()"
        )
        try:
            yield
        finally:
            admin.execute("DROP FUNCTION full_disk CASCADE")


@contextmanager
def full_mongo(settings: Any) -> Iterator[None]:
    """Somebody holds what every entry would need, and never commits: all that a server without test commands can do."""
    later = datetime.now(UTC)
    with pymongo.MongoClient(settings.database_url.get_secret_value(), tz_aware=True) as admin:
        outbox = admin[settings.database_name]["outbox"]
        name = outbox.create_index(
            "unsent", unique=True, partialFilterExpression={"recorded_at": {"$gte": later}}, name="held"
        )
        try:
            with admin.start_session() as session:
                session.start_transaction()
                outbox.insert_one({"unsent": True, "recorded_at": later + timedelta(days=1)}, session=session)
                yield
                session.abort_transaction()
        finally:
            outbox.drop_index(name)


@contextmanager
def full_redis(url: str) -> Iterator[None]:
    """Redis without memory left refuses what writes."""
    with redis.client(url, timeout_s=5) as admin:
        admin.config_set("maxmemory", "1")
        try:
            yield
        finally:
            admin.config_set("maxmemory", "0")


@pytest.mark.target("C-14")
@pytest.mark.parametrize("operation", [each for each in AUDITED if each.audit in READING], ids=named)
def test_what_cannot_be_written_down_is_not_shown(houses, links, operation):
    """The same request is answered before and after, and refused with nothing of the record in between."""
    journey, house = Journey(houses, links=links), houses[operation.service]
    assert journey.perform(operation.operation_id).status < 300
    with full(house):
        refused = house.call(operation.operation_id, **journey.sent)
    assert refused.status == 503
    assert refused.body.keys() <= {"type", "title", "status", "code", "request_id"}
    assert house.call(operation.operation_id, **journey.sent).status < 300

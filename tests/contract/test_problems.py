"""Every way to be refused, on the real application of every service: one shape, the right status, nothing echoed."""

from __future__ import annotations

import json

import pytest

from services.chassis.problems import MEDIA_TYPE
from services.chassis.schemas import Schema
from services.chassis.spec import Operation
from tests.contract import requests
from tests.contract.contracts import CONTRACTS, OPERATIONS, named, schema_of

CANARY = "Zqx7Kanarie"  # stands for what a client sends by mistake or on purpose; it may come back nowhere
PROTECTED = [operation for operation in OPERATIONS if not operation.is_public]
OWN_ACCOUNT = [operation for operation in PROTECTED if operation.permission.startswith("account.")]
WITH_BODY = [operation for operation in OPERATIONS if schema_of(operation) is not None]
WITH_ID = [operation for operation in OPERATIONS if "_id}" in operation.path]
# Operations that take an id as it is: another service is the one that knows what there is.
TAKEN_AS_IT_IS = {"apply_plan", "list_record_accesses"}
SHAPE = Schema({"$ref": "#/components/schemas/Problem"}, next(iter(CONTRACTS.values())).document["components"])


@pytest.fixture
def refused(houses, capfd):
    """Send a wrong request and check what every refusal has in common."""

    def send(operation: Operation, *statuses: int, **changes):
        house = houses[operation.service]
        changes = {"body": requests.first_body(operation), **requests.path_of(operation), **changes}
        changes["query"] = {**requests.query_of(operation), **changes.get("query", {})}
        if operation.takes_version:
            changes.setdefault("version", 1)
        capfd.readouterr()
        got = house.call(operation.operation_id, **changes)
        assert got.status in statuses, got.body
        check(operation, got)
        logged = capfd.readouterr()
        assert CANARY not in logged.out + logged.err
        return got

    return send


def check(operation, got):
    """One shape, declared by the contract, and nothing of what was sent."""
    assert got.headers["content-type"] == MEDIA_TYPE
    assert str(got.status) in operation.document["responses"], f"{got.status} is not in the contract"
    assert SHAPE.errors(got.body) == []
    assert got.body["status"] == got.status
    assert got.headers["x-request-id"] == got.body["request_id"]
    assert CANARY not in got.raw.decode() + str(got.headers)
    if got.status in {429, 503}:
        assert int(got.headers["retry-after"]) >= 0


@pytest.mark.parametrize("operation", PROTECTED, ids=named)
def test_without_a_token_nobody_gets_in(refused, operation):
    refused(operation, 401, role=None)


@pytest.mark.parametrize("operation", PROTECTED, ids=named)
@pytest.mark.parametrize(
    "header", [f"Bearer {CANARY}", f"Basic {CANARY}", "Bearer", f"Bearer {CANARY}@{CANARY} {CANARY}"]
)
def test_a_token_that_does_not_count_is_no_token(refused, operation, header):
    refused(operation, 401, headers={"authorization": header})


@pytest.mark.parametrize("operation", PROTECTED, ids=named)
def test_a_role_without_the_permission_is_refused(refused, operation):
    """The role `first_sign_in` holds nothing but the own account; who it is must not matter."""
    if operation not in OWN_ACCOUNT:
        got = refused(operation, 403, role="first_sign_in")
        assert got.body["code"] == "not_allowed"


@pytest.mark.parametrize("operation", PROTECTED, ids=named)
def test_refusal_comes_before_reading_what_was_sent(refused, operation):
    """An anonymous client learns nothing of the form that a body should have."""
    if schema_of(operation) is not None:
        refused(operation, 401, role=None, raw=b"{" + CANARY.encode())


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_an_unknown_parameter_is_refused_without_its_name(refused, operation):
    got = refused(operation, 400, query={f"x{CANARY}": CANARY})
    assert {error["rule"] for error in got.body["errors"]} == {"unknown_parameter"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_a_repeated_parameter_is_refused(refused, operation):
    contract = CONTRACTS[operation.service]
    for each in operation.parameters:
        if each["in"] == "query" and contract.resolve(each["schema"]).get("type") != "array":
            got = refused(operation, 400, query={each["name"]: [CANARY, CANARY]})
            assert {"rule": "repeated", "parameter": each["name"]} in got.body["errors"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_a_bad_parameter_is_named(refused, operation):
    contract = CONTRACTS[operation.service]
    for each in operation.parameters:
        schema = contract.resolve(each["schema"])
        if each["in"] == "query" and (schema.get("type") in {"integer", "boolean"} or "enum" in schema):
            got = refused(operation, 422, query={each["name"]: CANARY})
            assert each["name"] in {error.get("parameter") for error in got.body["errors"]}


@pytest.mark.parametrize("operation", WITH_ID, ids=named)
@pytest.mark.parametrize(
    "text", [CANARY, "0", "01939C3E-FFFF-7FFF-8FFF-FFFFFFFFFFFF", f"{requests.NOBODY_HERE}{CANARY}"]
)
def test_an_id_that_is_none_is_refused(refused, operation, text):
    refused(operation, 404, 422, **{each["name"]: text for each in operation.parameters if each["in"] == "path"})


@pytest.mark.parametrize(
    "operation",
    [each for each in WITH_ID if each not in OWN_ACCOUNT and each.operation_id not in TAKEN_AS_IT_IS],
    ids=named,
)
def test_an_id_of_nothing_is_not_found(refused, operation):
    refused(operation, 404)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.takes_version], ids=named)
def test_a_change_without_a_version_is_refused(refused, operation):
    got = refused(operation, 428, version=None)
    assert {"rule": "required", "parameter": "If-Match"} in got.body["errors"]


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.takes_version], ids=named)
@pytest.mark.parametrize("tag", [CANARY, f'"{CANARY}"', "*", '"0"', "1", '"1", "2"', 'W/"1"'])
def test_a_version_that_is_none_is_refused(refused, operation, tag):
    refused(operation, 412, 422, version=None, headers={"if-match": tag})


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.takes_key], ids=named)
@pytest.mark.parametrize("key", ["", "short", f"{CANARY} with blanks", "x" * 129, f"{CANARY}\t{CANARY}"])
def test_a_key_that_is_none_is_refused(refused, operation, key):
    refused(operation, 422, 428, headers={"idempotency-key": key})


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
def test_every_bad_field_is_named_by_its_pointer(refused, operation):
    for pointer, body in requests.wrong_bodies(operation, canary=CANARY):
        got = refused(operation, 422, body=body)
        pointers = {error.get("pointer", "") for error in got.body["errors"]}
        wanted = pointer.removesuffix("/*")
        assert any(each == wanted or each.startswith(f"{wanted}/") for each in pointers), (pointer, pointers)


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
def test_all_bad_fields_are_named_at_once(refused, operation):
    bad = dict(requests.wrong_bodies(operation, canary=CANARY))
    names = [pointer[1:] for pointer in bad if pointer != "/*"]
    got = refused(operation, 422, body={name: bad[f"/{name}"][name] for name in names})
    pointers = {error["pointer"].split("/")[1] for error in got.body["errors"] if error.get("pointer")}
    assert set(names) <= pointers


UNREADABLE = [
    b"", b"{", b"[1,", b"nonsense " + CANARY.encode(), b'{"a": NaN}', b'{"a": 1e999}', b'{"a": "\xff\xfe"}', b"\xff",
    b'{"a": "\\ud800"}', b"[" * 100_000, b'{"' + CANARY.encode() + b'":1,"' + CANARY.encode() + b'":2}', b"\x00",
]  # fmt: skip


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
def test_what_cannot_be_read_is_refused(refused, operation):
    for raw in UNREADABLE:
        refused(operation, 400, 422, raw=raw, headers={"content-type": "application/json"})


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
@pytest.mark.parametrize("body", [None, [], "x" + CANARY, 1, True, {}])
def test_a_body_of_another_kind_is_refused_or_is_a_right_one(houses, refused, operation, body):
    schema = Schema(schema_of(operation), CONTRACTS[operation.service].document["components"])
    if not schema.is_valid(body):
        refused(operation, 400, 422, raw=json.dumps(body).encode())


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/json; charset=utf-16", CANARY])
def test_another_media_type_is_refused(refused, operation, kind):
    refused(operation, 415, headers={"content-type": kind})


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
def test_a_body_over_one_mebibyte_is_refused(refused, operation):
    refused(operation, 413, raw=b'{"a": "' + CANARY.encode() * 120_000 + b'"}')


BAD_TEXT = ["a\u0000b", "a\u0007b", "a\u0085b", "\u202egnp.exe", "a\u2066b", " ", "x" * 100_000]


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
@pytest.mark.parametrize("text", BAD_TEXT, ids=lambda text: ascii(text[:10]))
def test_texts_that_hide_something_are_refused_or_taken_as_they_are(houses, operation, text):
    """Control and direction characters never reach a store as a name; whatever happens, it is no fault of ours."""
    house, right = houses[operation.service], requests.first_body(operation)
    for name, value in right.items() if isinstance(right, dict) else ():
        if isinstance(value, str):
            got = house.call(
                operation.operation_id, body={**right, name: text}, version=1, **requests.path_of(operation)
            )
            assert got.status < 500, (name, got.body)
            assert "\u0000" not in text or got.status in {400, 422}, name


@pytest.mark.parametrize("service", CONTRACTS)
@pytest.mark.parametrize(
    "path", [f"/{CANARY}", f"/api/v1/{CANARY}", "/", "/api/v1/..%2f..", f"/%00{CANARY}", "//api/v1"]
)
def test_an_address_of_nothing_is_a_problem_too(houses, capfd, service, path):
    capfd.readouterr()
    got = houses[service].send("GET", path, headers={"authorization": "Bearer super_admin@somebody"})
    logged = capfd.readouterr()
    assert got.status == 404
    assert got.headers["content-type"] == MEDIA_TYPE
    assert SHAPE.errors(got.body) == []
    assert CANARY not in got.raw.decode() + logged.out + logged.err


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_a_method_that_is_not_there_is_refused_and_the_right_ones_are_named(houses, operation):
    methods = {each.method for each in OPERATIONS if each.path == operation.path and each.service == operation.service}
    method = next(each for each in ("TRACE", "PUT", "DELETE", "PATCH") if each not in methods)
    path = operation.path.format(**requests.path_of(operation))
    got = houses[operation.service].send(method, path, headers={"authorization": "Bearer super_admin@somebody"})
    assert got.status == 405
    assert SHAPE.errors(got.body) == []
    assert methods <= {each.strip() for each in got.headers["allow"].split(",")}

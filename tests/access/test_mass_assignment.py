"""Nobody writes more than a contract says, and nobody is shown more: fields that were put in, and fields of answers."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from services.chassis.schemas import Schema
from services.chassis.spec import Operation
from tests.contract import requests
from tests.contract.contracts import CONTRACTS, OPERATIONS, named, schema_of, subschemas
from tests.contract.requests import NOBODY_HERE, body_examples, properties

# Fields that decide who, where, what state and how much, with values that each would like to have.
INJECTED: dict[str, Any] = {
    "id": NOBODY_HERE,
    "tenant": NOBODY_HERE,
    "facility_id": NOBODY_HERE,
    "patient_id": NOBODY_HERE,
    "user_id": NOBODY_HERE,
    "owner": "00000000-0000-7000-8000-000000000001",
    "created_by": "00000000-0000-7000-8000-000000000001",
    "created_at": "2020-01-01T00:00:00Z",
    "role": "super_admin",
    "roles": ["super_admin"],
    "permissions": ["*"],
    "is_admin": True,
    "status": "approved",
    "active": True,
    "verified": True,
    "version": 1,
    "price": 0,
    "deleted": False,
    "__proto__": {"is_admin": True},
}
FEWEST = 15
WRITING = [operation for operation in OPERATIONS if schema_of(operation) is not None]
Way = tuple[str | int, ...]


def objects(node: Mapping[str, Any], value: Any, operation: Operation, way: Way = ()) -> Iterator[tuple[Way, set[str]]]:
    """Every object within an example whose members are named, with those names."""
    contract = CONTRACTS[operation.service]
    node = contract.resolve(node)
    if isinstance(value, list) and "items" in node:
        for index, each in enumerate(value):
            yield from objects(node["items"], each, operation, (*way, index))
    if isinstance(value, Mapping):
        members = properties(node, operation)
        if members:
            yield way, set(members)
        for name, each in value.items():
            inner = members.get(name, node.get("additionalProperties"))
            if isinstance(inner, Mapping):
                yield from objects(inner, each, operation, (*way, name))


def with_more(body: Any, way: Way, more: Mapping[str, Any]) -> Any:
    """A body with more members in one of its objects."""
    changed = copy.deepcopy(body)
    node = changed
    for part in way:
        node = node[part]
    node.update(more)
    return changed


@pytest.mark.target("C-05")
@pytest.mark.parametrize("operation", WRITING, ids=named)
def test_no_object_that_is_written_takes_a_field_of_power_that_it_does_not_name(operation):
    schema = Schema(schema_of(operation), CONTRACTS[operation.service].document["components"])
    for name, body in body_examples(operation).items():
        assert schema.is_valid(body)
        for way, members in objects(schema_of(operation), body, operation):
            tried = {field: value for field, value in INJECTED.items() if field not in members}
            assert len(tried) >= FEWEST
            taken = [field for field, value in tried.items() if schema.is_valid(with_more(body, way, {field: value}))]
            assert taken == [], (name, way)


@pytest.mark.target("C-05")
@pytest.mark.parametrize("operation", WRITING, ids=named)
def test_a_request_with_a_field_of_power_is_refused_and_says_in_which_object(houses, operation):
    """By the whole application; the name of the field, which the client made up, is not repeated."""
    body = requests.first_body(operation)
    sent = requests.path_of(operation) | {"query": requests.query_of(operation)}
    sent |= {"version": 1} if operation.takes_version else {}
    for way, members in objects(schema_of(operation), body, operation):
        more = {field: value for field, value in INJECTED.items() if field not in members}
        got = houses[operation.service].call(operation.operation_id, body=with_more(body, way, more), **sent)
        assert got.status == 422, got.body
        pointer = "".join(f"/{part}" for part in way)
        assert {"pointer": pointer, "rule": "additionalProperties"} in got.body["errors"]


def answered(operation: Operation, status: int | None = None) -> Mapping[str, Any] | None:
    """The schema of what an operation answers with, where that is JSON."""
    answer = operation.document["responses"][str(status or operation.success[0])]
    media = answer.get("content", {}).get("application/json")
    return None if media is None else media["schema"]


@pytest.mark.target("C-05")
@pytest.mark.parametrize("operation", [each for each in WRITING if answered(each)], ids=named)
def test_what_an_answer_shows_and_a_body_does_not_name_cannot_be_sent_back(performed, operation):
    """Ids, versions, states and times of the answer, sent back with another request: all are the service's alone."""
    schema = Schema(schema_of(operation), CONTRACTS[operation.service].document["components"])
    for name, body in body_examples(operation).items():
        shown = performed(operation, name).body
        named_in_body = properties(CONTRACTS[operation.service].resolve(schema_of(operation)), operation)
        if isinstance(shown, Mapping) and named_in_body:
            extra = {field: value for field, value in shown.items() if field not in named_in_body}
            assert [field for field, value in extra.items() if schema.is_valid({**body, field: value})] == []


@pytest.mark.target("C-05")
@pytest.mark.parametrize("operation", WRITING, ids=named)
def test_what_only_answers_hold_is_named_in_no_body(operation):
    for path, node in subschemas(schema_of(operation), service=operation.service):
        assert [name for name, each in node.get("properties", {}).items() if each.get("readOnly")] == [], path


@pytest.mark.target("C-05")
@pytest.mark.parametrize("operation", [each for each in OPERATIONS if answered(each)], ids=named)
def test_an_answer_holds_nothing_that_its_contract_does_not_name(performed, operation):
    """A column that somebody adds to a store is in no answer before it is in the contract."""
    for name in body_examples(operation) or [""]:
        got = performed(operation, name)
        for way, members in objects(answered(operation, got.status), got.body, operation):
            node = got.body
            for part in way:
                node = node[part]
            assert set(node) <= members, (name, way)

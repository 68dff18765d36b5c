"""Requests that a contract describes: a right one for each operation, and wrong ones made from it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from services.chassis.spec import Operation
from tests.contract.contracts import CONTRACTS, examples, schema_of

SERVICE_SECRET = "made for these tests only, and long enough"
SMS_REPLY_SECRET = "made for these tests too, and known to both sides"
SUPER_ADMIN_PASSWORD = "nine quiet otters below the old bridge"
SUPER_ADMIN = "00000000-0000-7000-8000-000000000001"  # who acts where a test does not say
NOBODY_HERE = "01939c3e-ffff-7fff-8fff-ffffffffffff"


def body_examples(operation: Operation) -> dict[str, Any]:
    """The examples of the request body by name; none where there is no body."""
    if schema_of(operation) is None:
        return {}
    body = CONTRACTS[operation.service].resolve(operation.document["requestBody"])
    return dict(examples(body["content"]["application/json"]))


def first_body(operation: Operation) -> Any:
    """The first example of the request body, or None."""
    return next(iter(body_examples(operation).values()), None)


def path_of(operation: Operation, *, id_: str = NOBODY_HERE) -> dict[str, str]:
    """Path parameters that have the right form and name nothing."""
    contract = CONTRACTS[operation.service]
    found = {}
    for each in operation.parameters:
        if each["in"] == "path":
            schema = contract.resolve(each["schema"])
            found[each["name"]] = id_ if schema.get("format") == "uuid" else each.get("example", schema.get("example"))
    return found


def query_of(operation: Operation) -> dict[str, str]:
    """The query parameters that an operation cannot do without, as their examples say."""
    contract = CONTRACTS[operation.service]
    wanted = [each for each in operation.parameters if each["in"] == "query" and each.get("required")]
    return {each["name"]: each.get("example") or contract.resolve(each["schema"])["example"] for each in wanted}


def wrong_bodies(operation: Operation, *, canary: str) -> Iterator[tuple[str, Any]]:
    """The first example with one member at a time made wrong, the canary in it; with the pointer of what is wrong."""
    right = first_body(operation)
    schema = CONTRACTS[operation.service].resolve(schema_of(operation))
    for name, node in properties(schema, operation).items():
        yield f"/{name}", {**copy.deepcopy(right), name: wrong_value(node, canary=canary)}
    yield "/*", {**copy.deepcopy(right), canary: canary}


def properties(schema: Mapping[str, Any], operation: Operation) -> dict[str, Mapping[str, Any]]:
    """The members of an object, those of its parts included."""
    contract = CONTRACTS[operation.service]
    found = {name: contract.resolve(node) for name, node in schema.get("properties", {}).items()}
    for part in schema.get("allOf", []):
        found |= properties(contract.resolve(part), operation)
    return found


def wrong_value(node: Mapping[str, Any], *, canary: str) -> Any:
    """A value that a schema cannot take, with the canary in it."""
    return {canary: [canary]} if node.get("type") != "object" else [canary]

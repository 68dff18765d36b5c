"""Requests that a contract describes: a right one for each operation, and wrong ones made from it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from services.chassis.spec import Operation
from tests.contract.contracts import CONTRACTS, examples, schema_of

SERVICE_SECRET = "made for these tests only, and long enough"
SUPER_ADMIN_PASSWORD = "nine quiet otters below the old bridge"
NOBODY_HERE = "01939c3e-ffff-7fff-8fff-ffffffffffff"

# Things that addresses name: which operation makes one, and which member of its answer is the name.
MADE_BY: dict[str, tuple[str, str]] = {
    "patient_id": ("register_patient", "id"),
    "allergy_id": ("add_allergy", "id"),
    "problem_id": ("add_problem", "id"),
}
# What has to happen to a thing before an operation on it makes sense.
BEFORE: dict[str, list[str]] = {
    "restore_patient": ["deactivate_patient"],
    "withdraw_no_known_allergies": ["declare_no_known_allergies"],
}
OWNER = {operation: contract.service for contract in CONTRACTS.values() for operation in contract.operations}


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


class Journey:
    """Performs operations on the real services, making first whatever they act on."""

    def __init__(self, houses: Mapping[str, Any]) -> None:
        self._houses = houses
        self.made: dict[str, Any] = {}
        self.versions: dict[str, int] = {}

    def perform(self, operation_id: str, *, body: Any = None) -> Any:
        """Call an operation with an example of its body and the things that it needs; the answer as it came."""
        house = self._houses[OWNER[operation_id]]
        operation = house.contract.operations[operation_id]
        for each in operation.parameters:
            if each["in"] == "path":
                self.need(each["name"])
        for earlier in BEFORE.get(operation_id, []):
            got = self.perform(earlier)
            assert got.status < 300, (earlier, got.body)
        path = {each["name"]: self.made[each["name"]] for each in operation.parameters if each["in"] == "path"}
        given = self.with_ids(first_body(operation) if body is None else body)
        got = house.call(operation_id, body=given, version=self.version(operation, path), **path)
        self.learn(got.body, thing=next(reversed(path.values()), None))
        return got

    def need(self, name: str) -> str:
        """The id of a thing, made when there is none."""
        if name not in self.made:
            maker, member = MADE_BY[name]
            got = self.perform(maker)
            assert got.status in {200, 201}, (maker, got.body)
            self.made[name] = got.body[member]
            self.learn(got.body, thing=self.made[name])
        return self.made[name]

    def with_ids(self, body: Any) -> Any:
        """A body whose ids name things that exist."""
        if isinstance(body, Mapping):
            return {k: self.need(k) if k in MADE_BY else self.with_ids(v) for k, v in body.items()}
        return [self.with_ids(each) for each in body] if isinstance(body, list) else body

    def version(self, operation: Operation, path: Mapping[str, str]) -> int | None:
        """The version that a change of the thing in this path starts from."""
        if not operation.takes_version:
            return None
        return self.versions[next(reversed(path.values()))]

    def learn(self, body: Any, *, thing: str | None) -> None:
        """Keep the version that an answer says."""
        if isinstance(body, Mapping) and isinstance(body.get("version"), int):
            self.versions[body.get("id") or thing] = body["version"]

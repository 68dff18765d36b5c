"""The operations of a contract and the methods of its controller are the same, in both directions, and they work."""

from __future__ import annotations

import pytest

from services.chassis.service import Mismatch, require_match
from tests.contract import requests
from tests.contract.contracts import CONTRACTS, OPERATIONS, named


@pytest.mark.parametrize("service", CONTRACTS)
def test_operations_equal_methods(houses, service):
    controller = houses[service].service.controller
    methods = {name for name in dir(controller) if not name.startswith("_")}
    assert methods == set(CONTRACTS[service].operations)


@pytest.mark.parametrize("service", CONTRACTS)
def test_a_method_that_is_missing_stops_the_start(houses, service):
    class Lacking:
        """A controller without methods."""

    with pytest.raises(Mismatch, match="without a method"):
        require_match(houses[service].contract, Lacking())


@pytest.mark.parametrize("service", CONTRACTS)
def test_a_method_without_an_operation_stops_the_start(houses, service):
    extended = type("Extended", (type(houses[service].service.controller),), {"surprise": print})
    controller = object.__new__(extended)
    with pytest.raises(Mismatch, match="surprise"):
        require_match(houses[service].contract, controller)


EXAMPLES = [(operation, name) for operation in OPERATIONS for name in requests.body_examples(operation) or [""]]


@pytest.mark.parametrize(("operation", "name"), EXAMPLES, ids=named)
def test_every_operation_succeeds_with_every_example_of_its_body(houses, performed, operation, name):
    """What developers copy from the contract works."""
    got = performed(operation, name)
    assert 200 <= got.status < 300, got.body
    check_answer(houses, operation, got)


def check_answer(houses, operation, got):
    """A success is one that the contract declares: status, headers and body."""
    from services.chassis.schemas import Schema

    declared = operation.document["responses"][str(got.status)]
    content = declared.get("content", {})
    media = content.get("application/json")
    if not content:
        assert got.raw == b""
    elif media is None:
        assert got.headers["content-type"].partition(";")[0] in content
        assert got.raw
    else:
        schema = Schema(media["schema"], houses[operation.service].contract.document["components"])
        assert schema.errors(got.body) == []
    always = set(declared.get("headers", {})) - {"Idempotency-Replayed", "Retry-After"}
    assert {name for name in always if name not in got.headers} == set()

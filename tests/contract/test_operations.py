"""The operations of a contract and the methods of its controller are the same, in both directions; they work, and what
they send is in its contract too.
"""

from __future__ import annotations

import json
import re

import pytest

from services.chassis import spec
from services.chassis.schemas import Schema
from services.chassis.service import Mismatch, require_match
from tests.contract import requests
from tests.contract.contracts import CONTRACTS, OPENAPI, OPERATIONS, named

SCHEMAS = spec.events(OPENAPI)
AUDIT = "audit.recorded.v1"


@pytest.mark.parametrize("service", CONTRACTS)
def test_operations_equal_methods(houses, service):
    controller = houses[service].service.controller
    methods = {name for name in dir(controller) if not name.startswith("_")}
    assert methods == set(CONTRACTS[service].operations)


@pytest.mark.parametrize("service", CONTRACTS)
def test_parts_of_a_controller_hide_nothing_of_each_other(houses, service):
    """A controller of several files is several classes; a name of two of them would be the first one's for both."""
    owners: dict[str, list[str]] = {}
    for part in type(houses[service].service.controller).__mro__[:-1]:
        for name in vars(part):
            if not name.startswith("__"):
                owners.setdefault(name, []).append(part.__name__)
    assert {name: parts for name, parts in owners.items() if len(parts) > 1} == {}


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


@pytest.mark.target("C-01")
@pytest.mark.parametrize("service", CONTRACTS)
def test_the_routes_of_a_process_are_those_of_its_contract(houses, service):
    """A route that is in no contract has no permission either."""
    rules = houses[service].web.app._app.app.url_map.iter_rules()
    routed = {(method, re.sub(r"<[^>]*>", "{}", rule.rule)) for rule in rules for method in rule.methods}
    said = {(each.method, re.sub(r"\{[^}]*\}", "{}", each.path)) for each in CONTRACTS[service].operations.values()}
    assert {each for each in routed if each[0] not in {"HEAD", "OPTIONS"}} == said


UNDOCUMENTED = ["/ui/", "/api/v1/ui/", "/openapi.yaml", "/swagger.json", "/static/x", "/admin", "/debug", "/console"]


@pytest.mark.target("C-01")
@pytest.mark.parametrize("path", UNDOCUMENTED)
@pytest.mark.parametrize("service", CONTRACTS)
def test_nothing_answers_where_frameworks_put_things_of_their_own(houses, service, path):
    assert houses[service].send("GET", path).status == 404


EXAMPLES = [(operation, name) for operation in OPERATIONS for name in requests.body_examples(operation) or [""]]


@pytest.mark.parametrize(("operation", "name"), EXAMPLES, ids=named)
def test_every_operation_succeeds_with_every_example_of_its_body(houses, performed, operation, name):
    """What developers copy from the contract works."""
    got = performed(operation, name)
    assert 200 <= got.status < 300, got.body
    check_answer(houses, operation, got)


def check_answer(houses, operation, got):
    """A success is one that the contract declares: status, headers and body."""
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


@pytest.fixture(scope="module")
def sent(told, performed):
    """Every envelope that the services have committed, by service, after each operation has succeeded."""
    for operation, name in EXAMPLES:
        assert performed(operation, name).status < 300, (operation.operation_id, name)
    return {name: told.by(name) for name in CONTRACTS}


@pytest.mark.parametrize("service", CONTRACTS)
def test_every_envelope_and_its_data_fit_their_schemas(sent, service):
    envelope = Schema(SCHEMAS["Envelope"], {"schemas": SCHEMAS})
    for each in sent[service]:
        document = json.loads(each.event)
        assert envelope.errors(document) == [], each.type
        assert each.type in SCHEMAS
        assert Schema(SCHEMAS[each.type], {"schemas": SCHEMAS}).errors(document["data"]) == [], each.type


@pytest.mark.parametrize("service", CONTRACTS)
def test_every_event_of_a_service_is_sent_by_one_of_its_operations(sent, service):
    own = {kind for kind in SCHEMAS if kind.startswith(f"{service}.")} - {AUDIT}
    assert {each.type for each in sent[service]} - {AUDIT} == own

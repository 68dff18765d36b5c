"""What services really send: every operation is performed once, then the outboxes are read."""

from __future__ import annotations

import json

import pytest

from services.chassis import spec
from services.chassis.schemas import Schema
from tests.contract import requests
from tests.contract.contracts import CONTRACTS, OPENAPI, OPERATIONS

SCHEMAS = spec.events(OPENAPI)
AUDIT = "audit.recorded.v1"


@pytest.fixture(scope="module")
def sent(told, performed):
    """Every envelope that the services have committed, by service, after each operation has succeeded."""
    for operation in OPERATIONS:
        for name in requests.body_examples(operation) or [""]:
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

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
def sent(houses, performed):
    """Every envelope that the services have committed, by service, after each operation has succeeded."""
    for operation in OPERATIONS:
        for name in requests.body_examples(operation) or [""]:
            assert performed(operation, name).status < 300, (operation.operation_id, name)
    found = {}
    for name, house in houses.items():
        found[name] = []
        while house.service.outbox.send(lambda batch, name=name: found[name].extend(batch)):
            pass
    return found


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


@pytest.mark.parametrize("service", CONTRACTS)
def test_every_audited_operation_leaves_an_entry_of_its_kind(sent, service):
    entries = [json.loads(each.event)["data"] for each in sent[service] if each.type == AUDIT]
    wanted = {(each.operation_id, each.audit) for each in OPERATIONS if each.service == service}
    seen = {(each["operation"], each["action"]) for each in entries if each["outcome"] == "success"}
    assert {each for each in seen if each[0] in CONTRACTS[service].operations} == {w for w in wanted if w[1] != "none"}


def test_an_entry_about_a_patient_names_the_patient(sent):
    """The operations whose address names a patient, wherever they live."""
    named = {each.operation_id for each in OPERATIONS if "{patient_id}" in each.path and each.audit != "none"}
    entries = [json.loads(each.event)["data"] for all_ in sent.values() for each in all_ if each.type == AUDIT]
    assert [each["operation"] for each in entries if each["operation"] in named and not each["patient_id"]] == []

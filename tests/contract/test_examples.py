"""The examples in the contracts are true: each fits its schema, and none is missing."""

from __future__ import annotations

import pytest

from services.chassis.schemas import Schema
from tests.contract.contracts import CONTRACTS, OPERATIONS, examples, named, schema_of

WITH_BODY = [operation for operation in OPERATIONS if schema_of(operation) is not None]


def compiled(service, schema):
    """A schema of one service, ready to check with."""
    return Schema(schema, CONTRACTS[service].document["components"])


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
def test_examples_of_a_request_fit_its_schema(operation):
    body = CONTRACTS[operation.service].resolve(operation.document["requestBody"])
    schema = compiled(operation.service, schema_of(operation))
    shown = dict(examples(body["content"]["application/json"]))
    assert shown
    assert {name: schema.errors(value) for name, value in shown.items() if schema.errors(value)} == {}


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
def test_a_request_without_its_required_fields_does_not_fit(operation):
    """A schema that accepts everything would make the test above worthless."""
    schema = compiled(operation.service, schema_of(operation))
    assert not schema.is_valid([])
    assert not schema.is_valid({"no_such_field": 1})


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_examples_of_answers_fit_their_schemas(operation):
    wrong, missing = {}, []
    for code, answer in operation.document["responses"].items():
        for kind, media in answer.get("content", {}).items():
            if kind != "application/json" and not kind.endswith("+json"):
                continue
            schema = compiled(operation.service, media["schema"])
            shown = dict(examples(media))
            missing += [code] if not shown else []
            wrong |= {f"{code} {n}": schema.errors(value) for n, value in shown.items() if schema.errors(value)}
    assert wrong == {}
    assert missing == []


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
def test_what_an_answer_shows_never_looks_like_a_real_person(operation):
    """Addresses of mail in examples end in domains that nobody can own."""
    text = str(operation.document)
    hosts = {part.split("'")[0].split('"')[0] for part in text.split("@")[1:] if "." in part.split("'")[0]}
    assert all(host.startswith(("example.", "infirmary.example")) for host in hosts), hosts

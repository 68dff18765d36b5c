"""The real contracts load, and each view of them is what its reader wants."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.chassis import spec
from services.chassis.schemas import Schema, convert

OPENAPI = Path(__file__).parents[3] / "openapi"


@pytest.mark.parametrize("service", spec.services(OPENAPI))
def test_a_contract_is_one_document_without_references_to_files(service: str) -> None:
    contract = spec.load(OPENAPI, service)
    assert contract.operations
    assert b".yaml#" not in contract.published
    again = spec.load(OPENAPI, service)
    assert (again.published, again.etag) == (contract.published, contract.etag)


@pytest.mark.parametrize("service", spec.services(OPENAPI))
def test_the_run_time_view_carries_each_permission_as_scope(service: str) -> None:
    contract = spec.load(OPENAPI, service)
    view = spec.runtime_view(contract)
    for _, _, operation in spec.operations_of(view):
        known = contract.operations[operation["operationId"]]
        assert operation["security"] == ([] if known.is_public else [{"bearer": [known.permission]}])
        assert operation["responses"].keys() == known.document["responses"].keys()
        assert all("content" not in answer for answer in operation["responses"].values())
        named = {each["name"] for each in known.parameters if each["in"] == "path"}
        assert {each["name"] for each in operation["parameters"]} == named


@pytest.mark.parametrize("service", spec.services(OPENAPI))
def test_callers_read_where_each_operation_is_and_nothing_else(service: str) -> None:
    known = spec.load(OPENAPI, service).operations
    assert spec.addresses(OPENAPI, service) == {name: (each.method, each.path) for name, each in known.items()}


def test_addresses_are_found_beside_lists_aliases_and_other_words(tmp_path: Path) -> None:
    (tmp_path / "made.yaml").write_text(
        """
openapi: 3.0.3
tags: [{name: paths}, &tag [get, [operationId]]]
x-same: {paths: {/other: {get: {operationId: not_this}}}}
paths:
  /things/{id}:
    parameters: [{name: id, in: path, operationId: not_this}]
    summary: &said get
    get: {summary: *said, x-list: [1, {get: 2}], responses: {200: *tag}, operationId: get_thing}
    x-get: {operationId: not_this}
    delete:
      operationId: delete_thing
""",
        encoding="utf-8",
    )
    assert spec.addresses(tmp_path, "made") == {
        "get_thing": ("GET", "/things/{id}"),
        "delete_thing": ("DELETE", "/things/{id}"),
    }
    with pytest.raises(spec.ContractError, match="nobody"):
        spec.addresses(tmp_path, "nobody")


def test_unknown_services_have_no_contract() -> None:
    with pytest.raises(spec.ContractError, match="nobody"):
        spec.load(OPENAPI, "nobody")


def test_schemas_of_openapi_become_json_schemas() -> None:
    assert convert({"type": "string", "nullable": True, "enum": ["a"]}) == {
        "type": ["string", "null"],
        "enum": ["a", None],
    }
    assert convert({"type": "integer", "minimum": 0, "exclusiveMinimum": True}) == {
        "type": "integer",
        "exclusiveMinimum": 0,
    }
    assert convert({"type": "integer", "format": "int32"})["maximum"] == 2**31 - 1
    assert convert({"allOf": [{"x-a": 1, "example": 2}], "nullable": True}) == {
        "anyOf": [{"allOf": [{}]}, {"type": "null"}]
    }


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    schema = Schema(
        {"type": "object", "properties": {"example": {"type": "integer"}, "default": {"type": "string"}}}, {}
    )
    assert [(each.pointer, each.rule) for each in schema.errors({"example": "x", "default": 1})] == [
        ("/default", "type"),
        ("/example", "type"),
    ]

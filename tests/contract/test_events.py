"""What a service publishes is described in openapi/events.yaml and in its own docstring, and its model names it."""

from __future__ import annotations

import ast
import re

import pytest

from services.chassis import spec
from services.chassis.schemas import Schema
from tests.architecture import tree
from tests.contract.contracts import CONTRACTS, OPENAPI

TYPE = re.compile(r"[a-z_]+\.[a-z_]+\.v[0-9]+")
SCHEMAS = spec.events(OPENAPI)
TYPES = set(SCHEMAS) - {"Envelope"}
BY_ALL = {"audit.recorded.v1"}  # an audit entry comes from every service


def own(service):
    """The types under the name of a service."""
    return {kind for kind in TYPES - BY_ALL if kind.startswith(f"{service}.")}


PERSONAL = {
    "name", "family_name", "given_name", "birth_date", "phone", "phones", "email", "emails", "mrn", "address",
    "addresses", "substance", "reaction", "text", "note", "display", "coding", "diagnosis", "reason",
}  # fmt: skip


def literals(service):
    """The texts in the code of a service that look like the type of an event; docstrings do not count."""
    for path in tree.files(f"services/{service}"):
        for node in ast.walk(tree.parsed(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and TYPE.fullmatch(node.value):
                yield path, node.value


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_the_data_of_an_event_is_described_and_closed(kind):
    schema = SCHEMAS[kind]
    assert TYPE.fullmatch(kind)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    Schema(schema, {"schemas": SCHEMAS})


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_an_event_carries_ids_and_never_a_name_or_a_finding(kind):
    assert not set(SCHEMAS[kind].get("properties", {})) & PERSONAL


@pytest.mark.parametrize("service", CONTRACTS)
def test_what_is_described_is_named_in_the_code(service):
    """A schema that no code knows is left over; test_operations.py looks at what is really sent."""
    nodes = [node for path in tree.files(f"services/{service}") for node in ast.walk(tree.parsed(path))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert {kind for kind in own(service) if kind not in texts and kind.split(".")[1] not in texts} == set()


@pytest.mark.parametrize("service", CONTRACTS)
def test_a_service_says_what_it_publishes(service):
    """Each type by name, or all under its name; and no type that is not described."""
    module = tree.parsed(tree.ROOT / "services" / service / "__init__.py")
    publishes = re.search(r"Publishes:(.*?)Never knows:", ast.get_docstring(module), re.DOTALL)[1]
    said = set(TYPE.findall(publishes)) - BY_ALL
    assert said == own(service) or (f"`{service}.*`" in publishes and not said)


@pytest.mark.parametrize("service", CONTRACTS)
def test_what_a_consumer_listens_to_is_published_by_somebody(service):
    listened = {value for path, value in literals(service) if not tree.is_part(path, "model")}
    assert listened <= TYPES


def test_every_event_belongs_to_a_service():
    assert {kind.partition(".")[0] for kind in TYPES} <= set(CONTRACTS)

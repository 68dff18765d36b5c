"""Every operation of every contract, for tests that are written once and run over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from services.chassis import spec

OPENAPI = Path(__file__).resolve().parents[2] / "openapi"
CONTRACTS = {name: spec.load(OPENAPI, name) for name in spec.services(OPENAPI)}
OPERATIONS = [operation for contract in CONTRACTS.values() for operation in contract.operations.values()]


def named(value: object) -> str | None:
    """The name of an operation or service, for the ids of parametrised tests."""
    return value.operation_id if isinstance(value, spec.Operation) else value if isinstance(value, str) else None


def schema_of(operation: spec.Operation) -> Mapping[str, Any] | None:
    """The schema of the request body, or None when there is no body."""
    body = operation.document.get("requestBody")
    if body is None:
        return None
    return CONTRACTS[operation.service].resolve(body)["content"]["application/json"]["schema"]


def examples(media: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The examples of one media type, by name."""
    if "example" in media:
        yield "example", media["example"]
    for name, each in media.get("examples", {}).items():
        yield name, each["value"]


def subschemas(node: Any, *, service: str, seen: set[str] | None = None, path: str = "") -> Iterator[tuple[str, Any]]:
    """A schema and all that it is made of, references followed once, with a path to say where."""
    seen = set() if seen is None else seen
    if not isinstance(node, Mapping):
        return
    if "$ref" in node:
        if node["$ref"] not in seen:
            seen.add(node["$ref"])
            target = CONTRACTS[service].resolve(node)
            yield from subschemas(target, service=service, seen=seen, path=node["$ref"].rpartition("/")[2])
        return
    yield path, node
    for name, each in node.get("properties", {}).items():
        yield from subschemas(each, service=service, seen=seen, path=f"{path}.{name}")
    for key in ("items", "additionalProperties", "not"):
        yield from subschemas(node.get(key), service=service, seen=seen, path=f"{path}.{key}")
    for key in ("allOf", "anyOf", "oneOf"):
        for each in node.get(key, []):
            yield from subschemas(each, service=service, seen=seen, path=f"{path}.{key}")

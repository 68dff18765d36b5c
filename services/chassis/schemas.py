"""Schemas of the contracts, compiled once: OpenAPI 3.0 turned into JSON Schema 2020-12 for jsonschema-rs.

connexion's own validator is built again for each request (some 300 µs); a compiled one answers in 2 µs, and lists every
bad field. Values never leave here: an error is a pointer and the name of the broken rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema_rs

from services.kernel.errors import FieldError

_BOUNDS = {"int32": 2**31, "int64": 2**63}
_LEFT_OUT = frozenset({"example", "examples", "discriminator", "xml", "externalDocs", "deprecated", "default"})
_VERBATIM = frozenset({"enum", "required", "pattern", "nullable"})
_SHOWN = 100
_SHARED = "#/components/schemas/"


class Schema:
    """One compiled schema."""

    def __init__(self, node: Mapping[str, Any], components: Mapping[str, Any]) -> None:
        schemas = _reachable(node, components.get("schemas", {}))
        self._names = _property_names([node, *schemas.values()])
        converted = {name: convert(each) for name, each in schemas.items()}
        self._validator = jsonschema_rs.Draft202012Validator(
            {**convert(node), "components": {"schemas": converted}}, validate_formats=True, mask="…"
        )

    def is_valid(self, instance: object) -> bool:
        """Whether the instance fits."""
        return self._validator.is_valid(instance)

    def errors(self, instance: object) -> list[FieldError]:
        """Every place that does not fit, by JSON pointer; a name that the contract does not know is not repeated."""
        found = {
            self._error(each) for _, each in zip(range(_SHOWN), self._validator.iter_errors(instance), strict=False)
        }
        return sorted(found, key=lambda each: (each.pointer or "", each.rule))

    def pointer(self, path: Iterable[str | int]) -> str:
        """A JSON pointer (RFC 6901); a name that the contract does not know stands as `*` in it."""
        parts = (str(part) if isinstance(part, int) or part in self._names else "*" for part in path)
        return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)

    def _error(self, error: Any) -> FieldError:
        path = list(error.instance_path)
        if error.kind.name == "required":
            path.append(error.kind.property)
        return FieldError(rule=error.kind.name, pointer=self.pointer(path))


def convert(node: Any) -> Any:
    """A schema of OpenAPI 3.0 as one of JSON Schema 2020-12; `$ref` stay as they are."""
    if isinstance(node, list):
        return [convert(each) for each in node]
    if not isinstance(node, dict):
        return node
    out: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            out[key] = {name: convert(each) for name, each in value.items()}
        elif key in _VERBATIM:
            out[key] = value
        elif key not in _LEFT_OUT and not key.startswith("x-"):
            out[key] = convert(value)
    return _with_bounds(_with_null(out))


def _reachable(node: Any, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The shared schemas that a schema refers to, also through others; all of them would be compiled each time."""
    found: dict[str, Any] = {}
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, Mapping):
            waiting.extend(each.values())
            name = str(each.get("$ref", "")).removeprefix(_SHARED)
            if name in schemas and name not in found:
                found[name] = schemas[name]
                waiting.append(schemas[name])
    return found


def _with_null(out: dict[str, Any]) -> dict[str, Any]:
    if not out.pop("nullable", False):
        return out
    if "enum" in out and None not in out["enum"]:
        out["enum"] = [*out["enum"], None]
    if isinstance(out.get("type"), str):
        return {**out, "type": [out["type"], "null"]}
    return {"anyOf": [out, {"type": "null"}]}


def _with_bounds(out: dict[str, Any]) -> dict[str, Any]:
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if out.get(exclusive) is True:
            out[exclusive] = out.pop(inclusive)
        elif out.get(exclusive) is False:
            del out[exclusive]
    if out.get("format") in _BOUNDS:
        bound = _BOUNDS[out["format"]]
        out.setdefault("minimum", -bound)
        out.setdefault("maximum", bound - 1)
    return out


def _property_names(nodes: Iterable[Any]) -> frozenset[str]:
    names: set[str] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            names.update(node.get("properties", {}))
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return frozenset(names)

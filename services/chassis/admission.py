"""What a request must be before an operation sees it: parameters and body parsed once, checked once, all errors listed.

One plan per operation is made at the start. 400 is for what cannot be parsed, and for unknown or repeated parameters;
422 for what breaks the contract. Nothing that was sent is repeated in an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from services.chassis.schemas import Schema
from services.chassis.spec import Contract, Operation
from services.kernel.errors import FieldError, Invalid, Malformed

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})\Z")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?\Z")
_BOOLEANS = {"true": True, "false": False}
# Escaped C0 and C1 controls, and raw DEL and C1: the only ways in which one can stand in valid JSON.
_SUSPECT = re.compile(rb"\\u00[01789]|\\[bf]|\x7f|\xc2[\x80-\x9f]", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')


class UnsupportedMedia(Exception):
    """The body is of another media type than `application/json`."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation, ready to check."""

    name: str
    place: str
    kind: str
    is_list: bool
    required: bool
    default: Any
    schema: Schema

    def read(self, raw: str) -> Any:
        """The value of its type, or the text itself where it is none, so that the schema refuses it."""
        if self.kind == "integer" and _INTEGER.match(raw):
            return int(raw)
        if self.kind == "number" and _NUMBER.match(raw):
            return float(raw)
        if self.kind == "boolean":
            return _BOOLEANS.get(raw, raw)
        return raw


@dataclass(frozen=True, slots=True)
class Admitted:
    """What came in and was found right: arguments by name, the body, and the headers that the chassis acts on."""

    arguments: dict[str, Any]
    body: Any
    raw_body: bytes


@dataclass(frozen=True)
class Plan:
    """How the requests of one operation are checked."""

    operation: Operation
    parameters: Sequence[Parameter]
    body: Schema | None
    body_required: bool
    known: frozenset[str] = field(default_factory=frozenset)

    def admit(
        self,
        *,
        path: Mapping[str, Any],
        query: bytes,
        headers: Mapping[str, str],
        repeated: frozenset[str],
        raw: bytes,
    ) -> Admitted:
        """Parse and check one request.

        headers: names in lower case; repeated: names of headers that came more than once.
        Raises:  Malformed, Invalid, UnsupportedMedia.
        """
        given = self._query(query)
        wrong = [FieldError("repeated", parameter=p.name) for p in self.parameters if p.name.lower() in repeated]
        if wrong:
            raise Malformed(errors=wrong)
        arguments: dict[str, Any] = {}
        errors: list[FieldError] = []
        for parameter in self.parameters:
            value, error = _value(parameter, path, given, headers)
            if error:
                errors.append(error)
            else:
                arguments[parameter.name.replace("-", "_").lower()] = value
        body = self._body(raw, headers.get("content-type", ""), errors)
        if errors:
            raise Invalid(errors=errors)
        return Admitted(arguments, body, raw)

    def _query(self, query: bytes) -> dict[str, list[str]]:
        given: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=64)
        except ValueError as error:
            raise Malformed(errors=[FieldError("query")]) from error
        for name, value in pairs:
            given.setdefault(name, []).append(value)
        errors = [FieldError("unknown_parameter")] if given.keys() - self.known else []
        lists = {each.name for each in self.parameters if each.is_list}
        errors += [
            FieldError("repeated", parameter=n) for n, v in given.items() if len(v) > 1 and n in self.known - lists
        ]
        if errors:
            raise Malformed(errors=errors)
        return given

    def _body(self, raw: bytes, content_type: str, errors: list[FieldError]) -> Any:
        if self.body is None:
            return None
        if not raw:
            if self.body_required:
                raise Malformed(errors=[FieldError("required", pointer="")])
            return None
        media, _, charset = content_type.partition(";")
        if media.strip().lower() != "application/json" or "utf-16" in charset.lower() or "utf-32" in charset.lower():
            raise UnsupportedMedia
        body = parse(raw)
        if _SUSPECT.search(raw):
            errors.extend(FieldError("control_character", pointer=self.body.pointer(each)) for each in controlled(body))
        if not self.body.is_valid(body):
            errors.extend(self.body.errors(body))
        return body


def plans(contract: Contract) -> dict[str, Plan]:
    """A plan for each operation of a contract, by operationId."""
    components = contract.document.get("components", {})
    return {name: _plan(contract, each, components) for name, each in contract.operations.items()}


def parse(raw: bytes) -> Any:
    """JSON that means one thing: no repeated names, no NaN, no lone surrogates, bounded depth.

    Raises:  Malformed.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(errors=[FieldError("json", pointer="")]) from error
    if _STRINGS.sub(b"", raw).count(b":") != _names(body):
        raise Malformed(errors=[FieldError("repeated_name", pointer="")])
    return body


def controlled(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a text, or a name, holds a control character other than tab and line ends."""
    if isinstance(node, str):
        if _CONTROL.search(node):
            yield path
    elif isinstance(node, list):
        for index, each in enumerate(node):
            yield from controlled(each, (*path, index))
    elif isinstance(node, dict):
        for name, each in node.items():
            if _CONTROL.search(name):
                yield (*path, name)
            yield from controlled(each, (*path, name))


def _names(node: Any) -> int:
    """How many names an instance has, in all its objects."""
    if isinstance(node, dict):
        return len(node) + sum(_names(each) for each in node.values() if isinstance(each, dict | list))
    if isinstance(node, list):
        return sum(_names(each) for each in node if isinstance(each, dict | list))
    return 0


def _value(
    parameter: Parameter, path: Mapping[str, Any], given: Mapping[str, list[str]], headers: Mapping[str, str]
) -> tuple[Any, FieldError | None]:
    value: Any = None
    if parameter.place == "path":
        value = parameter.read(str(path[parameter.name.replace("-", "_")]))
    elif parameter.place == "query" and parameter.name in given:
        read = [parameter.read(each) for each in given[parameter.name]]
        value = read if parameter.is_list else read[0]
    elif parameter.place == "header" and parameter.name.lower() in headers:
        value = headers[parameter.name.lower()]
    if value is None:
        missing = FieldError("required", parameter=parameter.name) if parameter.required else None
        return parameter.default, missing
    if any(isinstance(each, str) and _CONTROL.search(each) for each in (value if parameter.is_list else [value])):
        return None, FieldError("control_character", parameter=parameter.name)
    if not parameter.schema.is_valid(value):
        return None, FieldError(parameter.schema.errors(value)[0].rule, parameter=parameter.name)
    return value, None


def _plan(contract: Contract, operation: Operation, components: Mapping[str, Any]) -> Plan:
    parameters = [_parameter(contract, each, components) for each in operation.parameters]
    body = operation.document.get("requestBody")
    body = contract.resolve(body) if body else None
    return Plan(
        operation=operation,
        parameters=parameters,
        body=Schema(body["content"]["application/json"]["schema"], components) if body else None,
        body_required=bool(body and body.get("required")),
        known=frozenset(each.name for each in parameters if each.place == "query"),
    )


def _parameter(contract: Contract, document: Mapping[str, Any], components: Mapping[str, Any]) -> Parameter:
    schema = contract.resolve(document["schema"])
    is_list = schema.get("type") == "array"
    items = contract.resolve(schema["items"]) if is_list else schema
    return Parameter(
        name=document["name"],
        place=document["in"],
        kind=items.get("type", "string"),
        is_list=is_list,
        required=bool(document.get("required")),
        default=schema.get("default"),
        schema=Schema(document["schema"], components),
    )

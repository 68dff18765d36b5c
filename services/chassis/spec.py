"""The contracts: load one, bundle what it refers to into one document, list its operations.

Two views come out of one contract. The published one is what developers read. The run-time one is what connexion gets:
where each operation is, and scopes injected from `x-permission`.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import yaml

from services.kernel.purposes import Purpose

METHODS = ("get", "put", "post", "delete", "patch")
NOT_CONTRACTS = frozenset({"common", "events", "permissions"})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KINDS = ("schemas", "parameters", "responses", "requestBodies", "headers", "examples", "securitySchemes")
_KIND_OF_KEY = {
    "parameters": "parameters",
    "requestBody": "requestBodies",
    "responses": "responses",
    "headers": "headers",
    "schema": "schemas",
    "items": "schemas",
    "properties": "schemas",
    "allOf": "schemas",
    "oneOf": "schemas",
    "anyOf": "schemas",
    "additionalProperties": "schemas",
}


class ContractError(Exception):
    """A contract is not as the chassis wants it; the text names file, operation and what is wrong."""


@dataclass(frozen=True)
class Operation:
    """One operation of a contract, with what the chassis does for it."""

    service: str
    operation_id: str
    method: str
    path: str
    permission: str | None
    audit: str
    purpose: Purpose
    needs_live_policy: bool
    needs_step_up: bool
    parameters: tuple[Mapping[str, Any], ...] = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)

    def _takes_header(self, name: str) -> bool:
        return any(each["in"] == "header" and each["name"] == name for each in self.parameters)

    @property
    def is_public(self) -> bool:
        """Whether it may be called without a token."""
        return self.permission is None

    @cached_property
    def takes_key(self) -> bool:
        """Whether it creates or acts, and so wants an Idempotency-Key."""
        return self._takes_header("Idempotency-Key")

    @cached_property
    def takes_version(self) -> bool:
        """Whether it changes a version, and so wants If-Match."""
        return self._takes_header("If-Match")

    @cached_property
    def success(self) -> tuple[int, Mapping[str, Any]]:
        """The first 2xx status and its answer."""
        status = min(code for code in self.document["responses"] if str(code).startswith("2"))
        return int(status), self.document["responses"][status]

    def answers_with_header(self, name: str) -> bool:
        """Whether a 2xx answer declares the header."""
        return any(
            name in answer.get("headers", {}) for code, answer in self.document["responses"].items() if code[0] == "2"
        )


@dataclass(frozen=True)
class Contract:
    """One service's contract, bundled and with every `$ref` that leaves the file resolved."""

    service: str
    document: dict[str, Any] = field(repr=False)

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """Every operation by its operationId."""
        found: dict[str, Operation] = {}
        for path, method, document in operations_of(self.document):
            operation = _operation(self, path, method, document)
            if operation.operation_id in found:
                raise ContractError(f"{self.service}: {operation.operation_id} stands twice")
            found[operation.operation_id] = operation
        return found

    @cached_property
    def published(self) -> bytes:
        """The document for developers, as JSON."""
        return orjson.dumps(self.document)

    @cached_property
    def etag(self) -> str:
        """A validator for caches of the published document."""
        return f'"{hashlib.sha256(self.published).hexdigest()[:20]}"'

    def allowed(self, path: str) -> str:
        """The methods of a concrete path, as the header `Allow` wants them."""
        return ", ".join(sorted({method for pattern, method in self._patterns if pattern.fullmatch(path)}))

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        return [
            (re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))), method.upper())
            for path, method, _ in operations_of(self.document)
        ]

    def resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """The node, or what its `$ref` points at in this document."""
        while "$ref" in node:
            node = _at(self.document, node["$ref"].removeprefix("#"))
        return node


def services(openapi_dir: Path) -> list[str]:
    """Names of all services that have a contract, sorted."""
    return sorted(path.stem for path in openapi_dir.glob("*.yaml") if path.stem not in NOT_CONTRACTS)


def load(openapi_dir: Path, service: str) -> Contract:
    """Read and bundle the contract of one service.

    Raises:  ContractError: no such file, a reference to nothing, or an operation without `x-permission` or `x-audit`;
        or an audited one without a purpose of its own or its contract's.
    """
    path = openapi_dir / f"{service}.yaml"
    if not path.is_file():
        raise ContractError(f"no contract for {service}: {path.name} is missing")
    contract = Contract(service, _Bundler(path).bundle())
    _ = contract.operations  # evaluated here so that a bad contract stops the start
    return contract


def addresses(openapi_dir: Path, service: str) -> dict[str, tuple[str, str]]:
    """Method and path of each operation by its operationId, for those who call it.

    A contract is long, and its callers want a hundredth of it: it is read as it comes, and the rest is never in memory.

    Raises:  ContractError: no such file.
    """
    source, found = openapi_dir / f"{service}.yaml", dict[str, tuple[str, str]]()
    if not source.is_file():
        raise ContractError(f"no contract for {service}: {source.name} is missing")
    with source.open(encoding="utf-8") as file:
        for place, value in _leaves(yaml.parse(file, _LOADER)):
            match place:
                case ("paths", path, method, "operationId") if method in METHODS:
                    found[value] = (method.upper(), path)
    return found


def events(openapi_dir: Path) -> dict[str, Any]:
    """The schemas of events by type, and `Envelope`."""
    return dict(_read(openapi_dir / "events.yaml")["components"]["schemas"])


def permissions(openapi_dir: Path) -> dict[str, Any]:
    """`permissions` (name to sentence) and `roles` (name to title, description and permissions)."""
    return dict(_read(openapi_dir / "permissions.yaml"))


def operations_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every (path, method, operation) of a document."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def runtime_view(contract: Contract) -> dict[str, Any]:
    """What connexion gets: where each operation is, and `x-permission` as oauth2 scopes.

    Of a contract connexion does routing and security here; what goes in is checked by the admission, and the contract
    itself by tests. What it is not given it does not check at each start, and does not hold in memory.
    """
    flow = {"tokenUrl": "/api/v1/tokens", "scopes": {}}
    made: dict[str, Any] = {
        "openapi": contract.document["openapi"],
        "info": {key: contract.document["info"][key] for key in ("title", "version")},
        "components": {"securitySchemes": {"bearer": {"type": "oauth2", "flows": {"clientCredentials": flow}}}},
        "paths": {},
    }
    for known in contract.operations.values():
        made["paths"].setdefault(known.path, {})[known.method.lower()] = {
            "operationId": known.operation_id,
            "security": [] if known.is_public else [{"bearer": [known.permission]}],
            "parameters": [_in_path(contract, each) for each in known.parameters if each["in"] == "path"],
            "responses": {code: {"description": ""} for code in known.document["responses"]},
        }
    return made


def _in_path(contract: Contract, parameter: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter of a path: routing asks for the name and the type."""
    schema = contract.resolve(parameter["schema"])
    return {"name": parameter["name"], "in": "path", "required": True, "schema": {"type": schema.get("type", "string")}}


def _operation(contract: Contract, path: str, method: str, document: Mapping[str, Any]) -> Operation:
    name = document.get("operationId", f"{method} {path}")
    missing = [key for key in ("operationId", "x-permission", "x-audit", "responses") if key not in document]
    if missing:
        raise ContractError(f"{contract.service}: {name} lacks {', '.join(missing)}")
    shared = contract.document["paths"][path].get("parameters", [])
    return Operation(
        service=contract.service,
        operation_id=name,
        method=method.upper(),
        path=path,
        permission=None if document["x-permission"] == "none" else document["x-permission"],
        audit=document["x-audit"],
        purpose=_purpose(contract, document),
        needs_live_policy=bool(document.get("x-needs-live-policy", False)),
        needs_step_up=bool(document.get("x-step-up", False)),
        parameters=tuple(contract.resolve(each) for each in [*shared, *document.get("parameters", [])]),
        document={**document, "responses": {str(c): contract.resolve(r) for c, r in document["responses"].items()}},
    )


def _purpose(contract: Contract, document: Mapping[str, Any]) -> Purpose:
    """What an operation is called for: its own word, else that of its contract; what leaves no entry needs none."""
    word = document.get("x-purpose", contract.document.get("x-purpose"))
    if word is None and document["x-audit"] == "none":
        return Purpose.OPERATIONS
    try:
        return Purpose(word)
    except ValueError as error:
        raise ContractError(f"{contract.service}: {document['operationId']} has no known purpose") from error


def _read(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8") as file:
        return dict(_plain(yaml.load(file, _LOADER)))  # noqa: S506 - both are safe loaders


def _leaves(events: Iterable[yaml.Event]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each plain value of a document with the keys that lead to it; what stands in a list has an empty one."""
    keys: list[str | None] = []  # of every mapping and list that is open; None where a key comes next
    lists: list[bool] = []
    for event in events:
        match event:
            case yaml.CollectionStartEvent():
                lists.append(isinstance(event, yaml.SequenceStartEvent))
                keys.append("" if lists[-1] else None)
            case yaml.CollectionEndEvent():
                lists.pop()
                keys.pop()
                _next_key(keys, lists)
            case yaml.ScalarEvent() if keys and keys[-1] is None:
                keys[-1] = event.value
            case yaml.ScalarEvent() | yaml.AliasEvent():
                if isinstance(event, yaml.ScalarEvent):
                    yield tuple(key or "" for key in keys), event.value
                _next_key(keys, lists)


def _next_key(keys: list[str | None], lists: list[bool]) -> None:
    if keys and not lists[-1]:
        keys[-1] = None


def _plain(node: Any) -> Any:
    """JSON has string keys and no dates; YAML has both."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(each) for each in node]
    return node.isoformat() if hasattr(node, "isoformat") else node


def _at(document: Mapping[str, Any], pointer: str) -> Any:
    node: Any = document
    for part in pointer.strip("/").split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


class _Bundler:
    """Moves what a contract refers to in other files into its own `components`."""

    def __init__(self, path: Path) -> None:
        self._root = path.resolve()
        self._files: dict[Path, dict[str, Any]] = {}
        self._moved: dict[tuple[Path, str], str] = {}
        self._components: dict[str, Any] = {}

    def bundle(self) -> dict[str, Any]:
        document = self._file(self._root)
        self._components = document.setdefault("components", {})
        for key in [key for key in document if key != "components"]:
            document[key] = self._walk(document[key], self._root, "schemas")
        for kind in list(self._components):
            for name in list(self._components[kind]):
                self._take_in(kind, name)
                self._components[kind][name] = self._walk(self._components[kind][name], self._root, kind)
        return document

    def _take_in(self, kind: str, name: str) -> None:
        """A part that only says where it stands in another file takes that one's content, and keeps its own name."""
        node = self._components[kind][name]
        reference = node.get("$ref", "") if isinstance(node, dict) else ""
        file, _, pointer = reference.partition("#")
        if file:
            target = (self._root.parent / file).resolve()
            self._moved[(target, pointer)] = f"#/components/{kind}/{name}"
            self._components[kind][name] = self._walk(copy.deepcopy(_at(self._file(target), pointer)), target, kind)

    def _file(self, path: Path) -> dict[str, Any]:
        if path not in self._files:
            self._files[path] = _read(path)
        return self._files[path]

    def _walk(self, node: Any, here: Path, kind: str) -> Any:
        if isinstance(node, list):
            return [self._walk(each, here, kind) for each in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            return self._reference(node["$ref"], here, kind)
        return {key: self._walk(value, here, _KIND_OF_KEY.get(key, kind)) for key, value in node.items()}

    def _reference(self, reference: str, here: Path, kind: str) -> dict[str, Any]:
        file, _, pointer = reference.partition("#")
        target = (here.parent / file).resolve() if file else here
        if target == self._root:
            return {"$ref": f"#{pointer}"}
        if (target, pointer) not in self._moved:
            parts = pointer.strip("/").split("/")
            own = parts[1] if len(parts) == 3 and parts[1] in _KINDS else kind
            place = self._components.setdefault(own, {})
            name = parts[-1]
            if name in place:
                name = f"{target.stem.title()}{name}"
            self._moved[(target, pointer)] = f"#/components/{own}/{name}"
            place[name] = {}
            try:
                found = _at(self._file(target), pointer)
            except (KeyError, OSError) as error:
                raise ContractError(f"{self._root.name}: {reference} points at nothing") from error
            place[name] = self._walk(copy.deepcopy(found), target, own)
        return {"$ref": self._moved[(target, pointer)]}

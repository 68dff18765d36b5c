"""Which requests exist: every path of every contract, the operations on it, and the order in which they are tried.

A path parameter matches one segment of unreserved characters (letters, digits, `-`, `.`, `_`, `~`), never `.` or `..`.
Ids are made of these; everything that has fooled a router (`;`, `%2e`, `@`, NUL) is not, and is not found here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.chassis import spec

_PARAMETER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
_SEGMENT = r"(?:\.{0,2}[A-Za-z0-9_~-][A-Za-z0-9._~-]*|\.{3,})"
_PREFIX = "/api/v1/"


class RoutesError(Exception):
    """The contracts do not make one table of routes; the text names the operations."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the gateway sees it."""

    service: str
    operation_id: str
    method: str
    is_public: bool

    @property
    def name(self) -> str:
        """The name of its route, in logs and traces."""
        return f"{self.service}.{self.operation_id}"

    @property
    def is_safe_to_repeat(self) -> bool:
        """Whether sending it twice is the same as sending it once; only reads are."""
        return self.method == "GET"


@dataclass(frozen=True, slots=True)
class Route:
    """One path of one contract, and the operations that this service offers on it."""

    service: str
    path: str
    operations: tuple[Operation, ...]

    @property
    def shape(self) -> str:
        """The path without the names of its parameters: two paths of one shape match the same requests."""
        return _PARAMETER.sub("{}", self.path)

    @property
    def regex(self) -> str:
        """What Envoy matches the path with."""
        return _SEGMENT.join(re.escape(part) for part in _PARAMETER.split(self.path))

    @property
    def is_literal(self) -> bool:
        """Whether the path has no parameter."""
        return "{" not in self.path


def routes(openapi_dir: Path) -> tuple[Route, ...]:
    """Every path of every contract in a folder."""
    return of(contracts(openapi_dir))


def contracts(openapi_dir: Path) -> tuple[spec.Contract, ...]:
    """Every contract of a folder, bundled, by name."""
    return tuple(spec.load(openapi_dir, name) for name in spec.services(openapi_dir))


def of(contracts: Iterable[spec.Contract]) -> tuple[Route, ...]:
    """Every path of some contracts, literal segments before parameters, so that the first match is the right one.

    Raises:  RoutesError: two operations answer the same request, or one is public in only one of the two places.
    """
    found = [route for contract in contracts for route in _of_one(contract)]
    _refuse_ambiguity(found)
    return tuple(sorted(found, key=_order))


def allowed(found: Sequence[Route], *, shape: str) -> tuple[str, ...]:
    """The methods that some service offers on the paths of one shape."""
    methods = {operation.method for route in found if route.shape == shape for operation in route.operations}
    return tuple(sorted(methods | {"OPTIONS"}))


def _of_one(contract: spec.Contract) -> Iterable[Route]:
    operations: dict[str, list[Operation]] = {path: [] for path in contract.document["paths"]}
    for operation in contract.operations.values():
        _refuse_half_public(operation)
        operations[operation.path].append(
            Operation(operation.service, operation.operation_id, operation.method, operation.is_public)
        )
    for path, offered in operations.items():
        rest = _PARAMETER.sub("x", path)
        if not path.startswith(_PREFIX) or not re.fullmatch(r"[A-Za-z0-9/._~:-]+", rest) or path.endswith("/"):
            raise RoutesError(f"{contract.service}: {path} is not a path under {_PREFIX}")
        yield Route(contract.service, path, tuple(sorted(offered, key=lambda each: each.method)))


def _refuse_half_public(operation: spec.Operation) -> None:
    """Public needs both words, `x-permission: none` and `security: []`: one alone is a slip, which must not open."""
    if operation.is_public != (operation.document.get("security") == []):
        raise RoutesError(
            f"{operation.service}.{operation.operation_id}: `x-permission: none` and `security: []` belong together"
        )


def _refuse_ambiguity(found: Iterable[Route]) -> None:
    seen: dict[tuple[str, str], Operation] = {}
    for route in found:
        for operation in route.operations:
            other = seen.setdefault((route.shape, operation.method), operation)
            if other is not operation:
                raise RoutesError(f"{other.name} and {operation.name} answer the same request")


def _order(route: Route) -> tuple[object, ...]:
    segments = route.path.split("/")
    return (
        tuple((_PARAMETER.search(part) is not None, _PARAMETER.sub("{}", part)) for part in segments),
        route.service,
    )

"""The pages of the web UI as its source knows them: whose an address is, what it wants, what it asks of the API."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import flask
from werkzeug.exceptions import HTTPException

from frontend.area import NEEDS, OPEN
from frontend.controllers import AREAS
from services.chassis.spec import Operation
from tests.contract.contracts import OPERATIONS

BY_ID = {operation.operation_id: operation for operation in OPERATIONS}
_APP = flask.Flask("pages")
for _area in AREAS:
    _area.register(_APP)
_URLS = _APP.url_map.bind("")
NEEDED: Mapping[str, tuple[str, ...]] = _APP.config[NEEDS]
"""Permissions by endpoint."""
OPENED: set[str] = _APP.config[OPEN]
"""Endpoints for which nobody has to be signed in."""


def endpoint(address: str, method: str = "GET") -> str | None:
    """What answers there."""
    try:
        return str(_URLS.match(urlsplit(address).path, method)[0])
    except HTTPException:
        return None


def kind(address: str) -> str | None:
    """Endpoint, what of the address chooses between templates, and names of the query: records of a kind look alike."""
    parts = urlsplit(address)
    try:
        rule, values = _URLS.match(parts.path, "GET", return_rule=True)
    except HTTPException:
        return None
    chosen = [each for each in values.values() if re.search(rf"any\([^)]*\b{re.escape(str(each))}\b", rule.rule)]
    return " ".join([rule.endpoint, *map(str, chosen), *sorted({name for name, _ in parse_qsl(parts.query)})])


def every(method: str = "GET") -> Iterator[tuple[str, str]]:
    """Endpoint and rule of every page, or of every change."""
    for rule in _APP.url_map.iter_rules():
        if rule.endpoint in NEEDED and method in (rule.methods or ()):
            yield rule.endpoint, rule.rule


def changes(name: str) -> list[Operation]:
    """The changing operations that an endpoint names: itself, in functions that it calls, in tables they read."""
    named = _named(inspect.unwrap(_APP.view_functions[name]), set())
    return [BY_ID[each] for each in sorted(named) if each in BY_ID and BY_ID[each].method.upper() != "GET"]


def _named(thing: Any, seen: set[int]) -> set[str]:
    """Every text in a function and in what it refers to."""
    if id(thing) in seen:
        return set()
    seen.add(id(thing))
    if isinstance(thing, str):
        return {thing}
    if isinstance(thing, FunctionType):
        return _in_source(thing, seen) if thing.__module__.startswith("frontend.") else set()
    return set[str]().union(*(_named(each, seen) for each in _members(thing)))


def _members(thing: Any) -> Iterable[Any]:
    if isinstance(thing, Mapping):
        return thing.values()
    if isinstance(thing, tuple | list | set | frozenset):
        return thing
    return vars(thing).values() if dataclasses.is_dataclass(thing) and not isinstance(thing, type) else ()


def _in_source(function: FunctionType, seen: set[int]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.Name):
            found |= _named(function.__globals__.get(node.id), seen)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = function.__globals__.get(node.value.id)
            if inspect.ismodule(module) and module.__name__.startswith("frontend."):
                found |= _named(getattr(module, node.attr, None), seen)
    return found

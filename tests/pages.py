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
FOR_ALL = {"entry.sign_out"}
"""Changes that a page offers whatever the account may do."""
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


def changes(name: str, *, tables: bool = False) -> list[Operation]:
    """The changing operations that an endpoint names, in itself and in functions that it calls.

    tables: in tables that they read too, which may hold more than what this one does.
    """
    named = _named(inspect.unwrap(_APP.view_functions[name]), set(), tables=tables)
    return [BY_ID[each] for each in sorted(named) if each in BY_ID and BY_ID[each].method.upper() != "GET"]


def missing(name: str, may: set[str]) -> set[str]:
    """Permissions that a change wants, by itself or by the operations behind it, and that this account has not."""
    if name in FOR_ALL:
        return set()
    listed = {each.permission for each in changes(name, tables=True) if each.permission}
    named = {each.permission for each in changes(name) if each.permission}
    return ({*NEEDED[name], *named} - may) or (set() if listed & may else listed)


def _named(thing: Any, seen: set[int], *, tables: bool) -> set[str]:
    """Every text in a function and in what it refers to."""
    if id(thing) in seen:
        return set()
    seen.add(id(thing))
    if isinstance(thing, FunctionType):
        is_ours = thing.__module__.startswith("frontend.")
        return set[str]().union(*(_named(each, seen, tables=tables) for each in _used(thing))) if is_ours else set()
    if isinstance(thing, str):
        return {thing}
    return set[str]().union(*(_named(each, seen, tables=tables) for each in _members(thing))) if tables else set()


def _members(thing: Any) -> Iterable[Any]:
    if isinstance(thing, Mapping):
        return thing.values()
    if isinstance(thing, tuple | list | set | frozenset):
        return thing
    return vars(thing).values() if dataclasses.is_dataclass(thing) and not isinstance(thing, type) else ()


def _used(function: FunctionType) -> Iterator[Any]:
    """Texts in a function, and what stands behind the names in it."""
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Constant):
            yield node.value
        elif isinstance(node, ast.Name):
            yield function.__globals__.get(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = function.__globals__.get(node.value.id)
            if inspect.ismodule(module) and module.__name__.startswith("frontend."):
                yield getattr(module, node.attr, None)

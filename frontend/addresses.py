"""Addresses of pages and of static files, as templates ask for them: a list has two in each of its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import flask

from frontend.names import ID


def url_for(endpoint: str, **values: Any) -> str:
    """Flask's, asked once for each form of an address: most have nothing in them, or ids."""
    if endpoint.startswith(".") or not all(isinstance(each, str) and ID.fullmatch(each) for each in values.values()):
        return flask.url_for(endpoint, **values)
    return _form(endpoint, *values).format_map(values)


def about(endpoint: str, name: str) -> Callable[[str], str]:
    """The addresses of one page about many things, by their ids, for a list that has them from the API."""
    before, _, after = _form(endpoint, name).partition(f"{{{name}}}")
    return lambda thing_id: f"{before}{thing_id}{after}"


@lru_cache(maxsize=1_000)
def _form(endpoint: str, *names: str) -> str:
    ids: dict[str, Any] = {name: f"{number:08x}-0000-0000-0000-000000000000" for number, name in enumerate(names)}
    address = flask.url_for(endpoint, **ids)
    for name, each in ids.items():
        address = address.replace(each, f"{{{name}}}")
    return address


def assets(folder: Path) -> Callable[[str], str]:
    """Addresses of static files that change with their content, so that browsers may keep them for ever."""
    known: dict[str, str] = {}  # a page names twenty of them

    def asset(name: str) -> str:
        if name not in known:
            tag = hashlib.sha256((folder / name).read_bytes()).hexdigest()[:12]
            known[name] = flask.url_for("static", filename=name, v=tag)
        return known[name]

    return asset

"""The page under `/docs`: every contract, readable and to be tried out, without anything from outside.

Swagger UI comes from the package `flask-swagger-ui`, which carries the distributed files of each release; none of its
Python is run. Envoy serves all files itself, so that the page is there even when no service is.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.chassis.spec import Contract

ROOT: Final = "/docs/"
ENTRANCE: Final = "/"
DOOR: Final = "/docs"
_PACKAGE: Final = "flask_swagger_ui"
_VENDOR: Final = ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE")
_OWN: Final = ("page.css", "start.js", "icon.svg")
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    "": "text/plain; charset=utf-8",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class PageError(Exception):
    """The files of the page cannot be had; the text says what to install."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of the page: its name on disk, its path on the web, its bytes and its headers."""

    name: str
    path: str
    content: bytes
    headers: tuple[tuple[str, str], ...]


def document(service: str) -> str:
    """Where the document of a service is."""
    return f"{ROOT}openapi/{service}.json"


def files(contracts: Sequence[Contract]) -> tuple[File, ...]:
    """Every file of the page.

    Raises:  PageError: Swagger UI is not installed.
    """
    assets = {**_vendor(), **_own(), "contracts.json": _list(contracts)}
    digest = hashlib.sha256(b"".join(name.encode() + assets[name] for name in sorted(assets))).hexdigest()[:16]
    folder = f"{ROOT}assets/{digest}/"
    page = string.Template(_text("index.html")).substitute(assets=folder).encode()
    fixed = [_file(name, path=folder + name, content=assets[name], kept=True) for name in sorted(assets)]
    return (_file("index.html", path=ROOT, content=page, kept=False), *fixed)


def write(folder: Path, *, files: Iterable[File]) -> None:
    """Write the files where Envoy shall find them."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        fresh = folder / f"{file.name}.new"
        fresh.write_bytes(file.content)
        fresh.replace(folder / file.name)


def _file(name: str, *, path: str, content: bytes, kept: bool) -> File:
    """Compressed once, here: Envoy sends the bytes as they lie. Names of assets change with their content."""
    headers = [
        ("content-type", _TYPES[Path(name).suffix]),
        ("content-encoding", "gzip"),
        ("cache-control", "public, max-age=31536000, immutable" if kept else "no-cache"),
    ]
    if name.endswith(".html"):
        headers.append(("content-security-policy", _POLICY))
    return File(f"{name}.gz", path, gzip.compress(content, compresslevel=9, mtime=0), tuple(headers))


def _list(contracts: Sequence[Contract]) -> bytes:
    found = [
        {"service": contract.service, "title": contract.document["info"]["title"], "url": document(contract.service)}
        for contract in contracts
    ]
    return json.dumps(sorted(found, key=lambda each: each["url"]), ensure_ascii=False, indent=1).encode()


def _own() -> dict[str, bytes]:
    return {name: _text(name).encode() for name in _OWN}


def _text(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _vendor() -> dict[str, bytes]:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise PageError("Swagger UI is not installed: pip install flask-swagger-ui")
    folder = Path(found.origin).parent / "dist"
    try:
        return {name: (folder / name).read_bytes() for name in _VENDOR}
    except OSError as error:
        raise PageError("flask-swagger-ui does not hold the files that it should: install it again") from error

"""What each program wants to know, read from its own settings classes, so that nothing about one is typed twice.

The source is read, not run: a program is imported in its own process only.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from standalone.settings import ROOT

NOT_SERVICES = {"kernel", "chassis"}
BASE = "Settings"  # how the name of every class of settings ends


@dataclass(frozen=True, slots=True)
class Need:
    """One setting of a program."""

    name: str
    is_secret: bool
    is_required: bool


@dataclass(frozen=True, slots=True)
class Needs:
    """What one program wants beside what every one does, and the kind of its own database, if any.

    is_service: whether it has a contract, a worker and an account of its own.
    """

    program: str
    settings: tuple[Need, ...]
    store: str
    is_service: bool = True

    def __contains__(self, name: str) -> bool:
        return any(each.name == name for each in self.settings)


def services(root: Path = ROOT) -> list[str]:
    """The services of this checkout: the folders under `services/` that have a composition root."""
    folders = (path for path in (root / "services").iterdir() if path.name not in NOT_SERVICES)
    return sorted(path.name for path in folders if _sources(path))


def programs(root: Path = ROOT) -> list[str]:
    """Everything of this checkout that has a composition root: the services, and what stands beside them."""
    beside = [path.name for path in root.iterdir() if path.is_dir() and path.name != "services" and _sources(path)]
    return sorted([*services(root), *beside])


def of(program: str, *, root: Path = ROOT) -> Needs:
    """What this program's settings say: a class in its composition root, and those that it is made of."""
    within = root / "services" / program
    folder = within if within.is_dir() else root / program
    found = [need for source in sorted(folder.rglob("*.py")) for need in _settings(source)]
    return Needs(program, tuple(found), _store(folder), is_service=folder == within)


def _settings(source: Path) -> list[Need]:
    text = source.read_text(encoding="utf-8")
    if f"{BASE})" not in text:
        return []
    classes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef))
    return [need for each in classes if any(_last_name(b).endswith(BASE) for b in each.bases) for need in _fields(each)]


def _store(folder: Path) -> str:
    """The kind of store whose part of the chassis the composition root imports."""
    store = ""
    for source in _sources(folder):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "services.chassis":
                names = {alias.name for alias in node.names}
                store = "mongodb" if "mongo" in names else "postgresql" if "sql" in names else store
    return store


def _sources(folder: Path) -> list[Path]:
    return [*folder.glob("app.py"), *sorted((folder / "app").glob("*.py"))]


def _fields(node: ast.ClassDef) -> list[Need]:
    return [
        Need(each.target.id, "Secret" in ast.unparse(each.annotation), _is_required(each.value))
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    ]


def _is_required(value: ast.expr | None) -> bool:
    """Without a default, or with a `Field(…)` that has none."""
    if isinstance(value, ast.Call) and _last_name(value.func) == "Field":
        return not value.args and not any(word.arg in {"default", "default_factory"} for word in value.keywords)
    return value is None


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""

"""What lies on disk: the lists that the architecture tests compare."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SHARED = {"kernel", "chassis"}
NINE = ("app", "controller", "consumers", "jobs", "repository", "view", "schema", "model")
PRODUCT = ("services", "frontend", "gateway", "standalone", "observability")


def services() -> list[str]:
    """The services: every folder under services/ that is not shared, with or without an `__init__.py`."""
    folders = {path.name for path in (ROOT / "services").iterdir() if path.is_dir() and path.name != "__pycache__"}
    return sorted(folders - SHARED)


def programs() -> list[str]:
    """All that has a process of its own and an image: the services, and the web UI beside them."""
    return sorted([*services(), "frontend"])


def folder(program: str) -> Path:
    """Where a program lies."""
    return ROOT / "services" / program if program in services() else ROOT / program


def files(*folders: str, suffix: str = ".py") -> list[Path]:
    """The files of some folders, in order."""
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob(f"*{suffix}")
        if "__pycache__" not in path.parts and "node_modules" not in path.parts
    )


def code() -> list[Path]:
    """All Python that we wrote: product and tests."""
    return files(*PRODUCT, "tests")


def named(path: Path) -> str:
    """A file's name from the root, for messages and parameters."""
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    """A file as a syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function and method of a file, with the names of the classes that it stands in."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + child.name, child
                yield from walk(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.ClassDef):
                yield from walk(child, f"{prefix}{child.name}.")
            else:
                yield from walk(child, prefix)

    yield from walk(parsed(path), "")


def model_files() -> list[Path]:
    """The files of every model: `model.py`, or all of a package `model/`."""
    return [path for path in files("services") if is_part(path, "model")]


def is_part(path: Path, part: str) -> bool:
    """Whether a file is a given one of the nine of its service, or belongs to the package of that name."""
    names = path.relative_to(ROOT / "services").with_suffix("").parts
    return len(names) > 1 and names[0] not in SHARED and names[1] == part


def project() -> dict[str, object]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def contract(name: str) -> dict[str, object]:
    """One file of openapi/, as it is written."""
    return yaml.safe_load((ROOT / "openapi" / f"{name}.yaml").read_text(encoding="utf-8"))


def kept() -> list[Path]:
    """Every text file that is, or would be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    found = [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    return sorted(path for path in found if b"\0" not in path.read_bytes()[:8192])

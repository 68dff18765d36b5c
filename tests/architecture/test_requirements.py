"""The lock is whole: a clean machine gets every version from it and from nowhere else."""

from __future__ import annotations

import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture import tree

FILES = sorted((tree.ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[([^\]]*)\])?==", re.MULTILINE)


def pinned(name: str) -> dict[str, set[str]]:
    """The extras of each package that one file pins."""
    text = (tree.ROOT / "requirements" / name).read_text(encoding="utf-8")
    return {canonicalize_name(each): set(filter(None, extras.split(","))) for each, extras in PIN.findall(text)}


def wanted(names: set[str]) -> dict[str, set[str]]:
    """The extras that installed packages ask of each other."""
    found: dict[str, set[str]] = {}
    for name in names:
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # for another platform or Python
        for each in map(Requirement, requires):
            if each.extras and (each.marker is None or each.marker.evaluate({"extra": ""})):
                found.setdefault(canonicalize_name(each.name), set()).update(each.extras)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_pin_has_the_extras_that_others_ask_of_it(path):
    """A pin without them does not hold: some releases of pip then look for the newest version and refuse it."""
    pins = pinned(path.name)
    assert pins, "nothing is pinned"
    lacking = {name: extras - pins.get(name, set()) for name, extras in wanted(set(pins)).items()}
    assert not {name: extras for name, extras in lacking.items() if extras}

"""Every operation asks whose it is, or says why not; and so does everything that is kept about a patient."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture import tree
from tests.contract.contracts import CONTRACTS, OPERATIONS, named

REGISTRY = yaml.safe_load(Path(__file__).with_name("reach.yaml").read_text(encoding="utf-8"))


@cache
def uses(service: str) -> dict[str, set[str]]:
    """For each function of a controller the names that its body uses."""
    folder = tree.ROOT / "services" / service
    files = [folder / "controller.py"] if (folder / "controller.py").exists() else tree.files(folder / "controller")
    found: dict[str, set[str]] = {}
    for path in files:
        for name, node in tree.functions(path):
            names = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            names |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            found.setdefault(name.rpartition(".")[2], set()).update(names)
    return found


def comes_to(service: str, operation: str) -> set[str]:
    """All names that the method of an operation uses, and the functions of the controller that it calls."""
    known, seen, ahead = uses(service), set(), [operation]
    while ahead:
        for name in known.get(ahead.pop(), set()) - seen:
            seen.add(name)
            ahead.append(name)
    return seen


def models(service: str) -> dict[str, Any]:
    """What stands in the modules of a model, by name."""
    package = importlib.import_module(f"services.{service}.model")
    parts = [
        importlib.import_module(f"{package.__name__}.{each.name}") for each in pkgutil.iter_modules(package.__path__)
    ]
    return {
        name: each
        for part in parts
        for name, each in vars(part).items()
        if getattr(each, "__module__", None) == part.__name__
    }


def kept_about_patients() -> set[str]:
    """Every dataclass of a model that names a patient."""
    return {
        f"{service}.{name}"
        for service in CONTRACTS
        for name, each in models(service).items()
        if isinstance(each, type) and dataclasses.is_dataclass(each)
        if "patient_id" in {field.name for field in dataclasses.fields(each)}
    }


def is_reason(entry: object) -> bool:
    """Whether an entry says why nothing is asked."""
    return isinstance(entry, dict) and set(entry) == {"none"} and len(str(entry["none"])) > 10


def test_the_list_names_every_operation_and_nothing_else():
    listed = {(service, name) for service, entries in REGISTRY["operations"].items() for name in entries}
    assert listed == {(each.service, each.operation_id) for each in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_an_operation_comes_to_its_rules_or_says_why_there_are_none(operation):
    entry = REGISTRY["operations"][operation.service][operation.operation_id]
    if is_reason(entry):
        names_a_patient = "{patient_id}" in operation.path
        assert not names_a_patient, "what is about a patient has a rule"
        return
    assert entry
    missing = set(entry) - comes_to(operation.service, operation.operation_id)
    assert not missing, f"{operation.operation_id} does not come to {missing}"


def test_everything_that_is_kept_about_a_patient_has_a_rule_or_says_why_not():
    resources = REGISTRY["resources"]
    assert resources.keys() - {"patients.Patient"} == kept_about_patients()
    rules = {rule for entries in REGISTRY["operations"].values() for each in entries.values() for rule in each}
    for name, entry in resources.items():
        assert is_reason(entry) or set(entry) <= rules, name


def test_an_operation_that_does_not_ask_is_found_out():
    """The checker itself: a method that asks, and one that does not."""
    assert "in_reach" in comes_to("patients", "get_patient")
    assert "in_reach" not in comes_to("patients", "search_patients")
    assert "refuse_others" not in comes_to("audit", "search_audit_entries")

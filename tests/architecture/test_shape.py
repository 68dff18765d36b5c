"""One list everywhere: a service that is forgotten somewhere escapes a fence, so each is compared with the disk."""

from __future__ import annotations

import configparser
import fnmatch
import importlib
import re

import pytest
import yaml

from tests.architecture import tree

SHARED_CONTRACTS = {"common", "events", "permissions"}
NOT_SERVICES = {
    "benchmarks",
    "chassis",
    "cluster-lint",
    "docs",
    "gateway",
    "lint",
    "mongo",
    "sql",
    "standalone",
    "tests",
}
FRONTEND = set(tree.programs()) - set(tree.services())


def importlinter() -> configparser.ConfigParser:
    """The import contracts."""
    config = configparser.ConfigParser()
    config.read(tree.ROOT / ".importlinter", encoding="utf-8")
    return config


def test_there_are_services():
    assert len(tree.services()) >= 4


def test_every_service_has_a_contract_and_every_contract_a_service():
    found = {path.stem for path in (tree.ROOT / "openapi").glob("*.yaml")} - SHARED_CONTRACTS
    assert found == set(tree.services())


def test_every_service_is_behind_the_fence_of_shape():
    listed = importlinter()["importlinter:contract:shape"]["containers"].split()
    assert listed == [f"services.{name}" for name in tree.services()]


def test_every_service_is_behind_the_fence_of_floors():
    floors = importlinter()["importlinter:contract:floors"]["layers"].strip().splitlines()
    roots = {"gateway", "standalone", *FRONTEND}
    assert {name.strip() for name in floors[0].split("|")} == {f"services.{n}" for n in tree.services()} | roots
    assert floors[1:] == ["services.chassis", "services.kernel"]


def test_every_service_has_a_dependency_group_with_its_lock():
    groups = set(tree.project()["dependency-groups"])
    assert groups - NOT_SERVICES - FRONTEND == set(tree.services())
    locks = {path.stem for path in (tree.ROOT / "requirements").glob("*.txt")}
    assert locks == groups - {"mongo", "sql"}, "run `make requirements`"


def test_standalone_installs_what_every_service_needs():
    entries = tree.project()["dependency-groups"]["standalone"]
    included = {entry["include-group"] for entry in entries if isinstance(entry, dict)}
    assert included == {*tree.services(), "gateway", *FRONTEND}


def test_the_gateway_routes_every_path_of_every_contract_to_its_service():
    """Asked of the generated configuration, in which a route names the cluster that is called after the service."""
    from gateway import routes

    found = {(route.service, route.path) for route in routes.routes(tree.ROOT / "openapi")}
    wanted = {(name, path) for name in tree.services() for path in tree.contract(name)["paths"]}
    assert found == wanted


@pytest.mark.parametrize("file", ["skaffold.yaml", "helm/infirmary/values.yaml"])
def test_every_service_is_deployed(file):
    path = tree.ROOT / file
    if not path.exists():
        assert not (tree.ROOT / file.partition("/")[0]).exists(), f"{file} is missing where its folder is"
        return
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    if file == "skaffold.yaml":
        listed = {artifact["image"].rpartition("/")[2] for artifact in read["build"]["artifacts"]} - {"gateway"}
    else:
        listed = set(read["services"])
    assert listed == {*tree.services(), *FRONTEND}


@pytest.mark.parametrize("service", tree.services())
def test_a_service_holds_exactly_the_nine_files(service):
    """A part may be a package of the same name, with `__init__.py`; nothing else lies beside them."""
    folder = tree.ROOT / "services" / service
    found = {path.name for path in folder.iterdir() if path.name != "__pycache__"}
    wanted = {"__init__.py", "migrations"}
    for part in tree.NINE:
        wanted.add(part if (folder / part).is_dir() else f"{part}.py")
    assert found == wanted


def test_every_folder_with_python_is_a_package():
    """A folder without `__init__.py` escapes the import contracts; only migrations may be one."""
    bare = {
        tree.named(path.parent)
        for path in tree.files(*tree.PRODUCT)
        if not (path.parent / "__init__.py").exists() and path.parent.name != "migrations"
    }
    assert not bare


def test_migrations_are_scripts_and_not_packages():
    assert not [tree.named(p) for p in tree.files("services") if p.parent.name == "migrations" and p.stem == "__init__"]
    assert all(any((tree.ROOT / "services" / name / "migrations").glob("*.py")) for name in tree.services())


def test_only_known_folders_lie_at_the_top():
    known = {
        "openapi", "services", "frontend", "gateway", "standalone", "helm", "k8s", "observability", "tests",
        "benchmarks", "docs", "requirements", ".ci",
    }  # fmt: skip
    found = {tree.named(path).partition("/")[0] for path in tree.kept() if "/" in tree.named(path)}
    assert found <= known


@pytest.mark.parametrize("kind", ["unit", "integration"])
def test_tests_are_sorted_by_the_part_that_they_test(kind):
    known = {*tree.services(), *tree.SHARED, "gateway", "standalone", *FRONTEND}
    found = {p.name for p in (tree.ROOT / "tests" / kind).iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert found <= known


def test_every_service_has_unit_and_integration_tests():
    missing = [
        f"{kind}/{name}"
        for kind in ("unit", "integration")
        for name in tree.services()
        if not any((tree.ROOT / "tests" / kind / name).glob("test_*.py"))
    ]
    assert not missing


def test_names_say_what_a_file_is_about():
    """A drawer for everything is where a structure ends."""
    drawer = re.compile(r"(^|_)(util|utils|helper|helpers|common|manager|misc|base|stuff)$")
    assert not [tree.named(path) for path in tree.code() if drawer.search(path.stem)]


def test_the_type_checker_reads_every_model():
    patterns = tree.project()["tool"]["mypy"]["files"]
    unread = [
        name
        for name in map(tree.named, [*tree.model_files(), *tree.files("services/kernel", "services/chassis")])
        if not any(fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(name, f"{pattern}/*") for pattern in patterns)
    ]
    assert not unread


def test_every_suite_has_a_budget_and_stands_in_the_makefile():
    suites = {path.name for path in (tree.ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    assert suites == set(tree.project()["tool"]["infirmary"]["budgets"])
    apart = set(tree.project()["tool"]["infirmary"]["apart"])
    assert (in_makefile("SUITES"), in_makefile("APART")) == (suites - apart, apart)


def test_all_suites_fit_into_20_minutes_on_a_quiet_machine():
    """Lint and types want half a minute of them. Browser and images stand apart: they want programs of their own."""
    budgets = tree.project()["tool"]["infirmary"]["budgets"]
    assert sum(budgets[each] for each in in_makefile("SUITES")) + 30 <= 20 * 60


def test_files_that_begin_first_are_there():
    longest = tree.project()["tool"]["infirmary"]["longest"]
    assert [file for file in longest if not (tree.ROOT / file).is_file()] == []
    assert len(set(longest)) == len(longest)


def in_makefile(name: str) -> set[str]:
    makefile = (tree.ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.search(rf"^{name} := (.*)$", makefile, re.MULTILINE)[1].split())


def test_the_console_command_exists():
    target = tree.project()["project"]["scripts"]["infirmary"]
    module, _, name = target.partition(":")
    assert callable(getattr(importlib.import_module(module), name))

"""The import contracts hold, and each of them breaks when it is violated."""

from __future__ import annotations

import ast
import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import tree

LINTER = Path(sys.executable).with_name("lint-imports")

# contract, file that would violate it, line that would violate it
VIOLATIONS = [
    ("shape", "services/patients/helpers.py", ""),
    ("shape", "services/patients/controller.py", "from services.patients import repository"),
    ("shape", "services/patients/controller.py", "from services.patients import jobs"),
    ("shape", "services/patients/model.py", "from services.patients import view"),
    ("shape", "services/history/view.py", "from services.history import controller"),
    ("floors", "services/audit/app.py", "from services.identity import model"),
    ("floors", "services/chassis/spec.py", "import services.patients.model"),
    ("floors", "services/kernel/errors.py", "import services.chassis.spec"),
    ("floors", "standalone/house.py", "import services.patients.app"),
    ("floors", "frontend/api.py", "import services.patients.model"),
    ("floors", "services/chassis/cli.py", "import frontend.app"),
    ("floors", "services/patients/view.py", "from frontend import words"),
    ("floors", "gateway/envoy.py", "import standalone"),
    ("roots", "gateway/envoy.py", "import services.chassis.call"),
    ("roots", "standalone/house.py", "from services.chassis import problems"),
    ("pure", "services/history/model.py", "import pymongo"),
    ("pure", "services/patients/model.py", "from services.chassis import call"),
    ("pure", "services/kernel/errors.py", "import structlog"),
    ("drivers", "services/history/controller.py", "import pymongo"),
    ("drivers", "services/patients/jobs.py", "import sqlalchemy"),
    ("drivers", "services/audit/consumers.py", "from redis import Redis"),
    ("web", "services/identity/controller.py", "import flask"),
    ("web", "services/patients/repository.py", "from werkzeug import exceptions"),
    ("web", "services/patients/app.py", "import connexion"),
    ("web", "gateway/envoy.py", "import flask"),
    ("pages", "frontend/session.py", "import redis"),
    ("pages", "frontend/controllers/patients.py", "import urllib3"),
    ("pages", "frontend/app.py", "import connexion"),
    ("mvc", "frontend/desk.py", "from frontend import controllers"),
    ("mvc", "frontend/controllers/patients.py", "from frontend import pages"),
    ("tables", "services/patients/app.py", "from services.patients import schema"),
    ("tables", "services/history/jobs.py", "from services.history import schema"),
    ("form", "services/identity/repository.py", "from services.identity import view"),
    ("chassis", "services/chassis/something_new.py", ""),
    ("chassis", "services/chassis/spec.py", "import services.chassis.cli"),
    ("chassis", "services/chassis/sql.py", "import services.chassis.mongo"),
]


def contracts() -> set[str]:
    """The ids of all contracts in the file."""
    config = configparser.ConfigParser()
    config.read(tree.ROOT / ".importlinter", encoding="utf-8")
    return {name.rpartition(":")[2] for name in config.sections() if name.startswith("importlinter:contract:")}


def lint(folder: Path, *, only: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the linter in a folder."""
    options = ["--contract", only] if only else []
    return subprocess.run(
        [LINTER, "--no-cache", "--no-logo", *options], cwd=folder, capture_output=True, text=True, timeout=60
    )


@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    """The tree with every file empty: the contracts see names and imports only."""
    folder = tmp_path_factory.mktemp("stubs")
    shutil.copy(tree.ROOT / ".importlinter", folder)
    packages = [*tree.PRODUCT, *(f"services/{name}" for name in (*tree.services(), *tree.SHARED))]
    whole = [f"services/{name}/{part}.py" for name in tree.services() for part in tree.NINE]
    present = [
        tree.named(path)
        for path in tree.files("services/chassis", "services/kernel", "frontend", "gateway", "standalone")
    ]
    for name in [*(f"{package}/__init__.py" for package in packages), *whole, *present]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_all_contracts_are_kept():
    result = lint(tree.ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_an_empty_tree_keeps_all_contracts(stubs):
    result = lint(stubs)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS)
def test_a_violation_breaks_its_contract(stubs, contract, file, line):
    path = stubs / file
    existed = path.exists()
    path.write_text(line + "\n", encoding="utf-8")
    try:
        result = lint(stubs, only=contract)
    finally:
        path.write_text("", encoding="utf-8") if existed else path.unlink()
    assert result.returncode == 1, result.stdout + result.stderr
    assert "1 broken" in result.stdout, result.stdout + result.stderr


def test_every_contract_has_been_seen_to_break():
    assert {contract for contract, _, _ in VIOLATIONS} == contracts()


def test_models_use_the_standard_library_the_kernel_and_named_pure_packages_only():
    """What a contract of forbidden names cannot say: everything that is not allowed is refused."""
    pure = {"babel", "icalendar", "orjson", "phonenumbers", "rapidfuzz", "stdnum"}
    found = {}
    for path in tree.model_files():
        allowed = {*sys.stdlib_module_names, *pure, "services"}
        foreign = {name.partition(".")[0] for name in imported(path)} - allowed
        if foreign:
            found[tree.named(path)] = foreign
    assert not found


def test_the_kernel_uses_the_standard_library_only():
    found = {
        tree.named(path): foreign
        for path in tree.files("services/kernel")
        if (foreign := {n for n in imported(path) if n.partition(".")[0] not in sys.stdlib_module_names})
        and any(not name.startswith("services.kernel") for name in foreign)
    }
    assert not found


def test_imports_stand_at_the_top_of_their_file():
    """An import inside a function hides a cycle; the few that must stand there are named with their reason."""
    named = {
        "services/chassis/tracing.py",  # a process without a collector does not carry the exporter
        "standalone/__main__.py",  # a library that is missing becomes one clear line
    }
    inside = {
        tree.named(path)
        for path in tree.files(*tree.PRODUCT)
        for _, function in tree.functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert inside == named


def imported(path: Path) -> set[str]:
    """The full names of the modules that a file imports."""
    names = set()
    for node in ast.walk(tree.parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("program", tree.programs())
def test_a_process_that_serves_does_not_load_what_only_migrations_use(program):
    """Alembic takes a tenth of the memory that a process may have."""
    root = tree.named(tree.folder(program)).replace("/", ".")
    code = f"import sys, {root}.app, services.chassis.cli; sys.exit('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=tree.ROOT, check=False)
    assert done.returncode == 0

"""What the documentation promises is there, and what is there is documented."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture import tree

PARTS = ("Owns:", "Reads:", "Publishes:", "Never knows:")
PAGES = ["README.md", "CONTRIBUTING.md", "DECISIONS.md", "SECURITY.md", "CHANGELOG.md"]


def pages():
    """Every page of documentation."""
    return [tree.ROOT / name for name in PAGES] + tree.files("docs", suffix=".md")


def public(path):
    """Public functions at the top of a module."""
    return [n for n in tree.parsed(path).body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]


@pytest.mark.parametrize("program", tree.programs())
def test_a_service_says_what_it_owns_and_what_it_never_knows(program):
    module = tree.parsed(tree.folder(program) / "__init__.py")
    text = ast.get_docstring(module) or ""
    assert [part for part in PARTS if part not in text] == []
    assert len(module.body) == 1, "a service's __init__ is a docstring and nothing else"


def test_rules_name_their_source():
    """A rule without its source cannot be checked by those who answer for it."""
    files = [*tree.model_files(), *tree.files("services/kernel")]
    unsourced = [
        f"{tree.named(path)}:{function.name}"
        for path in files
        for function in public(path)
        if "Source:" not in (ast.get_docstring(function) or "")
    ]
    assert unsourced == []


def test_everything_public_has_a_docstring():
    """Modules, classes, functions and methods of the product; what is nested or private explains itself."""
    bare = []
    for path in tree.files(*tree.PRODUCT):
        if path.parent.name == "migrations":
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        tops = [tree.parsed(path), *tree.parsed(path).body]
        classes = [node for node in tops if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
        for node in [*tops, *(member for each in classes for member in each.body)]:
            name = getattr(node, "name", "module")
            documentable = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            inherits = documentable and name != "module" and "noqa: D102 - as inherited" in lines[node.lineno - 1]
            if documentable and not inherits and not name.startswith("_") and not ast.get_docstring(node):
                bare.append(f"{tree.named(path)}:{name}")
    assert bare == []


def test_every_test_module_says_what_it_is_about():
    assert [tree.named(p) for p in tree.files("tests") if not ast.get_docstring(tree.parsed(p))] == []


def test_the_names_of_tests_are_sentences():
    """Three words at least, or a docstring that is the sentence."""
    short = [
        f"{tree.named(path)}:{name}"
        for path in tree.files("tests")
        for name, node in tree.functions(path)
        if name.rpartition(".")[2].startswith("test_") and name.count("_") < 3 and not ast.get_docstring(node)
    ]
    assert short == []


def settings():
    """The environment names of all settings, from every class whose name ends so."""
    for path in tree.files("services", "frontend"):
        for node in ast.walk(tree.parsed(path)):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(b).endswith("Settings") for b in node.bases):
                fields = [
                    f.target.id
                    for f in node.body
                    if isinstance(f, ast.AnnAssign) and "ClassVar" not in ast.unparse(f.annotation)
                ]
                yield from (name.upper() for name in fields if name != "model_config")


def test_every_setting_is_documented():
    text = (tree.ROOT / "docs/settings.md").read_text(encoding="utf-8")
    names = set(settings())
    assert len(names) > 8
    assert sorted(name for name in names if f"`{name}`" not in text) == []


def test_every_documented_setting_exists():
    text = (tree.ROOT / "docs/settings.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)`", text, re.MULTILINE))
    assert sorted(documented - set(settings())) == []


def metrics():
    """All metrics that the product makes: name, kind, what it says, and the file it is made in."""
    for path in tree.files(*tree.PRODUCT):
        for node in ast.walk(tree.parsed(path)):
            kind = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
            if kind in {"Counter", "Gauge", "Histogram", "Info"}:
                match node.args:
                    case [ast.Constant(value=str() as name), text, *_]:
                        yield name, kind.lower(), getattr(text, "value", ast.unparse(text)), tree.named(path)


@pytest.mark.parametrize("page", pages(), ids=tree.named)
def test_links_of_a_page_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", pages(), ids=tree.named)
def test_commands_of_a_page_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (tree.ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    targets |= {f"suite-{suite}" for suite in tree.project()["tool"]["infirmary"]["budgets"]}
    shown = set(re.findall(r"(?:^|`|\$ )make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert sorted(shown - targets) == []


def test_no_file_names_an_index_or_a_machine():
    """The tree says nothing about where it was made: whoever installs decides where packages come from."""
    hosts = ["py" + "pi.org", "python" + "hosted", "registry.npm" + "js", "deb.debian" + ".org", "file" + ":///"]
    places = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/opt/py" + "pi", "../sha" + "red"]
    pattern = re.compile("|".join(map(re.escape, hosts + places)))
    found = [tree.named(path) for path in tree.kept() if pattern.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_there_is_no_lock_with_addresses():
    assert [
        name for name in ("uv.lock", "poetry.lock", "Pipfile.lock", "package-lock.json") if (tree.ROOT / name).exists()
    ] == []


@pytest.mark.parametrize("lock", tree.files("requirements", suffix=".txt"), ids=tree.named)
def test_requirements_are_pinned_with_hashes_and_without_addresses(lock):
    lines = [line for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    form = re.compile(
        r"[a-z0-9][a-z0-9.-]*(\[[a-z0-9,-]+\])?==[A-Za-z0-9.+!]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
    )
    assert [line for line in lines if not form.fullmatch(line)] == []
    assert not re.search(r"://|--(index|extra|find|trusted)", "\n".join(lines))


def test_all_locks_name_the_same_version_of_a_package():
    apart = tree.project()["tool"]["infirmary"]["locks_apart"]
    versions = {}
    for lock in (path for path in tree.files("requirements", suffix=".txt") if path.stem not in apart):
        for name, version in re.findall(r"^([a-z0-9.-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE):
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_nothing_is_left_for_later():
    """Work that is not done stands in an issue, not in the code."""
    mark = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|raise NotImpl" + "ementedError")
    assert [tree.named(path) for path in tree.kept() if mark.search(path.read_text(encoding="utf-8"))] == []

"""What docs/features.md says comes from tests that ran and passed, and from nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests import features
from tests.architecture import tree

TEST = '''"""A suite of one test."""
import pytest

@pytest.mark.row("{row}")
def test_one_thing_works():
    {body}
'''


def run(folder, *, body="assert True", row="PAT-01", options=()):
    """Run a suite called `unit` that holds one test, in a copy of what the plugin reads."""
    for name in ("pyproject.toml", "docs/rows.yaml", "tests/features.py", "tests/__init__.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text((tree.ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "tests/unit").mkdir(exist_ok=True)
    (folder / "tests/unit/test_it.py").write_text(TEST.format(row=row, body=body), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.features", "--suite=unit", *options, "tests/unit"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def recorded(folder):
    """The result that the run kept."""
    return json.loads((folder / ".results/unit.json").read_text(encoding="utf-8"))


def test_a_passing_whole_run_is_kept_as_such(tmp_path):
    assert run(tmp_path).returncode == 0
    result = recorded(tmp_path)
    assert (result["complete"], result["passed"]) == (True, True)
    assert [(test["outcome"], test["rows"]) for test in result["tests"].values()] == [("passed", ["PAT-01"])]


def test_a_failing_test_shows_nothing(tmp_path):
    assert run(tmp_path, body="assert False").returncode == 1
    assert recorded(tmp_path)["passed"] is False
    assert features.shown({"unit": recorded(tmp_path)}, outcome="passed") == {}


def test_a_skipped_test_shows_nothing(tmp_path):
    assert run(tmp_path, body="pytest.skip('no browser')").returncode == 0
    assert features.shown({"unit": recorded(tmp_path)}, outcome="passed") == {}
    assert list(features.shown({"unit": recorded(tmp_path)}, outcome="skipped")) == ["PAT-01"]


def test_a_run_of_chosen_tests_is_not_whole(tmp_path):
    assert run(tmp_path, options=["-k", "one_thing"]).returncode == 0
    assert recorded(tmp_path)["complete"] is False


def test_a_row_that_does_not_exist_is_refused(tmp_path):
    result = run(tmp_path, row="PAT-99")
    assert result.returncode != 0
    assert "PAT-99" in result.stdout + result.stderr


def test_a_suite_far_over_its_budget_fails(tmp_path):
    run(tmp_path)
    project = tmp_path / "pyproject.toml"
    project.write_text(project.read_text(encoding="utf-8").replace("\nunit = ", "\nunit = 0 # "), encoding="utf-8")
    kept = project.read_text(encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.features", "--suite=unit", "tests/unit"]
    by_day = {name: value for name, value in os.environ.items() if name != "INFIRMARY_NIGHTLY"}  # nights have no budget
    result = subprocess.run(command, cwd=tmp_path, env=by_day, capture_output=True, text=True, timeout=60)
    assert "unit = 0" in kept
    assert result.returncode == 1
    assert "its budget" in result.stdout
    assert recorded(tmp_path)["passed"] is False


def test_the_page_has_every_row_once():
    page = features.page({"PAT-01": ["tests/unit/test_it.py::test_x[1]", "tests/unit/test_it.py::test_x[2]"]})
    assert all(page.count(f"| {row['id']} |") == 1 for row in features.rows())
    assert f"1 of {len(features.rows())} rows work." in page
    assert page.count("test_x") == 1


@pytest.mark.parametrize("spoilt", [{"complete": False}, {"passed": False}, {"tree": "of yesterday"}])
def test_nothing_is_written_from_results_that_are_not_a_whole_passing_run_of_this_tree(spoilt, tmp_path):
    for suite in features.budgets():
        good = {"complete": True, "passed": True, "nightly": False, "tree": features.digest(), "tests": {}}
        (tmp_path / f"{suite}.json").write_text(json.dumps(good | spoilt), encoding="utf-8")
    with pytest.raises(SystemExit):
        features.results(tmp_path)


def test_nothing_is_written_when_a_suite_did_not_run(tmp_path):
    with pytest.raises(SystemExit, match="has no result"):
        features.results(tmp_path)


def test_rows_of_a_suite_apart_stay_until_it_is_run_again():
    page = features.page({"UI-01": ["tests/browser/test_it.py::test_x"], "PAT-01": ["tests/unit/test_it.py::test_y"]})
    assert features.standing({}, page) == {"UI-01": ["tests/browser/test_it.py::test_x"]}
    assert features.standing({"browser": {}}, page) == {}


def test_files_that_ran_whole_are_named(tmp_path):
    assert run(tmp_path).returncode == 0
    assert recorded(tmp_path)["files"] == []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.features", "--suite=unit", "tests/unit/test_it.py"]
    for chosen, files in ([], ["tests/unit/test_it.py"]), (["-k", "one"], []):
        subprocess.run([*command, *chosen], cwd=tmp_path, capture_output=True, timeout=60, check=True)
        assert (recorded(tmp_path)["complete"], recorded(tmp_path)["files"]) == (False, files)


@pytest.fixture
def measure(tmp_path, monkeypatch):
    """Measure a suite, or files of it, on an imagined night; the page that is then there."""
    for name, path in ("ROOT", tmp_path), ("RESULTS", tmp_path), ("FIGURES", tmp_path / "figures.md"):
        monkeypatch.setattr(features, name, path)
    monkeypatch.setattr(features, "digest", lambda: "today")
    monkeypatch.setattr(features, "budgets", lambda: {"unit": 1, "contract": 1, "system": 1})
    result = {"complete": True, "files": [], "passed": True, "nightly": True, "tree": "today", "seconds": 90.0}

    def measured(suite: str, figures: dict[str, str], **more: object) -> str:
        test = {"outcome": "passed", "targets": ["A-01"], "rounds": ["20 of 20"]}
        tests = {name: {**test, "figures": [figure]} for name, figure in figures.items()}
        (tmp_path / f"{suite}.json").write_text(json.dumps({**result, "tests": tests, **more}), encoding="utf-8")
        features.figures()
        (tmp_path / f"{suite}.json").unlink()
        return (tmp_path / "figures.md").read_text(encoding="utf-8")

    return measured


def test_a_suite_that_was_not_measured_tonight_keeps_its_figures(measure):
    measure("unit", {"a.py::t": "first: 1 s"})
    measure("contract", {"a.py::t": "second: 2 s"})
    page = measure("unit", {"a.py::t": "third: 3 s"})
    assert page.count("\n## ") == 3
    assert "third: 3 s" in page
    assert "second: 2 s" in page
    assert "first: 1 s" not in page
    assert page.endswith("## system\n\nNot measured yet.\n")
    with pytest.raises(SystemExit, match="short run"):
        measure("system", {"a.py::t": "fourth: 4 s"}, nightly=False)


def test_a_test_that_failed_has_no_figure_and_takes_none_from_the_others(measure):
    measure("unit", {"a.py::t": "first: 1 s", "a.py::u": "second: 2 s"})
    tests = {
        name: {"outcome": outcome, "targets": [], "rounds": [], "figures": [figure]}
        for name, outcome, figure in (("a.py::t", "failed", "third: 3 s"), ("a.py::u", "passed", "fourth: 4 s"))
    }
    page = measure("unit", {}, tests=tests, passed=False)
    assert "fourth: 4 s" in page
    assert "a.py::t" not in page
    assert "second: 2 s" not in page


def test_a_test_that_waits_for_the_night_is_named_without_a_figure_too(measure):
    tests = {name: {"outcome": "passed", "targets": [], "rounds": [], "figures": []} for name in ("a.py::t", "a.py::u")}
    tests["a.py::u"]["nightly"] = True
    page = measure("unit", {}, tests=tests)
    assert "| `a.py::u` |  | at night only |  |" in page
    assert "a.py::t" not in page


def test_a_file_that_was_not_measured_tonight_keeps_its_figures(measure):
    measure("unit", {"a.py::t": "first: 1 s", "b.py::t": "second: 2 s", "b.py::gone": "third: 3 s"})
    page = measure("unit", {"b.py::t": "fourth: 4 s"}, complete=False, files=["b.py"])
    assert "first: 1 s" in page
    assert "fourth: 4 s" in page
    assert "second: 2 s" not in page
    assert "third: 3 s" not in page
    with pytest.raises(SystemExit, match="whole"):
        measure("unit", {"b.py::t": "fifth: 5 s"}, complete=False)


def test_cases_that_say_the_same_are_one_line(measure):
    page = measure("unit", {"a.py::t[x]": "same", "a.py::t[y]": "same", "a.py::t[z]": "other"})
    assert "| `a.py::t`, 2 cases | A-01 | 20 of 20 | same |" in page
    assert "| `a.py::t[z]` | A-01 | 20 of 20 | other |" in page

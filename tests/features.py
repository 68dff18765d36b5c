"""Which acceptance rows work, and the test that shows each: a pytest plugin, and the maker of docs/features.md.

The plugin keeps the results of one suite in `.results/<suite>.json` (`pytest --suite=unit tests/unit`, as the Makefile
calls it) and fails a suite that takes much longer than its budget. The command reads all results:

    python -m tests.features --write     docs/features.md, from a complete and passing run of every suite
    python -m tests.features --check     whether docs/features.md says what the last run showed
    python -m tests.features --figures   docs/figures.md, from a nightly run of suites or of files
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / ".results"
ROWS = ROOT / "docs" / "rows.yaml"
PAGE = ROOT / "docs" / "features.md"
FIGURES = ROOT / "docs" / "figures.md"
NIGHTLY = bool(os.environ.get("INFIRMARY_NIGHTLY"))
TARGET = re.compile(r"[A-E]-\d\d")
ALLOWANCE = 1.35
"""So much of its budget a suite may take before it fails: it has grown then, where a busy machine is only slow."""

# ---- the plugin -----------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--suite`: keep the results of a whole suite, and hold it to its budget."""
    parser.addoption("--suite", help="name of the suite that this run is: tests/<suite>, whole")


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that the person started keeps results; workers send theirs to it."""
    if config.getoption("--suite") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(config), "infirmary-recorder")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave nightly tests to the night, refuse marks that name nothing, carry rows, begin with the longest files."""
    known = {row["id"] for row in rows()}
    for item in items:
        named = [row for mark in item.iter_markers("row") for row in mark.args]
        targets = [target for mark in item.iter_markers("target") for target in mark.args]
        wrong = [row for row in named if row not in known] + [each for each in targets if not TARGET.fullmatch(each)]
        if wrong:
            raise pytest.UsageError(f"{item.nodeid}: nothing is called {', '.join(map(repr, wrong))}")
        item.user_properties += [("rows", sorted(named)), ("targets", sorted(targets))]
        item.user_properties += [("nightly", item.get_closest_marker("nightly") is not None)]
    if not NIGHTLY:
        kept = [item for item in items if not item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("nightly")])
        items[:] = kept
    # The rest stays in its random order.
    begin = {file: place for place, file in enumerate(_settings()["longest"])}
    items.sort(key=lambda item: begin.get(item.path.relative_to(ROOT).as_posix(), len(begin)))


@pytest.fixture
def rounds(record_property):
    """`rounds(full=1000, short=50)`: how often to do it tonight or now; a short form is stated in the summary."""

    def choose(*, full: int, short: int) -> int:
        record_property("rounds", f"{full if NIGHTLY else short} of {full}")
        return full if NIGHTLY else short

    return choose


@pytest.fixture
def figure(record_property):
    """`figure("ready again", 3.2, "s")`: a measured figure, for the summary and for docs/figures.md."""

    def record(what: str, value: float, unit: str) -> None:
        record_property("figure", f"{what}: {value:.3g} {unit}")

    return record


class Recorder:
    """Keeps what every test of a suite did, and how long the suite took."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.suite: str = config.getoption("--suite")
        self.started = time.monotonic()
        self.tests: dict[str, dict] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the outcome of one phase of one test; the worst phase is the outcome of the test."""
        test = self.tests.setdefault(report.nodeid, {"outcome": "passed", "seconds": 0.0})
        test["seconds"] = round(test["seconds"] + report.duration, 3)
        if report.outcome != "passed" and test["outcome"] != "failed":
            test["outcome"] = report.outcome
        if report.when == "teardown":
            for name in ("rows", "targets"):
                test[name] = dict(report.user_properties).get(name, [])
            test["nightly"] = dict(report.user_properties).get("nightly", False)
            test["rounds"] = [value for name, value in report.user_properties if name == "rounds"]
            test["figures"] = [value for name, value in report.user_properties if name == "figure"]

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the results; a suite far over its budget has failed."""
        seconds = time.monotonic() - self.started
        budget = budgets()[self.suite]
        self.over = seconds > budget and not NIGHTLY
        has_grown = seconds > budget * ALLOWANCE and not NIGHTLY
        if has_grown and not exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        result = {"complete": self.is_complete(), "passed": not exitstatus and not has_grown, "nightly": NIGHTLY}
        result |= {"files": self.files()}
        result |= {"seconds": round(seconds, 1), "budget": budget, "tree": digest(), "tests": self.tests}
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{self.suite}.json").write_text(json.dumps(result, indent=1), encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter) -> None:
        """State short forms, figures and a budget that was missed."""
        for name, test in sorted(self.tests.items()):
            for text in [*test.get("rounds", []), *test.get("figures", [])]:
                terminalreporter.write_line(f"{name.rpartition('::')[2]}: {text}")
        if self.over:
            taken = time.monotonic() - self.started
            message = (
                f"suite {self.suite} took {taken:.0f} s; its budget in pyproject.toml is {budgets()[self.suite]} s, "
                f"and {ALLOWANCE} times as much fails it"
            )
            terminalreporter.write_line(message, red=True)

    def is_complete(self) -> bool:
        """Whether the whole suite ran: nothing chosen by name, mark, file or earlier failure."""
        folder = (ROOT / "tests" / self.suite).resolve()
        return not self._is_chosen() and [Path(each).resolve() for each in self.config.args] == [folder]

    def files(self) -> list[str]:
        """The files that ran whole, by their path from here, where files were named."""
        named = [Path(each).resolve() for each in self.config.args]
        if self._is_chosen() or not all(each.is_file() for each in named):
            return []
        return sorted(each.relative_to(ROOT).as_posix() for each in named)

    def _is_chosen(self) -> bool:
        option = self.config.option
        chosen = [option.keyword, option.markexpr, option.deselect, getattr(option, "lf", None), option.maxfail]
        chosen += [option.ignore, option.ignore_glob, getattr(option, "stepwise", None), option.collectonly]
        return any(chosen)


# ---- what is read ---------------------------------------------------------------------------------------------------


def rows() -> list[dict]:
    """All acceptance rows with section, id, level and title."""
    sections = yaml.safe_load(ROWS.read_text(encoding="utf-8"))["sections"]
    return [{"section": s["title"], "id": key, **row} for s in sections for key, row in s["rows"].items()]


def budgets() -> dict[str, int]:
    """The seconds that each suite may take."""
    return _settings()["budgets"]


def together() -> list[str]:
    """The suites of `make test`: all but those that stand apart."""
    return [suite for suite in budgets() if suite not in _settings()["apart"]]


def run_now(folder: Path) -> list[str]:
    """The suites that a run is made of: those of `make test`, and those apart that were run after it."""
    return [*together(), *(suite for suite in _settings()["apart"] if (folder / f"{suite}.json").exists())]


def _settings() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["infirmary"]


def digest() -> str:
    """A fingerprint of what is tested and of the tests, so that results of another state of the tree show."""
    total = hashlib.sha256()
    for folder in ("openapi", "services", "gateway", "standalone", "frontend", "observability", "helm", "k8s", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".yaml", ".html", ".js", ".tpl"} and "__pycache__" not in path.parts:
                total.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def results(
    folder: Path = RESULTS, *, suites: Iterable[str] | None = None, files_do: bool = False, may_fail: bool = False
) -> dict[str, dict]:
    """The results of all suites together or of some, or the reason why they are not a whole run of this tree.

    files_do: whole files of a suite are enough. may_fail: those of a suite in which something failed, too.
    """
    found = {}
    for suite in run_now(folder) if suites is None else suites:
        path = folder / f"{suite}.json"
        if not path.exists():
            raise SystemExit(f"suite {suite} has no result; run `make test`")
        found[suite] = json.loads(path.read_text(encoding="utf-8"))
        if not found[suite]["complete"] and not (files_do and found[suite]["files"]):
            raise SystemExit(f"suite {suite} did not run whole; run `make test`")
        if not found[suite]["passed"] and not may_fail:
            raise SystemExit(f"suite {suite} did not pass")
        if found[suite]["tree"] != digest():
            raise SystemExit(f"suite {suite} ran on another state of the tree; run `make test`")
    return found


def shown(found: dict[str, dict], *, outcome: str) -> dict[str, list[str]]:
    """The tests with a given outcome, by the row that they carry."""
    by_row: dict[str, list[str]] = {}
    for result in found.values():
        for name, test in result["tests"].items():
            for row in test.get("rows", []):
                if test["outcome"] == outcome:
                    by_row.setdefault(row, []).append(name)
    return by_row


def standing(found: dict[str, dict], text: str) -> dict[str, list[str]]:
    """The tests on the page of suites that stand apart and were not run now, by their row: they are as they were."""
    folders = tuple(f"tests/{suite}/" for suite in _settings()["apart"] if suite not in found)
    lines = re.findall(r"^\| ([A-Z]+-\d+) \| .* \| yes \| (.*) \|$", text, re.MULTILINE)
    by_row = {
        row: [name for name in re.findall(r"`([^`]+)`", names) if name.startswith(folders)] for row, names in lines
    }
    return {row: names for row, names in by_row.items() if names}


# ---- what is written ------------------------------------------------------------------------------------------------


HEAD = """# Features

Made by `make features` from the results of a complete `make test`, and of `make test-browser` after it; do not edit.
A row works when a passing test, marked `@pytest.mark.row`, does all that the row stands for.

{works} of {every} rows work.
"""
TABLE = "\n## {section}\n\n| row | what | level | works | shown by |\n| --- | --- | --- | --- | --- |\n"


def page(passed: dict[str, list[str]]) -> str:
    """docs/features.md: every row, whether it works, and the test that shows it."""
    every = rows()
    text, section = HEAD.format(works=len(passed), every=len(every)), None
    for row in every:
        if row["section"] != section:
            section = row["section"]
            text += TABLE.format(section=section)
        tests = sorted({re.sub(r"\[.*\]$", "", name) for name in passed.get(row["id"], [])})
        shown_by = "<br>".join(f"`{name}`" for name in tests)
        text += f"| {row['id']} | {row['title']} | {row['level']} | {'yes' if tests else 'not yet'} | {shown_by} |\n"
    return text


def write() -> None:
    """Write docs/features.md; a marked test that was skipped is no reason to take its row away, so refuse."""
    found = results()
    skipped = shown(found, outcome="skipped")
    if skipped:
        raise SystemExit("not written, these rows were skipped on this machine: " + ", ".join(sorted(skipped)))
    works = shown(found, outcome="passed")
    for row, names in standing(found, PAGE.read_text(encoding="utf-8")).items():
        works[row] = [*works.get(row, []), *names]
    PAGE.write_text(page(works), encoding="utf-8")
    print(PAGE.relative_to(ROOT))


def check() -> None:
    """Compare docs/features.md with the last run; a row whose test was skipped here by name is left as it stands."""
    found = results()
    text = PAGE.read_text(encoding="utf-8")
    stands = dict(re.findall(r"^\| ([A-Z]+-\d+) \| .* \| (yes|not yet) \| .*$", text, re.MULTILINE))
    passed, skipped = shown(found, outcome="passed") | standing(found, text), shown(found, outcome="skipped")
    runs = {row["id"]: "yes" if row["id"] in passed else "not yet" for row in rows()}
    wrong = [row for row, works in runs.items() if stands.get(row) != works and row not in skipped]
    if wrong or set(stands) != set(runs):
        raise SystemExit(
            f"docs/features.md is not what the tests show, run `make features`: {', '.join(wrong) or 'rows'}"
        )
    print(f"docs/features.md agrees with the tests: {len(passed)} of {len(runs)} rows")


FIGURES_HEAD = """# Figures of the nightly runs

Made by `make test-nightly`: what was measured with full counts, on two cores. Each line stands as its test passed last,
on the day in the last column. `make test-nightly SUITES=integration` measures one suite anew, and
`make test-nightly FILES=tests/integration/appointments/test_plans.py` one file.
"""
FIGURES_TABLE = "\n| test | targets | rounds | figures | on |\n| --- | --- | --- | --- | --- |\n"
UNMEASURED = "\nNot measured yet.\n"


def figures() -> None:
    """Write docs/figures.md from a nightly run; what did not run tonight stays as it stands there.

    One test that failed takes nothing from the others, which ran for hours; it has no line until it passes.
    """
    tonight = [suite for suite in budgets() if (RESULTS / f"{suite}.json").exists()]
    found = results(RESULTS, suites=tonight, files_do=True, may_fail=True)
    if not found or not all(result["nightly"] for result in found.values()):
        raise SystemExit("these are results of a short run; `make test-nightly` measures with full counts")
    old = FIGURES.read_text(encoding="utf-8") if FIGURES.exists() else ""
    stands = dict(part.split("\n", 1) for part in old.split("\n## ")[1:])
    text = FIGURES_HEAD
    for suite in budgets():
        lines = re.findall(r"^\| `.*$", stands.get(suite, ""), re.MULTILINE)
        if suite in found:
            ran = found[suite]["files"]
            lines = [line for line in lines if ran and not line.startswith(tuple(f"| `{each}::" for each in ran))]
            lines += measured(suite, found[suite])
        text += f"\n## {suite}\n" + (FIGURES_TABLE + "\n".join(sorted(lines)) + "\n" if lines else UNMEASURED)
    FIGURES.write_text(text, encoding="utf-8")
    print(FIGURES.relative_to(ROOT))


def measured(suite: str, result: dict) -> list[str]:
    """A line for each test that passed and counts rounds, has figures or waits for the night.

    Cases of one test that say the same are one line.
    """
    ended = datetime.fromtimestamp((RESULTS / f"{suite}.json").stat().st_mtime, UTC)
    cases: dict[tuple[str, ...], list[str]] = {}
    for name, test in result["tests"].items():
        tells = test.get("figures") or test.get("rounds") or test.get("nightly")
        if tells and test["outcome"] == "passed":
            rounds = ", ".join(test["rounds"]) or ("at night only" if test.get("nightly") else "")
            said = (", ".join(test["targets"]), rounds, "<br>".join(test["figures"]))
            cases.setdefault((re.sub(r"\[.*\]$", "", name), *said), []).append(name)
    lines = []
    for (test, *said), names in cases.items():
        what = f"`{names[0]}`" if len(names) == 1 else f"`{test}`, {len(names)} cases"
        lines.append(f"| {' | '.join([what, *said, f'{ended:%Y-%m-%d}'])} |")
    return lines


if __name__ == "__main__":
    {"--write": write, "--check": check, "--figures": figures}[sys.argv[1] if len(sys.argv) > 1 else "--check"]()

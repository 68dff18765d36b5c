"""Rules, panels and routes in the eyes of the programs that read them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from observability import boards
from observability.boards import AT
from observability.places import HERE
from standalone import monitoring
from standalone.monitoring import Target
from tests import needs

RULES = sorted((HERE / "rules").glob("*.yaml"))
TESTS = sorted((HERE / "rules" / "tests").glob("*.yaml"))


def run(program: str, *words: str | Path, folder: Path = HERE) -> None:
    done = subprocess.run([needs.find(program), *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_nothing_to_say_about_the_rules():
    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULES)


def test_promtool_takes_the_configuration_of_a_house(tmp_path: Path):
    said = monitoring.prometheus([Target("patients", "web", 1)], rules=RULES, alertmanager="127.0.0.1:2")
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    run("promtool", "check", "config", "--lint=all", "--lint-fatal", tmp_path / "prometheus.yaml")


def test_amtool_takes_the_routes(tmp_path: Path):
    said = monitoring.alertmanager(HERE / "alertmanager.yaml", smtp="127.0.0.1:25")
    (tmp_path / "alertmanager.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    run("amtool", "check-config", tmp_path / "alertmanager.yaml")


@pytest.mark.target("E-04")
@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.stem)
def test_alerts_are_quiet_fire_and_resolve(file: Path):
    run("promtool", "test", "rules", file.name, folder=file.parent)


def test_every_query_of_every_panel_can_be_parsed(tmp_path: Path):
    rules = [
        {"record": f"panel:{name}_{number}_{part}:query".replace("-", "_"), "expr": plain(query["query"])}
        for name, board in boards.boards().items()
        for number, panel in enumerate(board["panels"])
        for part, query in enumerate(panel["queries"])
    ]
    assert len(rules) > 100
    (tmp_path / "panels.yaml").write_text(
        yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8"
    )
    run("promtool", "check", "rules", tmp_path / "panels.yaml")


def plain(query: str) -> str:
    """A query as Grafana sends it when everything is chosen."""
    chosen = AT.replace("$job", ".+").replace("$instance", ".+")
    return query.replace("$at", chosen).replace("$__rate_interval", "5m").replace("$slo", ".+")

"""Prometheus beside a house: what it is told to ask, whom it tells, and what is said when it is not there."""

from __future__ import annotations

import pytest
import yaml

from standalone import monitoring, settings
from standalone.monitoring import Target
from standalone.servers import finding
from standalone.settings import ROOT
from standalone.trouble import MissingServer


def test_every_process_is_asked_under_the_name_of_its_service():
    targets = [Target("patients", "web", 1), Target("patients", "worker", 2), Target("gateway", "gateway", 3)]
    said = monitoring.prometheus(targets, rules=[], alertmanager="127.0.0.1:4", every="5s")
    asked = {
        (job["job_name"], place["labels"]["process"], place["targets"][0])
        for job in said["scrape_configs"]
        for place in job["static_configs"]
    }
    assert asked == {
        ("patients", "web", "127.0.0.1:1"),
        ("patients", "worker", "127.0.0.1:2"),
        ("gateway", "gateway", "127.0.0.1:3"),
    }
    assert said["global"]["scrape_interval"] == "5s"


def test_alerts_go_out_by_the_relay_of_the_house():
    file = ROOT / "observability" / "alertmanager.yaml"
    said = monitoring.alertmanager(file, smtp="127.0.0.1:25")
    assert said["global"]["smtp_smarthost"] == "127.0.0.1:25"
    assert said["route"] == yaml.safe_load(file.read_text(encoding="utf-8"))["route"]


@pytest.mark.parametrize("find", [finding.prometheus, finding.alertmanager])
def test_one_line_says_what_to_do_when_a_program_is_missing(monkeypatch, find):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MissingServer) as missing:
        find()
    assert "install the package prometheus" in str(missing.value)
    assert "OBSERVABILITY" in str(missing.value)
    assert "\n" not in str(missing.value)


def test_it_is_wanted_by_one_variable_and_not_by_default():
    assert not settings.read({}).is_watched
    assert settings.read({"OBSERVABILITY": "1"}).is_watched

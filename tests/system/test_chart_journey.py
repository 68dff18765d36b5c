"""What `helm test` runs in a cluster, run at the gateway of this house: the same program, the same way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "helm" / "infirmary" / "files" / "journey.py"
LOAD = ROOT / "tests" / "cluster" / "load.py"


def account(folder: Path, **parts: str) -> Path:
    """A folder like the Secret that is mounted there."""
    for name, value in parts.items():
        (folder / name.replace("_", "-")).write_text(value, encoding="utf-8")
    return folder


def run(url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(PROGRAM), url, str(folder)], capture_output=True, text=True, timeout=120)


@pytest.mark.target("D-14")
def test_the_journey_goes_through_the_house_and_can_be_gone_again(house, beginning, tmp_path):
    folder = account(tmp_path, username="admin", password=beginning.admin.password)
    for _ in range(2):
        done = run(house.url, folder)
        assert done.returncode == 0, done.stdout + done.stderr
        steps = ["seen the page to sign in at", "signed in", "booked", "cancelled"]
        steps += ["the trail has heard of it over the bus, and is whole"]
        assert done.stdout.splitlines() == steps


def test_the_load_of_a_cluster_test_asks_every_service_and_counts_what_failed(house, beginning, tmp_path):
    """Beside the program of the journey, as both are mounted in one folder."""
    for program in (PROGRAM, LOAD):
        shutil.copy(program, tmp_path)
    log, folder = tmp_path / "log", account(tmp_path, username="admin", password=beginning.admin.password)
    command = [sys.executable, str(tmp_path / LOAD.name), house.url, str(folder)]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            wait_for(lambda: last(log).get("asked", 0) > 40, within_s=60, what="it has asked for a while")
        finally:
            process.terminate()
    assert last(log)["failed"] == 0, last(log)


def last(log: Path) -> dict[str, int]:
    """The last line that is whole."""
    whole = log.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
    return dict(json.loads(whole[-1])) if whole and whole[-1].startswith("{") else {}


def test_the_journey_says_what_was_refused_and_no_password(house, beginning, tmp_path):
    done = run(house.url, account(tmp_path, username="admin", password="not the password of anybody"))
    assert done.returncode == 1
    assert done.stderr.strip() == "failed: POST /api/v1/sessions answered 401"

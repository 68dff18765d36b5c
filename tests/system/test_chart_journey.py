"""What `helm test` runs in a cluster, run at the gateway of this house: the same program, the same way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "helm" / "infirmary" / "files" / "journey.py"


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
        steps = ["signed in", "booked", "cancelled", "the trail has heard of it over the bus, and is whole"]
        assert done.stdout.splitlines() == steps


def test_the_journey_says_what_was_refused_and_no_password(house, beginning, tmp_path):
    done = run(house.url, account(tmp_path, username="admin", password="not the password of anybody"))
    assert done.returncode == 1
    assert done.stderr.strip() == "failed: POST /api/v1/sessions answered 401"

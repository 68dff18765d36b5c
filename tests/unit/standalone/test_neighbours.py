"""Houses on one machine: none takes a port that another has chosen, whether it listens there now or not."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from standalone import neighbours

FEW = range(21_000, 21_040)


def lowest(taken: set[int]) -> int:
    return next(each for each in FEW if each not in taken)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ports-of-all.json"


def test_houses_that_choose_at_the_same_moment_get_different_ports(tmp_path: Path, file: Path):
    homes = [tmp_path / str(number) / "ports.json" for number in range(len(FEW))]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda home: neighbours.choose(home, lowest, file=file), homes))
    assert sorted(found) == list(FEW)


def test_what_a_house_has_is_no_hindrance_to_itself(tmp_path: Path, file: Path):
    home = tmp_path / "ports.json"
    assert [neighbours.choose(home, lowest, file=file) for _ in range(2)] == [FEW[0], FEW[0]]


def test_a_house_that_is_down_keeps_its_ports_and_one_that_is_gone_does_not(tmp_path: Path, file: Path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    down, gone = tmp_path / "down.json", tmp_path / "gone.json"
    down.write_text("{}")
    file.write_text(
        json.dumps(
            {str(down): {"by": ended.pid, "ports": [FEW[0]]}, str(gone): {"by": ended.pid, "ports": [FEW[1], FEW[2]]}}
        )
    )
    assert neighbours.choose(tmp_path / "new.json", lowest, file=file) == FEW[1]


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"a": 1, "b": {"ports": "all"}}'])
def test_a_list_that_cannot_be_understood_is_begun_anew(tmp_path: Path, file: Path, text: str):
    file.write_text(text)
    assert neighbours.choose(tmp_path / "ports.json", lowest, file=file) == FEW[0]
    assert str(tmp_path / "ports.json") in json.loads(file.read_text())


def test_without_a_list_a_port_is_chosen_all_the_same(tmp_path: Path, file: Path):
    (tmp_path / "elsewhere").write_text("{}")
    file.symlink_to(tmp_path / "elsewhere")
    assert neighbours.choose(tmp_path / "ports.json", lowest, file=file) == FEW[0]
    assert (tmp_path / "elsewhere").read_text() == "{}", "nor is anything written where somebody points to"

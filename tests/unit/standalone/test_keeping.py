"""Processes are told apart, kept running, and stopped within their time; real ones, made for each test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from standalone import identities, leftovers, logs, state
from standalone.keeper import Keeper, Part
from standalone.layout import Layout
from tests.waiting import wait_for

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Callable[..., Keeper]]:
    """Keepers of parts, stopped at the end."""
    made: list[Keeper] = []

    def keep(command: list[str], **more: object) -> Keeper:
        part = Part(
            name="part", kind="web", port=1, command=lambda: command, environ=dict(os.environ), cwd=tmp_path,
            **{"is_ready": lambda: True, "stop_s": 0.5, **more},
        )  # fmt: skip
        keeper = Keeper(part, log=tmp_path / "part.log", changed=lambda: None)
        keeper.start()
        made.append(keeper)
        return keeper

    yield keep
    for keeper in made:
        keeper.stop()


def test_a_process_that_was_killed_is_started_again(keep: Callable[..., Keeper]):
    keeper = keep(SLEEPS)
    wait_for(lambda: keeper.is_ready)
    first = keeper.state.pid
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: keeper.is_ready and keeper.state.pid != first)
    assert keeper.state.restarts == 1
    assert keeper.state.lives


def test_a_process_that_dies_at_once_is_tried_less_and_less_often(keep: Callable[..., Keeper]):
    keeper = keep([sys.executable, "-c", "raise SystemExit(3)"], is_ready=lambda: False)
    wait_for(lambda: keeper.state.restarts >= 3)
    began = keeper.state.restarts
    time.sleep(1.0)
    assert keeper.state.restarts - began <= 2
    assert keeper.failure == "ended with code 3"


def test_a_program_that_is_not_there_is_told_and_tried_again(keep: Callable[..., Keeper]):
    keeper = keep(["/nonexistent/program"])
    wait_for(lambda: keeper.state.restarts >= 1)
    assert "FileNotFoundError" in keeper.failure


def test_a_process_that_does_not_leave_is_ended_by_force(keep: Callable[..., Keeper], tmp_path: Path):
    keeper = keep(STUBBORN)
    wait_for(lambda: (tmp_path / "part.log").exists() and "up" in (tmp_path / "part.log").read_text())
    pid = keeper.state.pid
    keeper.stop()
    assert identities.began(pid) is None
    assert keeper.state.health == state.STOPPED


def test_a_process_that_is_unwell_is_shown_as_such_and_left_running(keep: Callable[..., Keeper]):
    well = [True]
    keeper = keep(SLEEPS, is_ready=lambda: well[0])
    wait_for(lambda: keeper.is_ready)
    well[0] = False
    wait_for(lambda: keeper.state.health == "unwell")
    well[0] = True
    wait_for(lambda: keeper.is_ready)
    assert keeper.state.restarts == 0


def test_a_process_id_that_went_to_somebody_else_is_not_the_same_process():
    process = subprocess.Popen(SLEEPS)
    try:
        since = identities.began(process.pid)
        assert identities.lives(process.pid, since=since)
        assert not identities.lives(process.pid, since="1")
        identities.send(process.pid, signal.SIGKILL, since="1")
        time.sleep(0.1)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_what_an_earlier_run_left_is_stopped_and_nobody_else(tmp_path: Path):
    """One is known from the state file, one by its mark; a third is recorded with another beginning: not ours."""
    layout = Layout(tmp_path / "house")
    layout.make()
    marked = {**os.environ, identities.HOUSE_MARK: str(layout.home)}
    known, strange, stray = subprocess.Popen(SLEEPS), subprocess.Popen(SLEEPS), subprocess.Popen(SLEEPS, env=marked)
    try:
        parts = [
            state.ProcessState(name="known", kind="store", port=1, pid=known.pid, began=identities.began(known.pid)),
            state.ProcessState(name="strange", kind="store", port=2, pid=strange.pid, began="1"),
        ]
        state.write(layout.state, state.HouseState(processes=parts))
        wait_for(lambda: stray.pid in identities.marked(layout.home))
        assert leftovers.stop(layout, say=lambda _text: None) == 2
        assert strange.poll() is None
        assert known.wait(5) == -signal.SIGTERM
        assert stray.wait(5) == -signal.SIGTERM
    finally:
        for process in (known, strange, stray):
            process.kill()
            process.wait()


def test_a_state_that_was_half_written_is_read_as_none(tmp_path: Path):
    (tmp_path / "state.json").write_text('{"pid": 1, "proc')
    assert state.read(tmp_path / "state.json") == state.HouseState()


def test_a_state_is_read_as_it_was_written(tmp_path: Path):
    known = state.HouseState(
        pid=7,
        began="9",
        phase=state.READY,
        processes=[state.ProcessState(name="a", kind="web", port=3, pid=8, began="1")],
    )
    state.write(tmp_path / "state.json", known)
    assert state.read(tmp_path / "state.json") == known
    assert not known.is_healthy


def test_a_log_that_has_grown_too_long_is_put_aside_and_the_writer_goes_on(tmp_path: Path):
    log = tmp_path / "part.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 1000)
        logs.bound(tmp_path, most_bytes=100)
        writer.write(b"new\n")
    assert log.read_bytes() == b"new\n"
    assert (tmp_path / "part.log.1").stat().st_size == 4000


def test_logs_are_shown_with_the_name_of_their_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.log").write_text("one\n")
    (tmp_path / "bb.log").write_text("two\n")
    logs.show(tmp_path, names=[], follow=False)
    assert capsys.readouterr().out == "a  | one\nbb | two\n"

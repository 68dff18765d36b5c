"""Keeps one process running: starts it, knows when it is ready, and starts it again when it dies or hangs."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from standalone import identities
from standalone.state import READY, STARTING, STOPPED, ProcessState

UNWELL, WAITING = "unwell", "waiting"

LOOK_S = 0.2
CHECK_S = 3.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0
STEADY_S = 20.0
HANGS_S = 60.0


def _nothing() -> None:
    return


@dataclass(frozen=True, kw_only=True)
class Part:
    """One process of the house.

    is_ready: whether it does its work. is_alive: whether it answers at all; one that has not for a minute is ended and
    started anew. prepare runs before each start, settle once it is ready after each start.
    """

    name: str
    kind: str
    port: int
    command: Callable[[], Sequence[str]]
    environ: Mapping[str, str]
    cwd: Path
    is_ready: Callable[[], bool]
    is_alive: Callable[[], bool] | None = None
    prepare: Callable[[], None] = _nothing
    settle: Callable[[], None] = _nothing
    stop_signal: signal.Signals = signal.SIGTERM
    stop_s: float = 25.0
    source: str = ""
    start_s: float = field(default=45.0)


class Keeper:
    """The thread that keeps one part running."""

    def __init__(self, part: Part, *, log: Path, changed: Callable[[], None]) -> None:
        self.part = part
        self.state = ProcessState(
            name=part.name, kind=part.kind, port=part.port, stop_signal=int(part.stop_signal), source=part.source
        )
        self.failure = ""
        self._log = log
        self._changed = changed
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name=f"keeper-{part.name}", daemon=True)

    def start(self) -> None:
        """Begin to keep it running."""
        self._thread.start()

    def stop(self) -> None:
        """Stop it within its time, by force when it does not leave; returns when it is gone."""
        self._stopping.set()
        self._thread.join()
        self._end()
        self._become(STOPPED)

    @property
    def is_ready(self) -> bool:
        """Whether it does its work now."""
        return self.state.health == READY

    def _keep(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._run_once()
            except Exception as error:  # noqa: BLE001 - whatever goes wrong with one part, the others stay kept
                self.failure = f"{type(error).__name__}: {error}"
                self._say(f"could not be started: {self.failure}")
                self._end()
            if self._stopping.is_set():
                return
            pause_s = FIRST_PAUSE_S if time.monotonic() - began > STEADY_S else pause_s
            self.state.restarts += 1
            self._become(WAITING)
            self._stopping.wait(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _run_once(self) -> None:
        """From one start to the end of that process."""
        self._become(STARTING)
        self.part.prepare()
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                list(self.part.command()),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(self.part.environ),
                cwd=self.part.cwd,
                start_new_session=True,
            )
        self.state.pid, self.state.began = self._process.pid, identities.began(self._process.pid)
        self._become(STARTING)
        if self._comes_up(self._process):
            self.part.settle()
            self.failure = ""
            self._become(READY)
            self._watch(self._process)

    def _comes_up(self, process: subprocess.Popen[bytes]) -> bool:
        until = time.monotonic() + self.part.start_s
        while not self._stopping.wait(LOOK_S / 4):
            if process.poll() is not None:
                self.failure = f"ended with code {process.returncode}"
                self._say(self.failure)
                return False
            if self.part.is_ready():
                return True
            if time.monotonic() > until:
                self.failure = f"was not ready within {self.part.start_s:.0f} s"
                self._say(self.failure)
                self._end()
                return False
        return False

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Look whether it still runs, often, and whether it is well, now and then, until it ends."""
        last_check = last_answer = time.monotonic()
        while not self._stopping.wait(LOOK_S):
            if process.poll() is not None:
                self.failure = f"ended with code {process.returncode}"
                self._say(f"{self.failure}; starting it again")
                return
            now = time.monotonic()
            if now - last_check < CHECK_S:
                continue
            is_ready = self.part.is_ready()
            if is_ready or (self.part.is_alive is not None and self.part.is_alive()):
                last_answer = time.monotonic()
            self._become(READY if is_ready else UNWELL)
            if self.part.is_alive is not None and time.monotonic() - last_answer > HANGS_S:
                self._say("has not answered for a minute; ending it")
                self._end()
                return
            last_check = time.monotonic()

    def _end(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(self.part.stop_signal)
        try:
            process.wait(self.part.stop_s)
        except subprocess.TimeoutExpired:
            self._say("did not leave in time; ending it by force")
            process.kill()
            process.wait()

    def _become(self, health: str) -> None:
        self.state.health = health
        self._changed()

    def _say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {self.part.name} {text}", flush=True)

"""The state file: what the supervisor knows of its processes, for `status`, `up`, `down` and `logs` to read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from standalone import identities

STARTING, READY, STOPPING, FAILED, STOPPED = "starting", "ready", "stopping", "failed", "stopped"


@dataclass(kw_only=True)
class ProcessState:
    """One process: `health` is `ready`, `starting`, `unwell`, `waiting` (to be started again) or `stopped`."""

    name: str
    kind: str
    port: int
    pid: int = 0
    began: str | None = None
    health: str = STOPPED
    restarts: int = 0
    stop_signal: int = 15
    source: str = ""

    @property
    def lives(self) -> bool:
        """Whether this very process runs."""
        return self.pid > 0 and identities.lives(self.pid, since=self.began)


@dataclass(kw_only=True)
class HouseState:
    """The supervisor and all of its processes."""

    pid: int = 0
    began: str | None = None
    phase: str = STOPPED
    trouble: str = ""
    url: str = ""
    inbox_url: str = ""
    processes: list[ProcessState] = field(default_factory=list)

    @property
    def lives(self) -> bool:
        """Whether the supervisor runs."""
        return self.pid > 0 and identities.lives(self.pid, since=self.began)

    @property
    def is_healthy(self) -> bool:
        """Whether the supervisor runs and each of its processes does its work."""
        return (
            self.lives and self.phase == READY and all(each.lives and each.health == READY for each in self.processes)
        )


def read(path: Path) -> HouseState:
    """The last state that was written; an empty one when there is none."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        processes = [ProcessState(**each) for each in kept.pop("processes")]
        return HouseState(**kept, processes=processes)
    except (OSError, ValueError, TypeError, KeyError):
        return HouseState()


def write(path: Path, state: HouseState) -> None:
    """Replace the state file; a reader sees the old or the new one, never half of one."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(asdict(state)), encoding="utf-8")
    fresh.replace(path)

"""Where everything of a house lies below its one folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from standalone.trouble import Trouble, of_folder

# What the stores want to come up with journals, logs and the demo; less than this is a full disk in all but name.
WANTED_BYTES = 1 << 30
MARK = ".infirmary-house"


@dataclass(frozen=True)
class Layout:
    """The folders and files of one house."""

    home: Path

    @property
    def data(self) -> Path:
        """What the stores keep."""
        return self.home / "data"

    @property
    def secrets(self) -> Path:
        """What was made at the first start and nobody else may read."""
        return self.home / "secrets"

    @property
    def environ(self) -> Path:
        """One folder per service with the values of its settings, as files."""
        return self.home / "environ"

    @property
    def logs(self) -> Path:
        """What each process says."""
        return self.home / "logs"

    @property
    def run(self) -> Path:
        """What is true of the processes that run now."""
        return self.home / "run"

    @property
    def state(self) -> Path:
        """The state file of the supervisor."""
        return self.run / "state.json"

    @property
    def steps(self) -> Path:
        """What the supervisor does while it starts, one line per step."""
        return self.run / "steps.log"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor of this house for as long as it lives."""
        return self.run / "lock"

    @property
    def ports(self) -> Path:
        """The ports that were chosen once."""
        return self.home / "ports.json"

    def log(self, name: str) -> Path:
        """The log of one process."""
        return self.logs / f"{name}.log"

    def make(self, *, free_bytes: int | None = None) -> None:
        """Make the folders, with a mark by which `reset` knows that they are a house.

        Raises:  Trouble: the folder cannot be written, or its disk is full.
        """
        try:
            is_new = not self.home.exists()
            for folder in (self.home, self.data, self.logs, self.run):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.secrets, self.environ):
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)
            if is_new:
                self.home.chmod(0o755)
            (self.home / MARK).write_text("The data of an Infirmary on this machine; `make reset` removes it.\n")
            _try_writing(self.run / "probe")
        except OSError as error:
            raise of_folder(error, folder=self.home) from error
        space = os.statvfs(self.home)
        free = space.f_bavail * space.f_frsize if free_bytes is None else free_bytes
        if free < WANTED_BYTES:
            raise Trouble(
                f"The disk of {self.home} has {free >> 20} MiB free and a house wants {WANTED_BYTES >> 20}: "
                "free some space, or choose another folder with INFIRMARY_HOME=…"
            )

    @property
    def is_house(self) -> bool:
        """Whether this folder was made by a house."""
        return (self.home / MARK).is_file()


def _try_writing(path: Path) -> None:
    with path.open("wb") as probe:
        probe.write(b"\0" * 65536)
        probe.flush()
        os.fsync(probe.fileno())
    path.unlink()


def write_private(path: Path, text: str) -> None:
    """Replace a file that only we may read; whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)

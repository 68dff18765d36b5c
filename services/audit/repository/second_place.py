"""The second place of the checkpoints: a file, which belongs on another disk than the database."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from services.audit import model


class CheckpointFile:
    """The second place: a file that grows by lines of one width, so that any of them is found by halving.

    It belongs on another machine's disk, or on one that can be written once. A line that cannot be read counts as a
    checkpoint that is not genuine: whoever spoils the file does not go unseen. A last line without its end is one
    that a crash has cut.
    """

    WIDTH = 256

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, checkpoints: Sequence[model.Checkpoint]) -> None:
        """Add lines for those that are newer than the last one, and return when the disk has them.

        A line that a crash has cut goes first. Two writers wait for each other.
        """
        with self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            last = self.newest()
            file.truncate(self._count() * self.WIDTH)
            new = [each for each in checkpoints if last is None or each.position > last.position]
            file.write(b"".join(map(self._line, new)))
            file.flush()
            os.fsync(file.fileno())

    def newest(self) -> model.Checkpoint | None:
        """The last line that can be read."""
        for number in reversed(range(self._count())):
            found = self._read(number, count=1)[0]
            if found != model.UNREADABLE:
                return found
        return None

    def between(self, first: int, *, last: int) -> list[model.Checkpoint]:
        """The lines of a range of positions, and what cannot be read among them."""
        low, high = 0, self._count()
        while low < high:
            middle = (low + high) // 2
            found = self._read(middle, count=1)[0]
            if found != model.UNREADABLE and found.position < first:
                low = middle + 1
            else:
                high = middle
        kept: list[model.Checkpoint] = []
        while page := self._read(low, count=100):
            kept += [each for each in page if each.position <= last]
            if page[-1].position > last:
                break
            low += len(page)
        return kept

    def _count(self) -> int:
        try:
            return self._path.stat().st_size // self.WIDTH
        except FileNotFoundError:
            return 0

    def _read(self, number: int, *, count: int) -> list[model.Checkpoint]:
        if number >= self._count():
            return []
        with self._path.open("rb") as file:
            file.seek(number * self.WIDTH)
            lines = file.read(count * self.WIDTH)
        lines = lines[: len(lines) // self.WIDTH * self.WIDTH]
        return [self._parsed(lines[at : at + self.WIDTH]) for at in range(0, len(lines), self.WIDTH)]

    def _line(self, checkpoint: model.Checkpoint) -> bytes:
        words = (str(checkpoint.position), checkpoint.at.isoformat(), checkpoint.hash.hex(), checkpoint.mac.hex())
        return " ".join(words).ljust(self.WIDTH - 1).encode("ascii") + b"\n"

    @staticmethod
    def _parsed(line: bytes) -> model.Checkpoint:
        try:
            position, at, hash_, mac = line.decode("ascii").split()
            moment = datetime.fromisoformat(at)
            return model.Checkpoint(int(position), bytes.fromhex(hash_), moment, bytes.fromhex(mac))
        except ValueError:
            return model.UNREADABLE

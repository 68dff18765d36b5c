"""A file that is made whole before it is sent: how many rows it has is known first, and its sending holds no store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

CHUNK: Final = 64 * 1024
_IN_MEMORY: Final = 1 << 20
T = TypeVar("T")


class Counted(Generic[T]):
    """What goes through on its way into a file, and how many it was."""

    def __init__(self, rows: Iterable[T]) -> None:
        self._rows, self.count = rows, 0

    def __iter__(self) -> Iterator[T]:
        """Each in turn."""
        for each in self._rows:
            self.count += 1
            yield each


class Download:
    """A file to be sent once, in chunks; small ones stay in memory, large ones lie on disk until they are closed."""

    def __init__(self, parts: Iterable[bytes], *, media_type: str, name: str) -> None:
        """Takes all parts; what goes wrong while they are made leaves no file."""
        self.media_type, self.name = media_type, name
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by `close`
        try:
            for part in parts:
                self._file.write(part)
            self.size = self._file.tell()
            self._file.seek(0)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        """The file in chunks."""
        while chunk := self._file.read(CHUNK):
            yield chunk

    def close(self) -> None:
        """Forget the file."""
        self._file.close()

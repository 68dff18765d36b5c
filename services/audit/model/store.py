"""What the rules need from outside: a store that appends and finds, and a trail that can be walked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from services.audit.model.chain import Head, Link
from services.audit.model.checkpoints import Checkpoint
from services.audit.model.searching import Search


@dataclass(frozen=True, slots=True)
class Ends:
    """Where the trail ends, seen at one moment: its head, and the highest position that an entry has."""

    head: Head
    last_position: int


@dataclass(frozen=True, slots=True)
class Noted:
    """The checkpoints of a range, of all places, and the first position at which a place lacks one that it had."""

    checkpoints: Sequence[Checkpoint]
    lacking: int | None = None


class Transaction(Protocol):
    """One unit of work: all of it is kept, or nothing."""

    def head(self) -> Head:
        """The newest link, held until the unit of work ends: appends go one after the other."""
        ...

    def append(self, links: Sequence[Link]) -> None:
        """Keep links, one at least, each of which follows the one before, and make the last one the head."""
        ...

    def find(self, search: Search, *, before: int | None, limit: int) -> Sequence[Link]:
        """The newest links that a search is about, those before a position where one is given."""
        ...

    def last_checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint in the store."""
        ...

    def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint."""
        ...


class Trail(Protocol):
    """The trail as it lies in the store, to be walked without believing it."""

    @property
    def has_second_place(self) -> bool:
        """Whether checkpoints are kept outside the store too."""
        ...

    def ends(self) -> Ends:
        """Where it ends now."""
        ...

    def newest_checkpoint(self) -> Checkpoint | None:
        """The checkpoint with the highest position, of all places."""
        ...

    def hash_at(self, position: int) -> bytes | None:
        """The stored hash at a position, or nothing."""
        ...

    def pages(self, first: int, *, last: int) -> Iterator[Sequence[Link]]:
        """The links of a range in order, page by page."""
        ...

    def found(self, search: Search, *, last: int) -> Iterator[Link]:
        """The links up to a position that a search is about, oldest first."""
        ...

    def checkpoints(self, first: int, *, last: int) -> Noted:
        """The checkpoints of a range."""
        ...


class Store(Protocol):
    """Where the trail is kept; `call` is the chassis's, and the rules do not look into it."""

    def begin(self, call: Any) -> AbstractContextManager[Transaction]:
        """Begin a unit of work for a call."""
        ...

    def trail(self) -> AbstractContextManager[Trail]:
        """Walk the trail as it is."""
        ...

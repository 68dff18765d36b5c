"""Checking the trail: walk it, compute every hash anew, and name the first thing that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.audit.model.chain import GENESIS, Link, link_hash
from services.audit.model.checkpoints import Checkpoint, is_genuine
from services.audit.model.entries import index_of, read_entry
from services.audit.model.store import Ends, Trail
from services.kernel.errors import FieldError, Invalid

AT_ONCE: Final = 100_000


class BreakKind(StrEnum):
    """How a trail can be broken."""

    ENTRY_CHANGED = "entry_changed"
    INDEX_CHANGED = "index_changed"
    ENTRY_MISSING = "entry_missing"
    ORDER_CHANGED = "order_changed"
    TAIL_MISSING = "tail_missing"
    BEYOND_HEAD = "beyond_head"
    HEAD_CHANGED = "head_changed"
    CHECKPOINT_DIFFERS = "checkpoint_differs"
    CHECKPOINT_FORGED = "checkpoint_forged"
    CHECKPOINT_MISSING = "checkpoint_missing"


@dataclass(frozen=True, slots=True)
class Break:
    """The first thing that is wrong, and where."""

    position: int
    kind: BreakKind


@dataclass(frozen=True, slots=True)
class Range:
    """From one position to another, both included; empty when the last is before the first."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a check has found."""

    range: Range
    entries: int
    checkpoints: int
    second_place: bool
    found: Break | None
    next_position: int | None


def range_of(first: int | None, last: int | None, *, end: int, at_most: int | None = AT_ONCE) -> Range:
    """The range that somebody asked for within a trail of `end` entries, as much of it as one check takes.

    Without a beginning it is the newest part, without an end it goes on to the newest entry.

    Raises:  Invalid: it ends before it begins, or begins after the trail ends.
    Source:  decision: one request checks what it can within its time; the command has no such limit.
    """
    if first is not None and last is not None and last < first:
        raise Invalid(errors=[FieldError("not_before_first", "/last_position")])
    if first is not None and first > max(end, 1):
        raise Invalid(errors=[FieldError("beyond_the_trail", "/first_position")])
    stop = end if last is None else min(last, end)
    if at_most is None:
        return Range(first or 1, stop)
    start = first or max(1, stop - at_most + 1)
    return Range(start, min(stop, start + at_most - 1))


def verify(
    trail: Trail,
    *,
    first: int | None = None,
    last: int | None = None,
    at_most: int | None = None,
    key: bytes,
    progress: Callable[[int], None] = lambda _entries: None,
) -> Verification:
    """Check a range of the trail, and its end when the range reaches it; memory does not grow with its length.

    Finds what was edited, deleted, inserted, swapped, cut off, or written anew as a whole since a checkpoint.
    `progress` hears after each page how many entries have been checked.

    Raises:  Invalid: as `range_of`.
    Source:  NIST SP 800-92, section 4.2 (log file integrity checking).
    """
    # The newest checkpoint first: the trail may grow in between, and must then be at least as long as it says.
    newest = trail.newest_checkpoint()
    ends = trail.ends()
    wanted = range_of(first, last, end=ends.head.position, at_most=at_most)
    walk = _Walk(trail, key=key)
    found = walk.over(wanted, ends=ends, progress=progress)
    at_end = wanted.last == ends.head.position
    if found is None and at_end:
        found = _check_end(ends, newest, last_hash=walk.hash, key=key)
    return Verification(
        range=wanted,
        entries=walk.entries,
        checkpoints=walk.checkpoints,
        second_place=trail.has_second_place,
        found=found,
        next_position=None if found or at_end else wanted.last + 1,
    )


def _check_end(ends: Ends, newest: Checkpoint | None, *, last_hash: bytes, key: bytes) -> Break | None:
    if ends.last_position > ends.head.position:
        return Break(ends.head.position + 1, BreakKind.BEYOND_HEAD)
    if newest is not None and not is_genuine(newest, key=key):
        return Break(newest.position, BreakKind.CHECKPOINT_FORGED)
    if newest is not None and newest.position > ends.head.position:
        return Break(ends.head.position + 1, BreakKind.TAIL_MISSING)
    if ends.head.hash != last_hash:
        return Break(ends.head.position, BreakKind.HEAD_CHANGED)
    return None


class _Walk:
    """A walk along the trail: where it is, and the hash that the next link must follow."""

    def __init__(self, trail: Trail, *, key: bytes) -> None:
        self._trail, self._key = trail, key
        self.position, self.hash = 0, GENESIS
        self.entries = self.checkpoints = 0

    def over(self, wanted: Range, *, ends: Ends, progress: Callable[[int], None]) -> Break | None:
        """Walk a range, and say where it breaks."""
        self.position = wanted.first - 1
        if self.position:
            before = self._trail.hash_at(self.position)
            if before is None:
                return Break(self.position, BreakKind.ENTRY_MISSING)
            self.hash = before
        for page in self._trail.pages(wanted.first, last=wanted.last):
            first = self.position + 1
            noted = self._trail.checkpoints(first, last=page[-1].position)
            found = self._checkpoints(noted.checkpoints) or self._page(page, _hashes(noted.checkpoints))
            if found is not None:
                return found
            if noted.lacking is not None:
                return Break(noted.lacking, BreakKind.CHECKPOINT_MISSING)
            self.checkpoints += len(noted.checkpoints)
            progress(self.entries)
        if self.position >= wanted.last:
            return None
        cut = ends.last_position <= self.position
        return Break(self.position + 1, BreakKind.TAIL_MISSING if cut else BreakKind.ENTRY_MISSING)

    def _checkpoints(self, noted: Sequence[Checkpoint]) -> Break | None:
        for each in noted:
            if not is_genuine(each, key=self._key):
                return Break(each.position, BreakKind.CHECKPOINT_FORGED)
        return None

    def _page(self, page: Sequence[Link], noted: dict[int, set[bytes]]) -> Break | None:
        for link in page:
            position = self.position + 1
            if link.position != position:
                return Break(position, BreakKind.ENTRY_MISSING)
            if link.previous != self.hash:
                return Break(position, BreakKind.ORDER_CHANGED)
            own = link_hash(previous=self.hash, position=position, text=link.text)
            if own != link.hash:
                return Break(position, BreakKind.ENTRY_CHANGED)
            if position in noted and noted[position] != {own}:
                return Break(position, BreakKind.CHECKPOINT_DIFFERS)
            if not _is_indexed(link):
                return Break(position, BreakKind.INDEX_CHANGED)
            self.position, self.hash, self.entries = position, own, self.entries + 1
        return None


def _hashes(noted: Sequence[Checkpoint]) -> dict[int, set[bytes]]:
    found: dict[int, set[bytes]] = {}
    for each in noted:
        found.setdefault(each.position, set()).add(each.hash)
    return found


def _is_indexed(link: Link) -> bool:
    """Whether a link is found by what its entry says; an entry that nobody can read is found by nothing."""
    try:
        return index_of(read_entry(link.text)) == link[4:]
    except (KeyError, TypeError, ValueError):
        return False

"""Whether the answers of a booking desk can be those of one that does a single thing at a time: linearizability.

A history is what some clients did and were told, with the moments at which each question left and its answer came. It
is right when every operation can be given one moment between the two, such that a desk that did them in that order
would have said the same. The search is that of Wing and Gong, with the places already visited remembered (Lowe).

What an operation must find is known from its answer: a booking that was confirmed with the second seat needs the first
to be taken, one that was refused needs all of them to be, and every refusal names a reason that holds.

Source: Wing and Gong, Testing and Verifying Concurrent Objects, 1993; Lowe, Testing for Linearizability, 2017.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

TAKEN, CLOSED, ROOM_TAKEN, STALE, OVER = (
    "place_taken",
    "place_closed",
    "resource_taken",
    "stale_version",
    "illegal_move",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an appointment lies, in minutes; `room` is taken for itself alone."""

    doctor: str
    start: int
    end: int
    room: str | None = None
    seat: int = 0

    def meets(self, other: Place) -> bool:
        """Whether both take some of the same time."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One question and its answer.

    kind: `book`, `move`, `cancel`, `read`; `close` and `open`, the leave of the doctor over a place. said: `done`, or
    why not. version: that from which a change starts, or that which was read. place: as it was asked for, with the seat
    that was given; as it was read, nothing when it was cancelled. clashing: the appointments that leave was told of.
    """

    kind: str
    began: float
    ended: float
    said: str = "done"
    appointment: str = ""
    version: int = 0
    place: Place | None = None
    clashing: frozenset[str] = frozenset()


Known = tuple[int, Place | None]
Change = tuple[str, Known | None, Known | None]
_NOTHING: Sequence[Change] = ()
_LEAVE = "leave of "


@dataclass
class Desk:
    """A desk that does one thing at a time: each appointment's version and place, and who is on leave when."""

    capacity: int
    known: dict[str, Known] = field(default_factory=dict)
    by_doctor: dict[str, set[str]] = field(default_factory=dict)
    digest: int = 0

    def do(self, operation: Operation) -> Sequence[Change] | None:
        """What the operation changes; None when this desk would have said something else."""
        return getattr(self, f"_{operation.kind}")(operation)

    def apply(self, changes: Sequence[Change]) -> None:
        """Make changes true."""
        for name, before, after in changes:
            self._put(name, before, after)

    def undo(self, changes: Sequence[Change]) -> None:
        """Take changes back."""
        for name, before, after in reversed(changes):
            self._put(name, after, before)

    def _put(self, name: str, before: Known | None, after: Known | None) -> None:
        for each, is_there in ((before, False), (after, True)):
            if each is None:
                continue
            self.digest ^= hash((name, each))
            if each[1] is not None:
                here = self.by_doctor.setdefault(each[1].doctor, set())
                (here.add if is_there else here.discard)(name)
        if after is None:
            del self.known[name]
        else:
            self.known[name] = after

    def _standing(self, place: Place, *, doctors: Iterable[str], but: str) -> Iterator[tuple[str, Place]]:
        for name in itertools.chain.from_iterable(self.by_doctor.get(doctor, ()) for doctor in doctors):
            found = self.known[name][1]
            if name != but and found is not None and found.meets(place):
                yield name, found

    def _place(self, wanted: Place, *, but: str) -> tuple[set[str], int]:
        """All reasons why a place cannot be had, and the lowest seat that is free there."""
        there = list(self._standing(wanted, doctors=[wanted.doctor], but=but))
        reasons = {CLOSED for name, _ in there if name.startswith(_LEAVE)}
        free = set(range(1, self.capacity + 1)) - {found.seat for _, found in there}
        if wanted.room is not None:
            in_rooms = self._standing(wanted, doctors=self.by_doctor, but=but)
            reasons |= {ROOM_TAKEN for _, found in in_rooms if found.room == wanted.room}
        return reasons if free else reasons | {TAKEN}, min(free, default=0)

    def _change(self, asked: Operation, before: Known | None) -> Sequence[Change] | None:
        """A refusal names a reason that holds; what is done has none against it, and the right seat."""
        reasons, seat = (set(), 0) if asked.place is None else self._place(asked.place, but=asked.appointment)
        if before is not None:
            reasons |= {STALE} if before[0] != asked.version else set()
            reasons |= {OVER} if before[1] is None else set()
        if asked.said != "done":
            return _NOTHING if asked.said in reasons else None
        if reasons or (asked.place is not None and asked.place.seat != seat):
            return None
        return [(asked.appointment, before, (asked.version + 1, asked.place))]

    def _book(self, asked: Operation) -> Sequence[Change] | None:
        return self._change(asked, None)

    def _move(self, asked: Operation) -> Sequence[Change] | None:
        return self._change(asked, self.known.get(asked.appointment, (0, None)))

    _cancel = _move

    def _read(self, asked: Operation) -> Sequence[Change] | None:
        return _NOTHING if self.known.get(asked.appointment) == (asked.version, asked.place) else None

    def _close(self, asked: Operation) -> Sequence[Change] | None:
        assert asked.place is not None
        name = _LEAVE + asked.place.doctor
        told = {each for each, _ in self._standing(asked.place, doctors=[asked.place.doctor], but=name)}
        return [(name, self.known.get(name), (0, asked.place))] if told == asked.clashing else None

    def _open(self, asked: Operation) -> Sequence[Change] | None:
        assert asked.place is not None
        name = _LEAVE + asked.place.doctor
        return [(name, self.known.get(name), (0, None))]


class _Event:
    """A question, or its answer, in the list of what has no moment yet."""

    __slots__ = ("after", "answer", "before", "number", "operation")

    def __init__(self, operation: Operation | None, number: int) -> None:
        self.operation, self.number = operation, number
        self.answer = self.before = self.after = self

    def out(self) -> None:
        self.before.after, self.after.before = self.after, self.before

    def back(self) -> None:
        self.before.after = self.after.before = self


def first_anomaly(history: Sequence[Operation], desk: Desk) -> Operation | None:
    """The first operation whose answer no order explains, or nothing; `desk` is then as all of them leave it.

    Whatever changes nothing is given the first moment at which its answer is right: that takes nothing from the others.
    """
    first, marks = _listed(history), [random.getrandbits(64) for _ in history]
    done, seen = 0, set()
    chosen: list[tuple[_Event, Sequence[Change]]] = []
    worst, at = -1, first.after
    while first.after is not first:
        if at.operation is not None:
            changes = desk.do(at.operation)
            if changes is not None:
                desk.apply(changes)
                key = done ^ marks[at.number] ^ desk.digest
                if not changes or key not in seen:
                    seen.add(key)
                    done ^= marks[at.number]
                    chosen.append((at, changes))
                    at.out()
                    at.answer.out()
                    at = first.after
                    continue
                desk.undo(changes)
            at = at.after
            continue
        worst = max(worst, at.number)
        while chosen:
            at, changes = chosen.pop()
            desk.undo(changes)
            done ^= marks[at.number]
            at.answer.back()
            at.back()
            if changes:
                break
        else:
            return _in_order(history)[worst]
        at = at.after
    return None


def _in_order(history: Sequence[Operation]) -> list[Operation]:
    return sorted(history, key=lambda each: each.ended)


def _listed(history: Sequence[Operation]) -> _Event:
    """All questions and answers in the order of time; where both fall together the question comes first."""
    first = _Event(None, -1)
    moments: list[tuple[float, bool, _Event]] = []
    for number, operation in enumerate(_in_order(history)):
        question, answer = _Event(operation, number), _Event(None, number)
        question.answer = answer
        moments += [(operation.began, False, question), (operation.ended, True, answer)]
    for _, _, event in sorted(moments, key=lambda each: each[:2]):
        event.before, event.after = first.before, first
        event.back()
    return first

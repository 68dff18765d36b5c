"""The check of histories finds every anomaly that is put into one, and none where there is none."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.histories import CLOSED, OVER, ROOM_TAKEN, STALE, TAKEN, Desk, Operation, Place, first_anomaly

NINE = Place("ann", 540, 570, seat=1)
HALF_PAST = Place("ann", 570, 600, seat=1)
SECOND = replace(NINE, seat=2)
MORNING = Place("ann", 480, 720)


def do(kind: str, began: float, ended: float, **more) -> Operation:
    return Operation(kind=kind, began=began, ended=ended, **more)


def book(name: str, began: float, ended: float, place: Place = NINE, said: str = "done") -> Operation:
    asked = place if said == "done" else replace(place, seat=0)
    return do("book", began, ended, appointment=name, place=asked, said=said)


def cancel(name: str, began: float, ended: float, version: int = 1, said: str = "done") -> Operation:
    return do("cancel", began, ended, appointment=name, version=version, said=said)


def move(name: str, began: float, ended: float, place: Place, version: int = 1, said: str = "done") -> Operation:
    asked = place if said == "done" else replace(place, seat=0)
    return do("move", began, ended, appointment=name, version=version, place=asked, said=said)


def read(name: str, began: float, ended: float, version: int, place: Place | None) -> Operation:
    return do("read", began, ended, appointment=name, version=version, place=place)


def close(began: float, ended: float, *clashing: str) -> Operation:
    return do("close", began, ended, place=MORNING, clashing=frozenset(clashing))


RIGHT = {
    "one after the other": [book("a", 0, 1), cancel("a", 2, 3), book("b", 4, 5)],
    "two seats": [book("a", 0, 1), book("b", 2, 3, SECOND), book("c", 4, 5, said=TAKEN)],
    "refused while it was taken for a moment": [
        book("a", 0, 1),
        book("b", 2, 3, SECOND),
        book("c", 4, 9, said=TAKEN),
        cancel("a", 5, 6),
        book("d", 7, 8),
    ],
    "answered later than it was done": [book("a", 0, 1), book("b", 2, 9, SECOND), book("c", 3, 4, said=TAKEN)],
    "the second seat first, while both were asked": [book("a", 0, 9), book("b", 1, 2, SECOND)],
    "the place of one who gives it back meanwhile": [book("a", 0, 1), cancel("a", 2, 9), book("b", 3, 4)],
    "moved, and its old place taken": [book("a", 0, 1), move("a", 2, 3, HALF_PAST), book("b", 4, 5)],
    "moved into its own time": [book("a", 0, 1), move("a", 2, 3, Place("ann", 555, 585, seat=1))],
    "one of two changes from the same version": [
        book("a", 0, 1),
        move("a", 2, 5, HALF_PAST),
        cancel("a", 3, 4, said=STALE),
    ],
    "what is over is over": [book("a", 0, 1), cancel("a", 2, 3), cancel("a", 4, 5, version=2, said=OVER)],
    "leave that was told of what is there": [book("a", 0, 1), close(2, 3, "a"), book("b", 4, 5, said=CLOSED)],
    "leave that came to an end": [close(0, 1), do("open", 2, 3, place=MORNING), book("a", 4, 5)],
    "leave while somebody books, told of it": [close(0, 9, "a"), book("a", 1, 8), read("a", 10, 11, 1, NINE)],
    "leave while somebody books, who is refused": [close(0, 9), book("a", 1, 8, said=CLOSED)],
    "a room for itself": [
        book("a", 0, 1, replace(NINE, room="x")),
        book("b", 2, 3, Place("bob", 560, 590, "x"), said=ROOM_TAKEN),
    ],
    "read before and after it was moved": [
        book("a", 0, 1),
        move("a", 2, 9, HALF_PAST),
        read("a", 3, 4, 1, NINE),
        read("a", 5, 6, 2, HALF_PAST),
    ],
}
WRONG = {
    "a seat given twice": [book("a", 0, 1), book("b", 2, 3)],
    "a seat given twice at the same time": [book("a", 0, 9), book("b", 1, 8)],
    "more than there are": [book("a", 0, 1), book("b", 2, 3, SECOND), book("c", 4, 5)],
    "a seat that is not the lowest": [book("a", 0, 1, SECOND)],
    "overlapping in part": [book("a", 0, 1), book("b", 2, 3, Place("ann", 560, 590, seat=1))],
    "refused though it was free all the time": [book("a", 0, 1), book("b", 2, 3, said=TAKEN)],
    "confirmed, and not there": [book("a", 0, 1), read("a", 2, 3, 0, None)],
    "refused, and there all the same": [
        book("a", 0, 1),
        book("b", 2, 3, SECOND),
        book("c", 4, 5, said=TAKEN),
        read("c", 6, 7, 1, NINE),
    ],
    "given back, and not free": [
        book("a", 0, 1),
        book("b", 2, 3, SECOND),
        cancel("a", 4, 5),
        book("c", 6, 7, said=TAKEN),
    ],
    "moved, and in both places": [
        book("a", 0, 1),
        book("b", 2, 3, SECOND),
        move("a", 4, 5, HALF_PAST),
        book("c", 6, 7, said=TAKEN),
    ],
    "moved, and in neither": [book("a", 0, 1), move("a", 2, 3, HALF_PAST), book("b", 4, 5, HALF_PAST)],
    "both changes from the same version": [book("a", 0, 1), move("a", 2, 5, HALF_PAST), cancel("a", 3, 4)],
    "stale though nobody changed it": [book("a", 0, 1), cancel("a", 2, 3, said=STALE)],
    "an old version after the new one was told": [
        book("a", 0, 1),
        move("a", 2, 3, HALF_PAST),
        read("a", 4, 5, 1, NINE),
    ],
    "a new version and then the old one": [
        book("a", 0, 1),
        move("a", 2, 9, HALF_PAST),
        read("a", 3, 4, 2, HALF_PAST),
        read("a", 5, 6, 1, NINE),
    ],
    "booked into leave": [close(0, 1), book("a", 2, 3)],
    "refused for leave that is over": [close(0, 1), do("open", 2, 3, place=MORNING), book("a", 4, 5, said=CLOSED)],
    "leave that was not told of all": [book("a", 0, 1), close(2, 3)],
    "leave while somebody books, who is neither refused nor named": [close(0, 9), book("a", 1, 8)],
    "leave that was told of one who is gone": [book("a", 0, 1), cancel("a", 2, 3), close(4, 5, "a")],
    "a room given twice": [
        book("a", 0, 1, replace(NINE, room="x")),
        book("b", 2, 3, Place("bob", 560, 590, "x", seat=1)),
    ],
    "changed after it was over": [book("a", 0, 1), cancel("a", 2, 3), move("a", 4, 5, HALF_PAST, version=2)],
}


@pytest.mark.parametrize("what", RIGHT)
def test_a_history_that_some_order_explains_is_right(what):
    assert first_anomaly(RIGHT[what], Desk(2)) is None


@pytest.mark.parametrize("what", WRONG)
def test_a_history_that_no_order_explains_is_wrong(what):
    assert first_anomaly(WRONG[what], Desk(2)) is not None


def test_the_operation_that_cannot_be_explained_is_named():
    wrong = book("c", 4, 5, said=TAKEN)
    assert first_anomaly([book("a", 0, 1), cancel("a", 2, 3), wrong, book("d", 6, 7)], Desk(2)) == wrong


def test_the_desk_is_left_as_the_history_leaves_it():
    desk = Desk(2)
    assert (
        first_anomaly([book("a", 0, 1), move("a", 2, 3, HALF_PAST), book("b", 4, 5), cancel("b", 6, 7)], desk) is None
    )
    assert desk.known == {"a": (2, HALF_PAST), "b": (2, None)}


def explained(history: Sequence[Operation]) -> bool:
    """The same by trying every order, for small histories."""
    for order in itertools.permutations(history):
        if any(late.ended < early.began for early, late in itertools.combinations(order, 2)):
            continue
        desk = Desk(2)
        for each in order:
            changes = desk.do(each)
            if changes is None:
                break
            desk.apply(changes)
        else:
            return True
    return False


def invented(chance: random.Random) -> list[Operation]:
    """A history of a right desk, in which each operation took longer than it needed; one answer may be another."""
    desk, made = Desk(2), []
    places = [Place("ann", start, start + 30) for start in (540, 555, 570)]
    for moment in range(6):
        began, ended = moment - chance.random() * 2, moment + chance.random() * 2
        name = f"a{chance.randrange(3)}"
        version, place = desk.known.get(name, (0, None))
        candidates = [close(began, ended, *others(desk)), do("open", began, ended, place=MORNING)]
        for wanted in places:
            seats = [replace(wanted, seat=seat) for seat in (1, 2)]
            if version == 0:
                candidates += [book(name, began, ended, each) for each in seats]
                candidates += [book(name, began, ended, wanted, said) for said in (TAKEN, CLOSED)]
            else:
                candidates += [move(name, began, ended, each, version) for each in seats]
                candidates += [move(name, began, ended, wanted, version, said) for said in (TAKEN, CLOSED)]
        candidates += [read(name, began, ended, version, place), cancel(name, began, ended, version)]
        fitting = [each for each in candidates if version or each.kind not in {"read", "cancel"}]
        fitting = [each for each in fitting if desk.do(each) is not None]
        made.append(chance.choice(fitting))
        desk.apply(desk.do(made[-1]) or ())
    if chance.random() < 0.6:
        at = chance.randrange(len(made))
        made[at] = spoilt(made[at], chance)
    return made


def others(desk: Desk) -> list[str]:
    return [name for name, (_, place) in desk.known.items() if place is not None and not name.startswith("leave")]


def spoilt(operation: Operation, chance: random.Random) -> Operation:
    if operation.kind == "book" and operation.place is not None:
        seat = chance.choice((0, 1, 2))
        return replace(operation, place=replace(operation.place, seat=seat), said="done" if seat else TAKEN)
    return replace(operation, version=operation.version + chance.choice((-1, 0, 1)), clashing=frozenset())


def test_it_says_what_trying_every_order_says():
    chance, found = random.Random(7), {True: 0, False: 0}
    for _ in range(300):
        history = invented(chance)
        is_right = explained(history)
        assert (first_anomaly(history, Desk(2)) is None) == is_right, history
        found[is_right] += 1
    assert min(found.values()) > 50, found


def test_a_long_history_of_many_clients_is_checked_in_one_pass():
    """Twelve clients at once, and each answer comes long after it was decided."""
    desk, made, chance = Desk(3), [], random.Random(3)
    for moment in range(3000):
        began, ended = moment - chance.random() * 6, moment + chance.random() * 6
        start = 540 + 5 * chance.randrange(60)
        wanted, name = Place(f"d{chance.randrange(3)}", start, start + 30), f"a{moment}"
        booked = others(desk)
        if booked and chance.random() < 0.5:
            name = chance.choice(booked)
            made.append(cancel(name, began, ended, desk.known[name][0]))
        else:
            tries = [book(name, began, ended, replace(wanted, seat=seat)) for seat in (1, 2, 3)]
            tries.append(book(name, began, ended, wanted, TAKEN))
            made.append(next(each for each in tries if desk.do(each) is not None))
        desk.apply(desk.do(made[-1]) or ())
    assert first_anomaly(made, Desk(3)) is None

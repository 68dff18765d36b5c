"""What a process does before its work waits for stores that are on their way, and for nothing else."""

from __future__ import annotations

import pytest

from services.chassis.process import patiently
from services.chassis.stores import StoreAway


class Refusing:
    """Fails so often, then works."""

    def __init__(self, *errors: Exception) -> None:
        self.left, self.calls = list(errors), 0

    def __call__(self) -> None:
        self.calls += 1
        if self.left:
            raise self.left.pop(0)


def test_what_finds_its_store_away_is_done_again_until_it_is_done():
    """A migration is one of these: a database that has just come up may take longer for its first connections."""
    slow, next_one = (
        Refusing(StoreAway("postgresql", "unreachable"), StoreAway("postgresql", "unreachable")),
        Refusing(),
    )
    patiently([slow, next_one])
    assert (slow.calls, next_one.calls) == (3, 1)


def test_whatever_else_is_wrong_ends_the_start_at_once():
    wrong, next_one = Refusing(ValueError("a setting that loses data")), Refusing()
    with pytest.raises(ValueError, match="loses data"):
        patiently([wrong, next_one])
    assert (wrong.calls, next_one.calls) == (1, 0)

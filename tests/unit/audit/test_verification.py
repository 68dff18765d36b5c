"""Walking a trail finds the first thing that is wrong, whatever it is, and says how far it came."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.audit import model

AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
KEY = b"a key of thirty-two bytes or more"
DATA = {
    "at": "2026-03-02T08:15:00Z",
    "operation": "get_patient",
    "action": "read",
    "outcome": "success",
    "actor": "doctor-1",
    "roles": ["doctor"],
    "patient_id": "p1",
    "found": [],
}


class FakeTrail:
    """A trail in memory, in pages of four; checkpoints stand in one list for both places."""

    has_second_place = True

    def __init__(self, count):
        self.links, self.noted, self.lacking = [], [], []
        self.head = model.Head(0, model.GENESIS)
        for number in range(1, count + 1):
            data = {**DATA, "actor": f"doctor-{number}"}
            entry = model.entry_from(data, event_id=UUID(int=number), source="/infirmary/patients")
            self.links.append(model.follow(self.head, entry))
            self.head = model.Head(number, self.links[-1].hash)
            if number % 5 == 0:
                self.noted.append(model.signed(self.head, at=AT, key=KEY))

    def ends(self):
        return model.Ends(self.head, max((each.position for each in self.links), default=0))

    def newest_checkpoint(self):
        return max(self.noted, key=lambda each: each.position, default=None)

    def hash_at(self, position):
        return next((each.hash for each in self.links if each.position == position), None)

    def pages(self, first, *, last):
        found = [each for each in self.links if first <= each.position <= last]
        for start in range(0, len(found), 4):
            yield found[start : start + 4]

    def checkpoints(self, first, *, last):
        noted = [each for each in self.noted if first <= each.position <= last]
        lacking = [each for each in self.lacking if first <= each <= last]
        return model.Noted(noted, min(lacking, default=None))

    def change(self, position, **changes):
        self.links[position - 1] = self.links[position - 1]._replace(**changes)

    def rehash(self, first):
        """Compute every hash from there on anew, as somebody who knows how does."""
        for number in range(first, len(self.links) + 1):
            previous = self.links[number - 2].hash if number > 1 else model.GENESIS
            text = self.links[number - 1].text
            own = model.link_hash(previous=previous, position=number, text=text)
            self.change(number, previous=previous, hash=own)
        self.head = model.Head(len(self.links), self.links[-1].hash)


@pytest.fixture
def trail():
    """Twelve entries, with checkpoints at five and ten."""
    return FakeTrail(12)


def broken(trail, **wanted):
    """Where and how a trail is broken first."""
    found = model.verify(trail, key=KEY, **wanted).found
    return None if found is None else (found.position, found.kind.value)


def test_a_whole_trail_is_whole_and_tells_how_far_it_is(trail):
    heard = []
    found = model.verify(trail, key=KEY, progress=heard.append)
    assert (found.found, found.entries, found.checkpoints, found.next_position) == (None, 12, 2, None)
    assert heard == [4, 8, 12]
    assert found.range == model.Range(1, 12)


def test_an_empty_trail_is_whole():
    assert broken(FakeTrail(0)) is None


def test_a_trail_without_checkpoints_is_whole():
    assert broken(FakeTrail(4)) is None


def test_a_part_of_a_trail_says_where_to_go_on(trail):
    found = model.verify(trail, first=3, last=6, key=KEY)
    assert (found.entries, found.checkpoints, found.next_position) == (4, 1, 7)


def test_a_changed_entry_is_found(trail):
    trail.change(7, text=trail.links[6].text.replace("doctor-7", "doctor-x"))
    assert broken(trail) == (7, "entry_changed")


@pytest.mark.parametrize("text", ["{}", "[]", "nothing", '{"id":1,"at":"x","patient_id":null,"found":[]}'])
def test_a_rehashed_entry_that_nobody_can_read_is_found(trail, text):
    trail.change(12, text=text)
    trail.rehash(12)
    assert broken(trail) == (12, "index_changed")


def test_an_entry_that_is_found_by_something_else_is_found(trail):
    trail.change(7, about=[])
    assert broken(trail) == (7, "index_changed")


def test_a_missing_entry_is_found(trail):
    del trail.links[6]
    assert broken(trail) == (7, "entry_missing")
    assert broken(trail, first=8) == (7, "entry_missing")
    assert broken(trail, first=5, last=7) == (7, "entry_missing")


def test_a_missing_end_is_found(trail):
    del trail.links[10:]
    assert broken(trail) == (11, "tail_missing")
    assert broken(trail, first=12) == (11, "entry_missing")


def test_a_missing_end_with_its_head_is_found_by_a_checkpoint(trail):
    del trail.links[8:]
    trail.head = model.Head(8, trail.links[-1].hash)
    assert broken(trail) == (9, "tail_missing")


def test_swapped_entries_are_found(trail):
    seven, eight = trail.links[6], trail.links[7]
    trail.links[6:8] = [eight._replace(position=7), seven._replace(position=8)]
    assert broken(trail) == (7, "order_changed")


def test_entries_after_the_head_are_found(trail):
    trail.head = model.Head(11, trail.links[10].hash)
    assert broken(trail) == (12, "beyond_head")


def test_a_changed_head_is_found(trail):
    trail.head = model.Head(12, b"x" * 32)
    assert broken(trail) == (12, "head_changed")


def test_a_trail_that_was_chained_anew_is_found_by_its_checkpoints(trail):
    trail.change(7, text=trail.links[6].text.replace("doctor-7", "doctor-x"))
    trail.change(7, actor="doctor-x")
    trail.rehash(7)
    assert broken(trail) == (10, "checkpoint_differs")
    assert broken(trail, last=9) is None


def test_of_two_checkpoints_at_one_place_both_must_agree(trail):
    trail.noted.insert(0, model.signed(model.Head(10, b"x" * 32), at=AT, key=KEY))
    assert broken(trail) == (10, "checkpoint_differs")


def test_a_checkpoint_with_another_signature_is_found(trail):
    trail.noted[0] = model.signed(model.Head(5, trail.links[4].hash), at=AT, key=b"another key")
    assert broken(trail) == (5, "checkpoint_forged")


def test_a_checkpoint_that_one_place_lacks_is_found(trail):
    trail.lacking = [10]
    assert broken(trail) == (10, "checkpoint_missing")
    assert broken(trail, last=9) is None


def test_a_forged_checkpoint_after_the_end_is_found(trail):
    trail.noted.append(model.signed(model.Head(99, b"x" * 32), at=AT, key=b"another key"))
    assert broken(trail) == (99, "checkpoint_forged")

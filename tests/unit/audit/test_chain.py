"""Entries are written down in one way, links follow each other, checkpoints are signed, ranges are as asked."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit import model
from services.kernel.errors import Invalid

AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
ID = UUID("01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b30")
DATA = {
    "at": "2026-03-02T09:15:00+01:00",
    "operation": "get_patient",
    "action": "read",
    "outcome": "success",
    "actor": "doctor-1",
    "roles": ["doctor"],
    "session": "s1",
    "request_id": "r1",
    "source": "192.0.2.7",
    "purpose": "treatment",
    "patient_id": "p1",
    "record_id": None,
    "version": None,
    "fields": [],
    "found": ["p2"],
}
KEY = b"a key of thirty-two bytes or more"


def entry(**given_data):
    """The entry that an event carries."""
    return model.entry_from({**DATA, **given_data}, event_id=ID, source="/infirmary/patients")


def test_an_entry_is_written_down_with_sorted_names_and_its_moment_in_utc():
    text = model.canonical(entry())
    assert text == (
        '{"action":"read","actor":"doctor-1","at":"2026-03-02T08:15:00.000000Z","fields":[],"found":["p2"],'
        '"id":"01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b30","operation":"get_patient","outcome":"success","patient_id":"p1",'
        '"purpose":"treatment","record_id":null,"request_id":"r1","roles":["doctor"],"service":"patients",'
        '"session":"s1","source":"192.0.2.7","version":null}'
    )
    assert model.read_entry(text) == entry()


def test_what_only_newer_senders_know_is_kept():
    assert model.read_entry(model.canonical(entry(reason_code="urgent")))["reason_code"] == "urgent"


def test_what_may_be_left_out_stands_as_nothing():
    short = {name: value for name, value in DATA.items() if name not in {"patient_id", "record_id", "version"}}
    found = model.entry_from(short, event_id=ID, source="/infirmary/patients")
    assert (found["patient_id"], found["record_id"], found["version"]) == (None, None, None)


@pytest.mark.parametrize("name", ["at", "actor", "operation", "action", "outcome", "found"])
def test_an_event_without_what_every_entry_has_is_refused(name):
    with pytest.raises(KeyError):
        model.entry_from({k: v for k, v in DATA.items() if k != name}, event_id=ID, source="/infirmary/patients")


@pytest.mark.parametrize("value", [1.0, [1.5], {"a": float("nan")}, "\ud800", 2**53, [-(2**53)]])
def test_what_writers_spell_differently_is_refused(value):
    with pytest.raises(ValueError):
        model.canonical({**entry(), "x": value})


EXACT = st.integers(-(2**53) + 1, 2**53 - 1)


@given(st.recursive(st.none() | st.booleans() | EXACT | st.text(), lambda inner: st.lists(inner, max_size=4)))
def test_whatever_is_written_down_is_read_back_and_written_the_same(value):
    try:
        text = model.canonical({**entry(), "x": value})
    except ValueError:
        assert "\\ud" in json.dumps(value)
        return
    assert model.read_entry(text)["x"] == value
    assert model.canonical(model.read_entry(text)) == text


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a":1} ', '{"a":1}{"b":2}', "null", "NaN"])
def test_a_text_that_is_no_entry_is_refused(text):
    with pytest.raises(ValueError):
        model.read_entry(text)


def test_an_entry_is_found_by_its_patient_and_by_everybody_whom_a_search_showed():
    assert model.index_of(entry()).about == ["p1", "p2"]
    assert model.index_of(entry(patient_id=None)).about == ["p2"]
    assert model.index_of(entry()).at == AT


def test_a_link_follows_the_one_before():
    first = model.follow(model.Head(0, model.GENESIS), entry())
    second = model.follow(model.Head(first.position, first.hash), entry())
    assert (first.position, first.previous, second.position, second.previous) == (1, bytes(32), 2, first.hash)
    by_hand = hashlib.sha256(first.hash + (2).to_bytes(8, "big") + second.text.encode()).digest()
    assert second.hash == by_hand
    assert first.hash != second.hash


def test_a_checkpoint_is_genuine_with_its_own_key_and_words_only():
    head = model.Head(10, b"x" * 32)
    checkpoint = model.signed(head, at=AT, key=KEY)
    assert model.is_genuine(checkpoint, key=KEY)
    assert not model.is_genuine(checkpoint, key=b"another key")
    for other in (
        model.Checkpoint(11, checkpoint.hash, AT, checkpoint.mac),
        model.Checkpoint(10, b"y" * 32, AT, checkpoint.mac),
        model.Checkpoint(10, checkpoint.hash, AT + timedelta(seconds=1), checkpoint.mac),
        model.Checkpoint(10, checkpoint.hash, AT, b""),
        model.UNREADABLE,
    ):
        assert not model.is_genuine(other, key=KEY)


@pytest.mark.parametrize(
    ("position", "seconds", "due"),
    [(10, 3600, False), (11, 59, False), (11, 60, True), (1009, 1, False), (1010, 1, True)],
)
def test_a_checkpoint_is_due_after_a_thousand_entries_or_a_minute(position, seconds, due):
    last = model.signed(model.Head(10, b"x" * 32), at=AT, key=KEY)
    assert model.is_due(model.Head(position, b"y" * 32), last, at=AT + timedelta(seconds=seconds)) is due


def test_the_first_checkpoint_is_due_with_the_first_entry():
    assert model.is_due(model.Head(1, b"x" * 32), None, at=AT)
    assert not model.is_due(model.Head(0, model.GENESIS), None, at=AT)


@pytest.mark.parametrize(
    ("first", "last", "end", "found"),
    [
        (None, None, 0, (1, 0)),
        (None, None, 7, (1, 7)),
        (None, None, 250_000, (150_001, 250_000)),
        (None, 200_000, 250_000, (100_001, 200_000)),
        (1, None, 250_000, (1, 100_000)),
        (5, 6, 250_000, (5, 6)),
        (5, 900_000, 250_000, (5, 100_004)),
        (249_999, 900_000, 250_000, (249_999, 250_000)),
    ],
)
def test_a_range_is_what_was_asked_for_as_far_as_one_check_takes(first, last, end, found):
    assert model.range_of(first, last, end=end) == model.Range(*found)


@pytest.mark.parametrize(("first", "last", "pointer"), [(7, 6, "/last_position"), (11, None, "/first_position")])
def test_a_range_that_cannot_be_is_refused(first, last, pointer):
    with pytest.raises(Invalid) as refused:
        model.range_of(first, last, end=10)
    assert [each.pointer for each in refused.value.errors] == [pointer]


def test_a_search_is_what_was_asked_for():
    found = model.search({"actor": "doctor-1", "from": "2026-03-02t09:15:00+01:00", "until": "2026-03-03T00:00:00Z"})
    assert (found.actor, found.since, found.until.day, found.patient_id) == ("doctor-1", AT, 3, None)


@pytest.mark.parametrize(
    ("asked", "pointers"),
    [
        ({"from": "2026-03-02T00:00:60Z"}, ["/from"]),
        ({"from": "0001-01-01T00:00:00+14:00", "until": "9999-12-31T23:59:59-14:00"}, ["/from", "/until"]),
        ({"from": "2026-03-02T00:00:00Z", "until": "2026-03-02T00:00:00Z"}, ["/until"]),
    ],
)
def test_a_time_that_cannot_be_asked_for_is_refused(asked, pointers):
    with pytest.raises(Invalid) as refused:
        model.search(asked)
    assert [each.pointer for each in refused.value.errors] == pointers

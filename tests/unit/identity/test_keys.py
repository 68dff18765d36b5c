"""When each signing key signs, and how long it is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.model import keys
from services.kernel.errors import Unavailable

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def made(kid):
    """A key pair."""
    return kid, {"kid": kid}, b"sealed"


def house(*pauses_s):
    """Keys of a house that was turned after these pauses."""
    at, known = START, []
    known.append(keys.next_key(known, made=made("k0"), at=at))
    for number, pause in enumerate(pauses_s, 1):
        at += timedelta(seconds=pause)
        known.append(keys.next_key(known, made=made(f"k{number}"), at=at))
    return known, at


def test_the_very_first_key_signs_at_once():
    known, at = house()
    assert keys.signing(known, at=at).kid == "k0"


def test_without_a_key_nothing_is_signed():
    with pytest.raises(Unavailable):
        keys.signing([], at=START)


def test_a_second_turn_waits_for_the_first():
    known, at = house(3600)
    with pytest.raises(keys.RotationRunning):
        keys.next_key(known, made=made("k2"), at=at + timedelta(seconds=89))
    assert keys.next_key(known, made=made("k2"), at=at + timedelta(seconds=90)).kid == "k2"


@given(st.lists(st.integers(min_value=90, max_value=10_000), max_size=4), st.integers(min_value=0, max_value=12_000))
def test_whatever_signs_is_shown_a_minute_before_and_until_its_last_token_ended(pauses, seconds):
    known, _ = house(*pauses)
    at = START + timedelta(seconds=seconds)
    alive = [key for key in known if key.created_at <= at]
    signer = keys.signing(alive, at=at)
    assert signer in keys.shown(alive, at=at)
    if signer.kid != "k0":
        assert signer.created_at <= at - timedelta(seconds=60), "made, and so shown, a minute before"
    last = at + timedelta(seconds=600 + 60)
    assert signer in keys.shown([key for key in known if key.created_at <= last], at=last)


def test_a_withdrawn_key_neither_signs_nor_shows():
    known, at = house(3600)
    later = at + timedelta(hours=1)
    gone = [known[0], replace(known[1], withdrawn_at=later)]
    assert keys.signing(gone, at=later).kid == "k0", "the one before takes over while it is there"
    assert [key.kid for key in keys.shown(gone, at=later)] == ["k0"]
    assert [each.stage(later) for each in keys.placed(gone)] == ["signing", "withdrawn"]
    assert keys.next_key([replace(known[0], withdrawn_at=later)], made=made("k9"), at=later).signs_from == later


def test_the_stages_of_a_key_follow_each_other():
    known, at = house(3600)
    first, second = keys.placed(known)
    moments = [at, at + timedelta(seconds=90), at + timedelta(seconds=90) + keys.SHOWN_AFTER]
    assert [first.stage(moment) for moment in moments] == ["signing", "retired", "gone"]
    assert [second.stage(moment) for moment in moments] == ["waiting", "signing", "signing"]


def test_a_key_is_due_after_thirty_days_and_spent_after_its_last_use():
    known, at = house(3600)
    assert keys.is_due([], at=START)
    assert not keys.is_due(known, at=at + timedelta(days=29))
    assert keys.is_due(known, at=at + timedelta(days=30))
    assert keys.spent(known, at=at) == []
    assert keys.spent(known, at=at + timedelta(minutes=10)) == ["k0"]
    erased = [replace(known[0], sealed=None), known[1]]
    assert keys.spent(erased, at=at + timedelta(minutes=10)) == []


def test_a_withdrawn_key_signs_and_shows_nothing_and_loses_its_private_half():
    known, at = house(3600)
    later = at + keys.SHOWN_BEFORE
    left = keys.withdrawn(known, kid="k1", at=later)
    gone = next(each for each in left if each.kid == "k1")
    assert (gone.withdrawn_at, gone.sealed) == (later, None)
    assert "k1" not in {each.kid for each in keys.shown(left, at=later)}
    assert keys.can_sign(left, at=later), "the key before it is still known everywhere"
    assert keys.signing(left, at=later).kid == "k0"
    with pytest.raises(keys.WithdrawnAlready):
        keys.withdrawn(left, kid="k1", at=later)
    with pytest.raises(keys.UnknownSigningKey):
        keys.withdrawn(left, kid="k9", at=later)


def test_a_key_that_waits_steps_in_and_without_one_the_next_signs_at_once():
    known, at = house(3600)
    left = keys.withdrawn(known, kid="k0", at=at)
    assert keys.signing(left, at=at).kid == "k1"
    none = keys.withdrawn(left, kid="k1", at=at)
    assert not keys.can_sign(none, at=at)
    assert keys.next_key(none, made=made("k2"), at=at).signs_from == at


def test_an_old_key_without_its_private_half_does_not_hold_the_next_one_up():
    known, at = house(3600)
    later = at + timedelta(hours=1)
    spent = [replace(each, sealed=None) if each.kid == "k0" else each for each in known]
    left = keys.withdrawn(spent, kid="k1", at=later)
    assert not keys.can_sign(left, at=later)
    assert keys.next_key(left, made=made("k2"), at=later).signs_from == later

"""Weekly sessions: what can be, how one is changed from a day on and ended, and that none overlap."""

from __future__ import annotations

import itertools
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.doctors.model import sessions
from services.doctors.model.errors import SessionsOverlap, TooMany
from services.kernel.errors import Invalid
from services.kernel.intervals import Interval
from services.kernel.wall_clock import day_of
from tests.unit.doctors import making


def add(**given):
    return sessions.add(
        making.hours(**given), id=making.new_id(), doctor_id=making.DOCTOR, at=making.at(), made_at=making.AT
    )


def rules(caught) -> dict[str, str]:
    """The rules that were broken, by where."""
    return {each.pointer or each.parameter: each.rule for each in caught.value.errors}


def test_hours_are_kept_as_they_were_said():
    made = add(capacity=2, max_bookings=9, valid_to="2026-12-31", ends="09:00", starts="21:30")
    assert (made.starts, made.ends, made.capacity, made.max_bookings) == (time(21, 30), time(9), 2, 9)
    assert (made.zone, made.valid_from, made.valid_to) == ("Europe/Berlin", date(2026, 3, 2), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("given", "broken"),
    [
        ({"ends": "09:00"}, {"/ends": "same_as_start"}),
        ({"ends": "09:10"}, {"/slot_minutes": "no_slot_fits"}),
        ({"ends": "09:15"}, {}),
        ({"starts": "23:50", "ends": "00:05"}, {}),
        ({"starts": "23:50", "ends": "00:04"}, {"/slot_minutes": "no_slot_fits"}),
        ({"valid_to": "2026-03-01"}, {"/valid_to": "before_start"}),
        ({"valid_to": "2026-03-02"}, {}),
        ({"valid_from": "1999-12-31"}, {"/valid_from": "out_of_range"}),
        ({"valid_from": "2199-12-31"}, {}),
        ({"valid_to": "9999-12-31"}, {"/valid_to": "out_of_range"}),
        ({"ends": "09:00", "valid_to": "2026-01-01"}, {"/ends": "same_as_start", "/valid_to": "before_start"}),
    ],
)
def test_hours_that_cannot_be_are_refused_by_name(given, broken):
    if not broken:
        assert add(**given).version == 1
        return
    with pytest.raises(Invalid) as caught:
        add(**given)
    assert rules(caught) == broken


def test_an_unknown_zone_is_refused_by_name():
    with pytest.raises(Invalid) as caught:
        making.session(zone="Mars/Olympus").weekly  # noqa: B018 - asking is the test
    assert rules(caught) == {"/location_id": "unknown_zone"}


def change(now, **body):
    return sessions.change(now, body, id=making.new_id(), at=None, made_at=making.AT)


def test_a_change_ends_the_old_hours_the_day_before_and_begins_new_ones():
    now = making.session()
    old, new = change(now, applies_from="2026-06-01", starts="08:00", capacity=3)
    assert (old.id, old.version, old.valid_to, old.starts) == (now.id, 2, date(2026, 5, 31), time(9))
    assert (new.follows, new.version, new.valid_from, new.valid_to) == (now.id, 1, date(2026, 6, 1), None)
    assert (new.starts, new.ends, new.capacity, new.slot_minutes) == (time(8), time(12), 3, 15)


def test_a_change_from_the_first_day_leaves_nothing_of_the_old_hours():
    old, new = change(making.session(), applies_from="2026-03-02", weekday=3)
    assert old.is_withdrawn
    assert (new.weekday, new.valid_from) == (3, date(2026, 3, 2))


@pytest.mark.parametrize(
    ("now", "day", "rule"),
    [
        ({}, "2026-03-01", "in_the_past"),
        ({"valid_from": date(2026, 5, 1)}, "2026-04-30", "before_start"),
        ({"valid_to": date(2026, 5, 1)}, "2026-05-02", "after_end"),
    ],
)
def test_a_change_applies_within_the_hours_and_not_in_the_past(now, day, rule):
    with pytest.raises(Invalid) as caught:
        change(making.session(**now), applies_from=day)
    assert rules(caught) == {"/applies_from": rule}


def test_today_is_that_of_the_clock_of_the_location():
    """At 02:00 UTC on 2 March it is still 1 March in Honolulu."""
    late = making.AT.replace(hour=2)
    now = making.session(zone="Pacific/Honolulu", valid_from=date(2026, 2, 1))
    old, _ = sessions.change(now, {"applies_from": "2026-03-01"}, id=making.new_id(), at=None, made_at=late)
    assert old.valid_to == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("now", "last", "valid_to", "withdrawn"),
    [
        ({}, date(2026, 5, 31), date(2026, 5, 31), False),
        ({}, date(2026, 3, 1), None, True),
        ({"valid_from": date(2026, 1, 1)}, date(2026, 3, 1), date(2026, 3, 1), False),
        ({"valid_from": date(2026, 9, 1)}, date(2026, 5, 1), None, True),
    ],
)
def test_hours_end_on_their_last_day_or_never_were(now, last, valid_to, withdrawn):
    ended = sessions.end(making.session(**now), last=last, at=making.AT)
    assert (ended.valid_to, ended.is_withdrawn, ended.version) == (valid_to, withdrawn, 2)


@pytest.mark.parametrize(
    ("now", "last", "rule"),
    [
        ({}, date(2026, 2, 28), "in_the_past"),
        ({"valid_to": date(2026, 5, 1)}, date(2026, 5, 2), "after_end"),
        ({}, date(9999, 12, 31), "after_end"),
    ],
)
def test_what_has_been_cannot_be_ended_nor_an_end_put_off(now, last, rule):
    with pytest.raises(Invalid) as caught:
        sessions.end(making.session(**now), last=last, at=making.AT)
    assert rules(caught) == {"last": rule}


@pytest.mark.parametrize(
    ("one", "other", "first_day"),
    [
        ({}, {}, date(2026, 3, 2)),
        ({}, {"starts": time(11, 59), "ends": time(13)}, date(2026, 3, 2)),
        ({}, {"starts": time(12), "ends": time(13)}, None),
        ({}, {"weekday": 2}, None),
        ({}, {"weekday": 7, "starts": time(22), "ends": time(9, 1)}, date(2026, 3, 9)),
        ({}, {"weekday": 7, "starts": time(22), "ends": time(9)}, None),
        ({}, {"valid_from": date(2026, 5, 1)}, date(2026, 5, 4)),
        ({"valid_to": date(2026, 4, 30)}, {"valid_from": date(2026, 5, 1)}, None),
        ({}, {"zone": "Europe/London", "starts": time(11), "ends": time(12)}, None),
        ({}, {"zone": "Europe/London", "starts": time(10), "ends": time(12)}, date(2026, 3, 2)),
        ({}, {"zone": "America/New_York", "starts": time(3), "ends": time(5)}, date(2026, 3, 2)),
        ({}, {"weekday": 4, "zone": "Pacific/Kiritimati"}, None),
    ],
)
def test_hours_of_one_doctor_overlap_or_not_wherever_they_are(one, other, first_day):
    one, other = making.session(**one), making.session(**other)
    if first_day is None:
        sessions.ensure_possible_beside(one, [other])
        return
    with pytest.raises(SessionsOverlap) as caught:
        sessions.ensure_possible_beside(one, [other])
    assert caught.value.facts == {"session_id": str(other.id), "first_day": first_day.isoformat()}


def test_a_session_is_not_in_its_own_way_nor_is_one_that_never_was():
    one = making.session()
    sessions.ensure_possible_beside(one, [one, making.session(is_withdrawn=True)])


def test_a_plan_holds_so_many_sessions_and_no_more():
    others = [making.session(weekday=5) for _ in range(sessions.MOST)]
    with pytest.raises(TooMany):
        sessions.ensure_possible_beside(making.session(), others)


QUARTERS = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
ZONES = st.sampled_from(["Europe/Berlin", "Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"])


@st.composite
def weekly(draw):
    starts, ends = draw(QUARTERS), draw(QUARTERS)
    if starts == ends:
        ends = time((starts.hour + 1) % 24, starts.minute)
    first = date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 400)))
    last = draw(st.none() | st.integers(0, 200).map(lambda days: first + timedelta(days=days)))
    return making.session(
        weekday=draw(st.integers(1, 7)), starts=starts, ends=ends, zone=draw(ZONES), valid_from=first, valid_to=last
    )


@given(weekly(), weekly())
def test_two_sessions_are_refused_exactly_when_two_of_their_days_overlap(one, other):
    """Compared with every single day of two and a half years."""
    period = Interval(
        day_of(date(2025, 12, 30), zone=ZoneInfo("UTC")).start, day_of(date(2028, 6, 30), zone=ZoneInfo("UTC")).end
    )
    theirs = [hours for _, hours in other.weekly.within(period)]
    mine = [hours for _, hours in one.weekly.within(period)]
    together = sorted([*((each, 0) for each in mine), *((each, 1) for each in theirs)])
    meet = any(a.overlaps(b) for (a, x), (b, y) in itertools.pairwise(together) if x != y)
    try:
        sessions.ensure_possible_beside(one, [other])
    except SessionsOverlap:
        assert meet
    else:
        assert not meet


@given(weekly(), weekly())
def test_overlapping_is_mutual(one, other):
    def refused(a, b):
        try:
            sessions.ensure_possible_beside(a, [b])
        except SessionsOverlap:
            return True
        return False

    assert refused(one, other) == refused(other, one)

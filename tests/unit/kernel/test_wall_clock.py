"""Clocks on walls: days of 23 and 25 hours, hours across midnight, and weekly hours that meet."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.intervals import Interval, merged, without
from services.kernel.wall_clock import RepeatedTime, SkippedTime, Weekly, day_of, exact, first_clash, moment

BERLIN, NEW_YORK, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")
ZONES = [BERLIN, NEW_YORK, LORD_HOWE, ZoneInfo("Asia/Kolkata")]
# zone, the day its clocks are put forward, the day they are put back, by how much
CHANGES = [
    (BERLIN, date(2026, 3, 29), date(2026, 10, 25), timedelta(hours=1)),
    (NEW_YORK, date(2026, 3, 8), date(2026, 11, 1), timedelta(hours=1)),
    (LORD_HOWE, date(2026, 10, 4), date(2026, 4, 5), timedelta(minutes=30)),
]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def wall(*parts: int) -> datetime:
    """A time on a wall: without a zone."""
    return utc(*parts).replace(tzinfo=None)


def weekly(weekday: int, starts: str, ends: str, *, zone: ZoneInfo = BERLIN, **more: date) -> Weekly:
    first = more.pop("first", date(2026, 1, 1))
    starts_at, ends_at = time.fromisoformat(starts), time.fromisoformat(ends)
    return Weekly(weekday=weekday, starts=starts_at, ends=ends_at, zone=zone, first=first, **more)


@pytest.mark.parametrize(("zone", "forward", "back", "by"), CHANGES)
def test_a_day_on_which_clocks_change_is_shorter_or_longer(zone, forward, back, by):
    assert day_of(forward, zone=zone).length == timedelta(hours=24) - by
    assert day_of(back, zone=zone).length == timedelta(hours=24) + by


@pytest.mark.parametrize(("zone", "forward", "back", "by"), CHANGES)
@pytest.mark.parametrize("minutes", range(0, 24 * 60, 15))
def test_hours_that_meet_on_the_wall_meet_on_every_day(zone, forward, back, by, minutes):
    """A day cut anywhere, also within the time that is skipped or comes twice, is whole."""
    cut = time(*divmod(minutes, 60))
    for day in (forward, back):
        whole = day_of(day, zone=zone)
        assert whole.start <= moment(day, cut, zone=zone) <= whole.end
        parts = [
            weekly(day.isoweekday(), "00:00", cut.isoformat(), zone=zone),
            weekly(day.isoweekday(), cut.isoformat(), "00:00", zone=zone),
        ]
        found = [hours for each in parts[cut == time(0) :] if (hours := each.on(day))]
        assert merged(found) == [whole]
        assert sum((each.length for each in found), timedelta()) == whole.length


def test_nine_in_the_morning_stays_nine_in_the_morning():
    hours = weekly(1, "09:00", "12:00")
    found = [interval for _, interval in hours.within(Interval(utc(2026, 3, 16), utc(2026, 4, 7)))]
    assert [each.start.astimezone(BERLIN).time() for each in found] == [time(9)] * 4
    assert [each.start.hour for each in found] == [8, 8, 7, 7]


def test_what_is_skipped_begins_when_the_clock_is_put_forward():
    assert moment(date(2026, 3, 29), time(2, 30), zone=BERLIN) == utc(2026, 3, 29, 1)
    assert moment(date(2026, 10, 4), time(2, 10), zone=LORD_HOWE) == utc(2026, 10, 3, 15, 30)
    assert weekly(7, "02:10", "02:40").on(date(2026, 3, 29)) is None


def test_a_person_who_names_such_a_time_is_told():
    with pytest.raises(SkippedTime):
        exact(wall(2026, 3, 29, 2, 30), zone=BERLIN)
    with pytest.raises(RepeatedTime):
        exact(wall(2026, 10, 25, 2, 30), zone=BERLIN)
    assert exact(wall(2026, 10, 25, 3), zone=BERLIN) == utc(2026, 10, 25, 2)
    with pytest.raises(ValueError, match="zone"):
        exact(utc(2026, 1, 1), zone=BERLIN)


def test_hours_across_midnight_belong_to_the_day_on_which_they_begin():
    night = weekly(5, "22:00", "06:00")
    assert night.on(date(2026, 6, 5)) == Interval(utc(2026, 6, 5, 20), utc(2026, 6, 6, 4))
    [(day, _)] = night.within(Interval(utc(2026, 6, 6, 3), utc(2026, 6, 6, 5)))
    assert day == date(2026, 6, 5)


def test_hours_hold_between_their_days_and_both_belong():
    hours = weekly(3, "08:00", "09:00", first=date(2026, 6, 3), last=date(2026, 6, 10))
    found = [day for day, _ in hours.within(Interval(utc(2026, 5, 1), utc(2026, 7, 1)))]
    assert found == [date(2026, 6, 3), date(2026, 6, 10)]


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (weekly(1, "09:00", "12:00"), weekly(1, "12:00", "15:00"), None),
        (weekly(1, "09:00", "12:00"), weekly(1, "11:59", "15:00"), date(2026, 1, 5)),
        (weekly(1, "09:00", "12:00"), weekly(2, "09:00", "12:00"), None),
        (weekly(1, "22:00", "06:00"), weekly(2, "05:00", "07:00"), date(2026, 1, 5)),
        (weekly(2, "05:00", "07:00"), weekly(1, "22:00", "06:00"), date(2026, 1, 6)),
        (weekly(1, "09:00", "12:00", last=date(2026, 3, 1)), weekly(1, "09:00", "12:00", first=date(2026, 3, 2)), None),
        # In different zones the hours meet only while one of them has changed its clocks and the other has not.
        (weekly(1, "13:00", "14:00"), weekly(1, "08:30", "09:00", zone=NEW_YORK), date(2026, 3, 9)),
    ],
)
def test_weekly_hours_that_overlap_are_found_with_their_first_day(one, other, clash):
    assert first_clash(one, other) == clash


def test_an_interval_has_a_zone_and_a_length():
    for wrong in ((utc(2026, 1, 1), utc(2026, 1, 1)), (wall(2026, 1, 1), utc(2026, 1, 2))):
        with pytest.raises(ValueError, match="interval"):
            Interval(*wrong)


MINUTES = st.integers(min_value=0, max_value=300)


def some(pairs: list[tuple[int, int]]) -> list[Interval]:
    zero = utc(2026, 1, 1)
    return [Interval(zero + timedelta(minutes=a), zero + timedelta(minutes=a + b + 1)) for a, b in pairs]


@given(whole=st.tuples(MINUTES, MINUTES), taken=st.lists(st.tuples(MINUTES, st.integers(0, 60)), max_size=8))
def test_what_is_left_is_every_minute_that_nobody_has_taken(whole, taken):
    [interval], others = some([whole]), some(taken)
    left = list(without(interval, others))
    zero = utc(2026, 1, 1)
    for minute in range(700):
        at = Interval(zero + timedelta(minutes=minute), zero + timedelta(minutes=minute + 1))
        is_free = interval.holds(at) and not any(each.overlaps(at) for each in others)
        assert any(each.holds(at) for each in left) == is_free
    assert merged(left) == left


@given(
    zone=st.sampled_from(ZONES),
    local=st.datetimes(min_value=wall(2025, 1, 1), max_value=wall(2028, 1, 1)).map(
        lambda at: at.replace(second=0, microsecond=0)
    ),
)
def test_an_exact_time_shows_on_the_wall_as_it_was_asked_for(zone, local):
    try:
        found = exact(local, zone=zone)
    except (SkippedTime, RepeatedTime):
        return
    assert found.astimezone(zone).replace(tzinfo=None) == local
    assert moment(local.date(), local.time(), zone=zone) == found

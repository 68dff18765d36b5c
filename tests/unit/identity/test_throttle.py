"""Waits after wrong passwords: they begin late, grow, and end by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.model import throttle
from services.kernel.errors import TooMany

RULE = throttle.Rule(free=10)
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def guess(hours, every_s):
    """How many guesses of a patient attacker are looked at in some hours."""
    counter, at, looked_at = throttle.Counter(), START, 0
    while at < START + timedelta(hours=hours):
        try:
            counter = throttle.counted(counter, rule=RULE, at=at)
            looked_at += 1
        except TooMany:
            pass
        at += timedelta(seconds=every_s)
    return looked_at


def test_ten_thousand_guesses_in_a_day_are_looked_at_less_than_a_hundred_times():
    assert guess(hours=24, every_s=8) < 100


def test_the_first_failures_cost_no_wait():
    counter = throttle.Counter()
    for _ in range(RULE.free):
        counter = throttle.counted(counter, rule=RULE, at=START)
    with pytest.raises(TooMany) as refused:
        throttle.counted(counter, rule=RULE, at=START)
    assert refused.value.retry_after_s == 30


def test_a_wait_ends_by_itself_and_the_next_is_twice_as_long():
    counter = throttle.Counter(failures=10, last_at=START, closed_until=START + timedelta(seconds=30))
    counter = throttle.counted(counter, rule=RULE, at=START + timedelta(seconds=30))
    assert counter.closed_until == START + timedelta(seconds=90)


@given(st.integers(min_value=0, max_value=10_000))
def test_no_wait_is_longer_than_the_longest(failures):
    counter = throttle.counted(throttle.Counter(failures=failures, last_at=START), rule=RULE, at=START)
    assert counter.closed_until is None or counter.closed_until - START <= RULE.longest


def test_failures_of_yesterday_are_forgotten():
    counter = throttle.Counter(failures=500, last_at=START, closed_until=START + RULE.longest)
    later = START + RULE.forgets_after + timedelta(seconds=1)
    assert throttle.counted(counter, rule=RULE, at=later) == throttle.Counter(failures=1, last_at=later)


def test_a_right_try_is_given_back_to_its_source():
    closed = START + timedelta(seconds=30)
    counter = throttle.Counter(failures=10, last_at=START, closed_until=closed)
    assert throttle.given_back(counter, rule=RULE) == throttle.Counter(failures=9, last_at=START)
    many = throttle.Counter(failures=12, last_at=START, closed_until=closed)
    assert throttle.given_back(many, rule=RULE).closed_until == closed, "the others still count"
    assert throttle.given_back(throttle.Counter(), rule=RULE).failures == 0


def test_after_the_most_in_a_row_the_way_is_shut_for_a_month_and_ends_by_itself():
    rule = throttle.Rule(free=10, most=100)
    counter = throttle.counted(throttle.Counter(failures=99, last_at=START), rule=rule, at=START)
    assert counter.closed_until == START + throttle.SHUT
    with pytest.raises(TooMany):
        throttle.counted(counter, rule=rule, at=START + throttle.SHUT - timedelta(seconds=1))
    assert throttle.counted(counter, rule=rule, at=START + throttle.SHUT).failures == 1


def test_in_a_window_failures_are_counted_and_not_in_a_row():
    rule = throttle.Rule(free=3, window=timedelta(minutes=1))
    counter, at = throttle.Counter(), START
    for _ in range(100):
        counter = throttle.counted(counter, rule=rule, at=at)
        at += timedelta(seconds=31)
    assert counter.failures <= 2, "a trickle closes nothing"
    counter = throttle.Counter()
    for second in range(3):
        counter = throttle.counted(counter, rule=rule, at=START + timedelta(seconds=second))
    with pytest.raises(TooMany) as refused:
        throttle.counted(counter, rule=rule, at=START + timedelta(seconds=10))
    assert refused.value.retry_after_s == 50
    assert throttle.counted(counter, rule=rule, at=START + timedelta(minutes=1)).failures == 1

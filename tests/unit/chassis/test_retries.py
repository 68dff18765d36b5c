"""Retries: what may be tried again, how often, and after which pause."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.chassis import retries


@pytest.mark.parametrize(
    ("method", "key", "repeatable"),
    [
        ("GET", None, True),
        ("POST", "a-key-of-its-own", True),
        ("POST", None, False),
        ("PUT", "a-key-of-its-own", False),
        ("PATCH", None, False),
        ("DELETE", None, False),
    ],
)
def test_only_reads_and_posts_with_a_key_may_be_repeated(method: str, key: str | None, repeatable: bool) -> None:
    assert retries.is_repeatable(method, key=key) is repeatable


def test_when_every_request_fails_a_tenth_of_them_is_tried_again_and_three_more() -> None:
    budget = retries.RetryBudget()
    made = 0
    for _ in range(6000):
        budget.request()
        made += budget.take()
    assert 595 <= made <= 603


def test_a_quiet_time_saves_up_three_retries_and_no_more() -> None:
    budget = retries.RetryBudget()
    for _ in range(10_000):
        budget.request()
    assert [budget.take() for _ in range(5)] == [True, True, True, False, False]


def test_threads_cannot_take_more_than_there_is() -> None:
    budget = retries.RetryBudget()
    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(lambda _: budget.take(), range(500))) == 3


@given(some.lists(some.booleans(), max_size=400))
def test_in_any_order_of_requests_and_failures_the_budget_holds(steps: list[bool]) -> None:
    budget = retries.RetryBudget()
    requests = made = 0
    for is_request in steps:
        if is_request:
            budget.request()
            requests += 1
        else:
            made += budget.take()
        assert made <= retries.RESERVE + requests * retries.SHARE + 1e-6


def test_pauses_spread_over_fifty_milliseconds_to_one_second() -> None:
    pauses = [retries.pause_s() for _ in range(2000)]
    assert min(pauses) >= 0.05
    assert max(pauses) <= 1.0
    assert min(pauses) < 0.1
    assert max(pauses) > 0.9

"""The breaker: when it opens, when it lets probes through, and that threads do not confuse it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import REGISTRY

from services.chassis.breaker import Breaker, State


class Clock:
    """A monotonic clock that goes on only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("peer", monotonic=clock)


def call(breaker: Breaker, *, fails: bool) -> bool:
    """One call through the breaker; whether it was let through."""
    ticket = breaker.enter()
    if ticket is None:
        return False
    (breaker.failed if fails else breaker.succeeded)(ticket)
    return True


def opened(breaker: Breaker) -> None:
    for _ in range(20):
        call(breaker, fails=True)
    assert breaker.state is State.OPEN


def test_nineteen_failures_leave_it_closed_and_the_twentieth_opens_it(breaker: Breaker) -> None:
    for _ in range(19):
        call(breaker, fails=True)
    assert breaker.state is State.CLOSED
    call(breaker, fails=True)
    assert breaker.state is State.OPEN
    assert breaker.enter() is None


@pytest.mark.parametrize(("failures", "state"), [(9, State.CLOSED), (10, State.OPEN)])
def test_it_opens_at_half_of_the_calls(breaker: Breaker, failures: int, state: State) -> None:
    for index in range(20):
        call(breaker, fails=index >= 20 - failures)
    assert breaker.state is state


def test_failures_of_more_than_ten_seconds_ago_do_not_count(breaker: Breaker, clock: Clock) -> None:
    for _ in range(19):
        call(breaker, fails=True)
    clock.go_on(10)
    for _ in range(19):
        call(breaker, fails=True)
    assert breaker.state is State.CLOSED


def test_it_stays_open_for_five_seconds_and_then_lets_exactly_three_probes_through(
    breaker: Breaker, clock: Clock
) -> None:
    opened(breaker)
    clock.go_on(4.99)
    assert breaker.enter() is None
    clock.go_on(0.01)
    tickets = [breaker.enter() for _ in range(10)]
    assert [ticket is not None for ticket in tickets] == [True] * 3 + [False] * 7
    assert breaker.state is State.HALF_OPEN


def test_three_good_probes_close_it(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.go_on(5)
    for _ in range(3):
        assert breaker.state is not State.CLOSED
        assert call(breaker, fails=False)
    assert breaker.state is State.CLOSED
    assert all(call(breaker, fails=False) for _ in range(100))


def test_one_bad_probe_opens_it_for_another_five_seconds(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.go_on(5)
    call(breaker, fails=False)
    call(breaker, fails=True)
    assert breaker.state is State.OPEN
    clock.go_on(4.9)
    assert breaker.enter() is None


def test_an_old_failure_that_arrives_late_does_not_count_against_the_time_after(breaker: Breaker, clock: Clock) -> None:
    late = breaker.enter()
    assert late is not None
    opened(breaker)
    clock.go_on(5)
    assert breaker.state is State.HALF_OPEN
    breaker.failed(late)
    assert breaker.state is State.HALF_OPEN


def test_an_abandoned_probe_gives_its_place_to_another(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.go_on(5)
    for _ in range(5):
        ticket = breaker.enter()
        assert ticket is not None
        breaker.abandoned(ticket)
    assert sum(call(breaker, fails=False) for _ in range(3)) == 3
    assert breaker.state is State.CLOSED


def test_probes_that_never_come_back_do_not_keep_it_shut_for_ever(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.go_on(5)
    assert [breaker.enter() is not None for _ in range(4)] == [True, True, True, False]
    clock.go_on(10)
    assert breaker.enter() is not None


def test_the_state_is_a_metric(breaker: Breaker, clock: Clock) -> None:
    def shown() -> float | None:
        return REGISTRY.get_sample_value("infirmary_breaker_state", {"service": "peer"})

    assert shown() == 0
    opened(breaker)
    assert shown() == 2
    clock.go_on(5)
    call(breaker, fails=False)
    assert shown() == 1


def test_many_threads_get_three_probes_together(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.go_on(5)
    with ThreadPoolExecutor(16) as threads:
        tickets = list(threads.map(lambda _: breaker.enter(), range(200)))
    assert sum(ticket is not None for ticket in tickets) == 3

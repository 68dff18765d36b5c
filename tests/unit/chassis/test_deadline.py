"""Deadlines: the earlier one holds, each request has its own, and what arrives can only shorten."""

from __future__ import annotations

import threading

import pytest

from services.chassis import deadline
from services.kernel.errors import Unavailable


def test_without_one_nothing_is_past_and_no_header_is_sent() -> None:
    assert deadline.remaining_s() is None
    assert not deadline.is_past()
    assert deadline.header_value() is None
    deadline.check("store")


def test_the_earlier_of_two_holds_and_the_outer_one_comes_back() -> None:
    with deadline.within(10):
        with deadline.within(2):
            assert 1.9 < deadline.remaining_s() <= 2
        with deadline.within(60):
            assert 9 < deadline.remaining_s() <= 10
        assert 9 < deadline.remaining_s() <= 10
    assert deadline.remaining_s() is None


def test_work_stops_when_it_is_past() -> None:
    with deadline.within(0), pytest.raises(Unavailable) as stopped:
        deadline.check("patients")
    assert stopped.value.what == "patients"


def test_the_header_says_whole_milliseconds_and_never_less_than_none() -> None:
    with deadline.within(1.5):
        assert 1400 < int(deadline.header_value() or "") <= 1500
    with deadline.within(-3):
        assert deadline.header_value() == "0"


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ("1500", 1.5),
        ("0", 0.0),
        (None, 10.0),
        ("", 10.0),
        ("-5", 10.0),
        ("1e9", 10.0),
        ("86400000", 10.0),
        ("99999999999999999999", 10.0),
        ("١٢٣", 10.0),
        ("12 ", 10.0),
    ],
)
def test_what_arrives_can_shorten_and_never_lengthen(sent: str | None, seconds: float) -> None:
    assert deadline.incoming_s(sent) == seconds


def test_threads_have_their_own() -> None:
    seen: list[float | None] = []
    with deadline.within(1):
        other = threading.Thread(target=lambda: seen.append(deadline.remaining_s()))
        other.start()
        other.join()
    assert seen == [None]

"""Who is called next, and the steps by which an appointment of the past is closed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from frontend.controllers.home import _ROWS, _from_now_on, _next
from frontend.controllers.requests import _further, _way

NOW = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
KEY = "0f2b7c1e-6d0a-4c39-8b1e-5a9d3f6e7c21"


def appointment(status: str, ends: str) -> dict[str, str]:
    return {"status": status, "ends_at": f"2026-11-30T{ends}Z"}


def test_who_is_here_comes_before_who_is_expected_earlier() -> None:
    expected, here = appointment("booked", "10:15:00"), appointment("arrived", "11:00:00")
    assert _next([expected, here], NOW) is here


def test_who_was_expected_and_did_not_come_is_not_next() -> None:
    late, expected = appointment("booked", "09:30:00"), appointment("booked", "10:30:00")
    assert _next([late, expected], NOW) is expected


def test_who_waits_longer_than_planned_is_still_next() -> None:
    waiting = appointment("arrived", "09:30:00")
    assert _next([waiting], NOW) is waiting


def test_nobody_is_next_when_all_have_been_seen() -> None:
    assert _next([appointment("completed", "11:00:00"), appointment("in_progress", "11:00:00")], NOW) is None


def test_a_short_day_is_shown_whole() -> None:
    day = [appointment("completed", "09:30:00")] * _ROWS
    assert _from_now_on(day, NOW) == day


def test_a_long_day_is_shown_from_now_on_with_all_who_are_here() -> None:
    over = [appointment("completed", "09:30:00"), appointment("no_show", "09:30:00"), appointment("booked", "09:45:00")]
    here = [appointment("arrived", "09:30:00"), appointment("in_progress", "09:45:00")]
    to_come = [appointment("booked", "10:30:00")] * _ROWS
    assert _from_now_on([*over, *here, *to_come], NOW) == [*here, *to_come][:_ROWS]


@pytest.mark.parametrize(
    ("status", "to", "steps"),
    [
        ("booked", "completed", ["arrived", "in_progress", "completed"]),
        ("arrived", "completed", ["in_progress", "completed"]),
        ("booked", "no_show", ["no_show"]),
    ],
)
def test_an_appointment_goes_every_step_on_its_way(status: str, to: str, steps: list[str]) -> None:
    assert _way(status, to) == steps


def test_each_step_of_a_form_has_a_key_of_its_own_and_always_the_same() -> None:
    assert _further(KEY, "arrived") == _further(KEY, "arrived") != _further(KEY, "completed")

"""What waits at a desk: which appointments of a day are shown, who is called next, and how lists are counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.appointments import model
from tests.unit.appointments.making import AT, appointment

MOST = 4


def waits(status: str, ends_in: int) -> model.Appointment:
    """An appointment of half an hour that ends in so many minutes, or has ended so many ago."""
    ends = AT + timedelta(minutes=ends_in)
    return appointment(model.Status(status), starts_at=ends - timedelta(minutes=30), ends_at=ends)


def called(*found: model.Appointment) -> model.Appointment | None:
    return model.day(found, at=AT, most=MOST).next


def test_who_is_here_comes_before_who_is_expected_earlier():
    expected, here = waits("booked", 15), waits("arrived", 60)
    assert called(expected, here) is here


def test_who_was_expected_and_did_not_come_is_not_next():
    late, expected = waits("booked", -30), waits("booked", 30)
    assert called(late, expected) is expected
    assert called(late, waits("booked", 0)) is None


def test_who_waits_longer_than_planned_is_still_next():
    waiting = waits("arrived", -30)
    assert called(waiting, waits("booked", 30)) is waiting


def test_nobody_is_next_when_all_have_been_seen():
    assert called(waits("completed", 60), waits("in_progress", 60), waits("no_show", 60)) is None


def test_a_short_day_is_shown_whole():
    found = [waits("completed", -30)] * MOST
    assert model.day(found, at=AT, most=MOST) == model.Day(shown=found, total=MOST, arrived=0, next=None)


def test_a_long_day_is_shown_from_now_on_with_all_who_are_here():
    over = [waits("completed", -30), waits("no_show", -30), waits("booked", 0)]
    here = [waits("arrived", -30), waits("in_progress", -15)]
    to_come = [waits("booked", 30)] * MOST
    day = model.day([*over, *here, *to_come], at=AT, most=MOST)
    assert list(day.shown) == [*here, *to_come][:MOST]
    assert (day.total, day.arrived, day.next) == (9, 1, here[0])


@pytest.mark.parametrize(
    ("there", "first", "count", "is_more"), [(0, 0, 0, False), (2, 2, 2, False), (6, 3, 6, False), (7, 3, 6, True)]
)
def test_a_list_is_counted_as_far_as_it_was_read(there: int, first: int, count: int, is_more: bool):
    found = [waits("pending", 30)] * there
    assert model.waiting(found, shown=3, counted=6) == model.Waiting(first=found[:first], count=count, is_more=is_more)

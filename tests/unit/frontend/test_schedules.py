"""Weekly hours as a week that can be read."""

from __future__ import annotations

from datetime import date

import pytest

from frontend.controllers.schedules import is_over, week, weekdays
from frontend.words import Words


def hours(weekday, starts, valid_from="2026-01-01"):
    return {"weekday": weekday, "starts": starts, "valid_from": valid_from}


def test_a_week_begins_on_monday_and_its_days_have_names_of_the_language():
    assert weekdays(Words("de"))[0] == (1, "Montag")
    assert weekdays(Words("en"))[6] == (7, "Sunday")


def test_each_day_lists_its_hours_as_they_follow_on_the_clock():
    late, early, then = hours(5, "13:00"), hours(5, "09:00"), hours(5, "09:00", "2027-01-01")

    found = {number: sessions for number, _, sessions in week([late, then, early], Words("en"))}

    assert found[5] == [early, then, late]
    assert found[1] == []


@pytest.mark.parametrize(("last", "over"), [(None, False), ("2026-11-26", False), ("2026-11-25", True)])
def test_hours_are_over_on_the_day_after_their_last(last, over):
    assert is_over({"valid_to": last}, date(2026, 11, 26)) is over

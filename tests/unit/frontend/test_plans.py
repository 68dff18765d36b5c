"""From when to when somebody is away, as it is typed and as it is sent."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from frontend.api import Refused
from frontend.controllers.plans import beside_clock, period
from frontend.forms import Form, Wrong

BERLIN = "Europe/Berlin"
BACK = {"starts_local": "2026-10-25T02:30", "ends_local": "2026-10-25T12:00"}
"""Clocks are put back from three to two in this night."""


def sent(**values):
    return Form.sent(MultiDict(values))


def test_times_of_the_clock_are_sent_as_they_were_typed():
    assert period(sent(**BACK, starts_fold=""), BERLIN) == BACK


@pytest.mark.parametrize(
    ("which", "starts_at"), [("first", "2026-10-25T02:30:00+02:00"), ("second", "2026-10-25T02:30:00+01:00")]
)
def test_of_a_time_that_comes_twice_the_one_that_is_meant_is_sent(which, starts_at):
    found = period(sent(**BACK, starts_fold=which), BERLIN)

    assert found == {"starts_at": starts_at, "ends_at": "2026-10-25T12:00:00+01:00"}


@pytest.mark.parametrize(("ends", "rule"), [("2027-03-28T02:30", "skipped_time"), ("soon", "format"), ("", "required")])
def test_a_time_that_is_none_is_said_beside_its_field(ends, rule):
    with pytest.raises(Wrong) as caught:
        period(sent(**{**BACK, "ends_local": ends}, starts_fold="first"), BERLIN)

    assert caught.value.fields == {"ends_local": rule}


def test_what_the_api_says_of_a_moment_stands_beside_the_time_of_the_clock():
    found = beside_clock(Refused(422, errors=[{"pointer": "/ends_at", "rule": "after_start"}]))

    assert found.errors == [{"pointer": "/ends_local", "rule": "after_start"}]

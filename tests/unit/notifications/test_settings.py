"""Quiet hours by the clock of the place, what is urgent, and settings that make no sense."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import Invalid
from services.notifications.model.settings import NIGHT, QuietHours, held_until, read_settings
from services.notifications.model.words import Way

BERLIN = "Europe/Berlin"
ZONES = [BERLIN, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]
FAR = datetime(2027, 1, 1, tzinfo=UTC)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-03-02T20:59", None),
        ("2026-03-02T21:00", "2026-03-03T08:00"),
        ("2026-03-02T23:00", "2026-03-03T08:00"),
        ("2026-03-03T07:59", "2026-03-03T08:00"),
        ("2026-03-03T08:00", None),
        ("2026-03-28T23:00", "2026-03-29T08:00"),  # the night in which the clock is put forward
        ("2026-10-24T23:00", "2026-10-25T08:00"),  # and back
    ],
)
def test_what_falls_into_the_night_waits_for_its_end_by_the_clock_of_the_place(at, until):
    found = held_until(NIGHT, way=Way.SMS, at=berlin(at), zone=BERLIN, starts_at=FAR)
    assert found == (None if until is None else berlin(until))


@pytest.mark.parametrize("way", [Way.EMAIL, Way.IN_APP])
def test_what_makes_no_sound_waits_for_nothing(way):
    assert held_until(NIGHT, way=way, at=berlin("2026-03-02T23:00"), zone=BERLIN, starts_at=FAR) is None


@pytest.mark.parametrize(
    ("start", "is_held"),
    [
        ("2026-03-02T23:30", False),  # it would come after the start
        ("2026-03-03T09:00", False),
        ("2026-03-03T20:00", False),  # twelve hours after the end
        ("2026-03-03T20:01", True),
        ("2026-03-02T22:00", True),  # over already: nothing is urgent any more
    ],
)
def test_what_is_urgent_goes_out_at_night(start, is_held):
    found = held_until(NIGHT, way=Way.SMS, at=berlin("2026-03-02T23:00"), zone=BERLIN, starts_at=berlin(start))
    assert (found is not None) == is_held


def test_without_quiet_hours_or_a_clock_nothing_waits():
    at = berlin("2026-03-02T23:00")
    assert held_until(None, way=Way.SMS, at=at, zone=BERLIN, starts_at=FAR) is None
    assert held_until(NIGHT, way=Way.SMS, at=at, zone=None, starts_at=None) is None


TIMES = st.times().map(lambda each: each.replace(second=0, microsecond=0))


@given(
    starts=TIMES, ends=TIMES, zone=st.sampled_from(ZONES),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
)  # fmt: skip
def test_whoever_waits_is_woken_at_the_end_and_never_waits_a_day(starts, ends, zone, at):
    if starts == ends:
        return
    quiet = QuietHours(starts=starts, ends=ends)
    end = quiet.end_at(at, zone=zone)
    if end is None:
        return
    assert at < end <= at + timedelta(hours=25)
    assert quiet.end_at(end, zone=zone) is None


@pytest.mark.parametrize(
    ("change", "pointer", "rule"),
    [
        ({"quiet_hours": {"from": "21:00", "until": "21:00"}}, "/quiet_hours/until", "empty"),
        ({"channels": ["sms", "email", "sms"]}, "/channels/2", "repeated"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(change, pointer, rule):
    body = {"quiet_hours": None, "from_name": None, "language": None, "channels": [], "may_name_details": False}
    with pytest.raises(Invalid) as refused:
        read_settings({**body, **change}, facility_id=UUID(int=1))
    assert [(each.pointer, each.rule) for each in refused.value.errors] == [(pointer, rule)]


def test_settings_are_read_whole():
    body = {
        "quiet_hours": {"from": "22:00", "until": "06:30"}, "from_name": "The clinic", "language": "tr",
        "channels": ["email"], "may_name_details": True,
    }  # fmt: skip
    found = read_settings(body, facility_id=UUID(int=1))
    assert found.quiet_hours == QuietHours(starts=time(22), ends=time(6, 30))
    assert (found.from_name, found.language, found.channels) == ("The clinic", "tr", {Way.EMAIL})
    assert found.may_name_details

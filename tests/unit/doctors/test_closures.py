"""Leave and closures: which times can be meant, by moments and by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.doctors.model import closures
from services.kernel.errors import Invalid
from tests.unit.doctors import making

BERLIN = ZoneInfo("Europe/Berlin")


def period(zone=BERLIN, **body):
    return closures.period(body, zone=zone, at=making.AT)


@pytest.mark.parametrize(
    "body",
    [
        {"starts_at": "2026-07-06T08:00:00+02:00", "ends_at": "2026-07-17T18:00:00+02:00"},
        {"starts_at": "2026-07-06T06:00:00Z", "ends_at": "2026-07-17T16:00:00Z"},
        {"starts_local": "2026-07-06T08:00", "ends_local": "2026-07-17T18:00"},
    ],
)
def test_moments_and_times_of_a_clock_mean_the_same(body):
    found = period(**body)
    assert (found.start, found.end) == (datetime(2026, 7, 6, 6, tzinfo=UTC), datetime(2026, 7, 17, 16, tzinfo=UTC))


def test_a_day_on_which_the_clocks_are_changed_is_as_long_as_it_is():
    spring = period(starts_local="2026-03-29T00:00", ends_local="2026-03-30T00:00")
    autumn = period(starts_local="2026-10-25T00:00", ends_local="2026-10-26T00:00")
    assert (spring.length.total_seconds() / 3600, autumn.length.total_seconds() / 3600) == (23, 25)


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        ({"starts_local": "2026-03-29T02:30", "ends_local": "2026-03-30T00:00"}, "/starts_local", "skipped_time"),
        ({"starts_local": "2026-03-28T00:00", "ends_local": "2026-03-29T02:00"}, "/ends_local", "skipped_time"),
        ({"starts_local": "2026-10-25T02:30", "ends_local": "2026-10-26T00:00"}, "/starts_local", "repeated_time"),
        ({"starts_local": "2026-02-30T00:00", "ends_local": "2026-10-26T00:00"}, "/starts_local", "format"),
        ({"starts_at": "2026-07-06T06:00:60Z", "ends_at": "2026-07-07T06:00:00Z"}, "/starts_at", "format"),
        ({"starts_at": "0001-01-01T00:00:00+23:59", "ends_at": "2026-07-07T06:00:00Z"}, "/starts_at", "format"),
        ({"starts_at": "2026-07-06T06:00:00Z", "ends_at": "2026-07-06T06:00:00Z"}, "/ends_at", "after_start"),
        ({"starts_at": "2026-07-06T06:00:00Z", "ends_at": "2026-07-05T06:00:00Z"}, "/ends_at", "after_start"),
        ({"starts_at": "2026-02-01T00:00:00Z", "ends_at": "2026-03-02T08:00:00Z"}, "/ends_at", "not_all_past"),
        ({"starts_at": "2026-07-06T06:00:00Z", "ends_at": "2027-08-10T06:00:01Z"}, "/ends_at", "at_most_400_days"),
        ({"starts_at": "2199-07-06T06:00:00Z", "ends_at": "2200-01-01T00:00:01Z"}, "/ends_at", "out_of_range"),
        ({"starts_at": "2026-07-06T06:00:00Z"}, "/ends_at", "required"),
        ({"ends_local": "2026-07-06T06:00"}, "/starts_local", "required"),
    ],
)
def test_times_that_cannot_be_closed_are_refused_by_name(body, pointer, rule):
    with pytest.raises(Invalid) as caught:
        period(**body)
    assert [(each.pointer, each.rule) for each in caught.value.errors] == [(pointer, rule)]


def test_both_kinds_of_time_at_once_are_refused():
    with pytest.raises(Invalid) as caught:
        period(starts_at="2026-07-06T06:00:00Z", ends_local="2026-07-07T06:00")
    found = {(each.pointer, each.rule) for each in caught.value.errors}
    assert found == {("/starts_local", "required"), ("/starts_at", "not_with_local")}


def test_a_clock_that_nobody_named_cannot_be_meant():
    with pytest.raises(Invalid) as caught:
        period(None, starts_local="2026-07-06T08:00", ends_local="2026-07-17T18:00")
    assert [(each.pointer, each.rule) for each in caught.value.errors] == [("/facility_id", "required")]


def test_leave_that_has_begun_and_exactly_four_hundred_days_can_be():
    assert period(starts_at="2026-02-01T00:00:00Z", ends_at="2026-03-02T08:00:01Z").end > making.AT
    assert period(starts_at="2026-07-06T06:00:00Z", ends_at="2027-08-10T06:00:00Z").length == closures.LONGEST


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"scope": "facility"}, making.FACILITY),
        ({"scope": "facility", "scope_id": str(making.FACILITY)}, making.FACILITY),
        ({"scope": "location", "scope_id": str(making.LOCATION)}, making.LOCATION),
        ({"scope": "facility", "scope_id": str(making.LOCATION)}, "other_facility"),
        ({"scope": "resource"}, "required"),
    ],
)
def test_a_closure_says_of_what(body, expected):
    try:
        found = closures.closed_id(body, facility_id=making.FACILITY)
    except Invalid as error:
        found = error.errors[0].rule
    assert found == expected


def test_what_was_taken_back_has_a_version_of_its_own():
    now = making.leave(making.AT, making.AT.replace(day=9))
    assert closures.removed_leave(now, at=making.AT).version == 2
    closed = closures.removed_closure(making.closure(making.AT, making.AT.replace(day=9)), at=making.AT)
    assert (closed.is_removed, closed.version) == (True, 2)

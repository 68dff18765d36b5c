"""The rules of reports: what is asked, who may see it, what is divided by what, and up to when it holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.access import Actor, Area, Grant
from services.kernel.errors import Forbidden, Invalid, NotFound
from services.reports import model

FACILITY, ADA, BOB = (UUID(int=n) for n in (1, 2, 3))
AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
COUNT = st.integers(min_value=0, max_value=10**9)


def asked(**more: Any) -> model.Asked:
    given_ = {"first_day": "2026-03-01", "last_day": "2026-03-31", **more}
    return model.asked(str(FACILITY), given_.pop("first_day"), given_.pop("last_day"), **given_)


def actor(*permissions: str) -> Actor:
    return Actor(subject="somebody", permissions=frozenset(permissions))


# ---- what is asked --------------------------------------------------------------------------------------------------


def test_what_was_entered_in_error_is_counted_only_when_it_is_named():
    assert set(model.Status) - set(asked().statuses) == {model.Status.ENTERED_IN_ERROR}
    assert asked(statuses=["entered_in_error"]).statuses == (model.Status.ENTERED_IN_ERROR,)


def test_groups_are_columns_in_one_order_however_they_are_named():
    assert asked(groups=["status", "day", "doctor"]).groups == (
        model.Group.DAY, model.Group.DOCTOR, model.Group.STATUS,
    )  # fmt: skip
    assert asked().groups == ()


@pytest.mark.parametrize(
    ("first", "last", "rule"),
    [
        ("2026-03-02", "2026-03-01", "before_first_day"),
        ("2026-01-01", "2027-01-02", "period_too_long"),
        ("2026-02-30", "2026-03-01", "format"),
    ],
)
def test_a_period_that_is_none_is_refused(first, last, rule):
    with pytest.raises(Invalid) as refused:
        asked(first_day=first, last_day=last)
    assert [each.rule for each in refused.value.errors] == [rule]


def test_a_period_of_one_day_and_of_a_leap_year_are_periods():
    assert asked(first_day="2026-03-01", last_day="2026-03-01").last_day == date(2026, 3, 1)
    assert asked(first_day="2028-01-01", last_day="2028-12-31").first_day == date(2028, 1, 1)


def test_rows_add_up_unless_they_are_by_specialization():
    assert asked(groups=["day", "doctor", "status"]).adds_up
    assert not asked(groups=["specialization"]).adds_up


def test_what_is_asked_is_described_in_days_ids_and_words():
    told = model.described(asked(groups=["day"], doctors=[str(BOB), str(ADA)], statuses=["booked"]))
    assert told == {
        "facility_id": str(FACILITY),
        "first_day": "2026-03-01",
        "last_day": "2026-03-31",
        "group_by": "day",
        "doctor_id": f"{ADA},{BOB}",
        "status": "booked",
    }


# ---- who may see it -------------------------------------------------------------------------------------------------


def test_who_reads_all_sees_what_is_asked():
    assert model.narrowed(asked(), actor=actor("reports.read", "reports.read_own"), own=ADA) == asked()


def test_a_doctor_sees_the_own_figures_only():
    mine = model.narrowed(asked(), actor=actor("reports.read_own"), own=ADA)
    assert (mine.doctors, mine.is_own_only) == ((ADA,), True)
    assert model.narrowed(asked(doctors=[str(ADA)]), actor=actor("reports.read_own"), own=ADA) == mine


@pytest.mark.parametrize(
    ("permissions", "own", "doctors"),
    [
        (("reports.read_own",), ADA, [str(BOB)]),
        (("reports.read_own",), ADA, [str(ADA), str(BOB)]),
        (("reports.read_own",), None, []),
        (("reports.export",), ADA, []),
        ((), ADA, []),
    ],
)
def test_the_figures_of_others_are_refused(permissions, own, doctors):
    with pytest.raises(Forbidden):
        model.narrowed(asked(doctors=doctors), actor=actor(*permissions), own=own)


def test_figures_are_those_of_facilities_in_reach():
    here, there = (Area(facilities=frozenset({each})) for each in (str(FACILITY), "elsewhere"))

    def held(**areas):
        grants = [Grant(permissions=frozenset({f"reports.{name}"}), area=area) for name, area in areas.items()]
        who = actor(*(f"reports.{name}" for name in areas))
        return replace(who, grants=tuple(grants)).under("reports.read_own")

    assert model.narrowed(asked(), actor=held(read=here, read_own=here), own=None) == asked()
    assert model.narrowed(asked(), actor=held(read=there, read_own=here), own=ADA).doctors == (ADA,)
    with pytest.raises(NotFound):
        model.narrowed(asked(), actor=held(read=there, read_own=there), own=ADA)
    with pytest.raises(Forbidden):
        model.narrowed(asked(), actor=held(read=there, read_own=here), own=None)


def test_names_are_for_those_who_may_read_doctors():
    assert model.sees_names(actor("doctors.read"))
    assert not model.sees_names(actor("reports.read"))


# ---- what is divided by what ----------------------------------------------------------------------------------------


@given(COUNT, COUNT, COUNT)
def test_rates_are_shares_of_what_they_say(attended, no_show, late):
    counts = {"attended": attended, "no_show": no_show, "late_cancelled": late}
    for rate, top, bottom in (
        (model.no_show_rate(counts), no_show, attended + no_show),
        (model.late_cancel_rate(counts), late, attended + no_show + late),
    ):
        assert (rate.numerator, rate.denominator) == (top, bottom)
        if not bottom:
            assert rate.percent is None
            continue
        assert 0 <= rate.percent <= 100
        assert rate.percent.as_tuple().exponent == -1
        assert abs(Fraction(rate.percent) - Fraction(100 * top, bottom)) <= Fraction(1, 20)


@pytest.mark.parametrize(
    ("top", "bottom", "percent"), [(1, 2000, "0.1"), (1, 2001, "0.0"), (1, 8, "12.5"), (1, 16, "6.3"), (3, 3, "100.0")]
)
def test_a_share_is_rounded_half_up(top, bottom, percent):
    assert model.Rate(numerator=top, denominator=bottom).percent == Decimal(percent)


# ---- up to when it holds --------------------------------------------------------------------------------------------


def look(stream: str = "events.a", *, ago_s: float = 1, oldest_s: float = 0, dead: int = 0) -> model.Look:
    return model.Look(stream=stream, at=AT - timedelta(seconds=ago_s), oldest_s=oldest_s, dead=dead)


@pytest.mark.parametrize(
    ("looks", "is_behind"),
    [
        ([], True),
        ([look()], False),
        ([look(), look("events.b", ago_s=31)], True),
        ([look(), look("events.b", oldest_s=5.1)], True),
        ([look(oldest_s=4.9)], False),
        ([look(), look("events.b", dead=1)], True),
    ],
)
def test_figures_are_behind_when_something_waits_was_put_aside_or_nobody_looked(looks, is_behind):
    found = model.as_of(AT, looks, at=AT)
    assert found.is_behind == is_behind
    assert found.looked_at == min((each.at for each in looks), default=None)


# ---- what they are made of ------------------------------------------------------------------------------------------


def state(**more: Any) -> dict[str, Any]:
    return {
        "id": str(UUID(int=9)),
        "facility_id": str(FACILITY),
        "doctor_id": str(ADA),
        "location_id": str(UUID(int=4)),
        "appointment_type_id": str(UUID(int=5)),
        "status": "booked",
        "starts_at": "2026-03-02T23:30:00-05:00",
        "ends_at": "2026-03-03T00:00:00-05:00",
        "zone": "America/New_York",
        "late_cancelled": False,
        "changed_at": "2026-03-01T08:00:00.000Z",
        "version": 3,
        **more,
    }


def test_the_day_is_that_of_the_clocks_where_it_takes_place():
    assert model.stated(state()).day == date(2026, 3, 2)
    assert model.stated(state(zone="Europe/Berlin")).day == date(2026, 3, 3)


def test_an_event_and_an_answer_say_the_same():
    said = state(status="cancelled", late_cancelled=True)
    data = {name: said[name] for name in said if name not in {"id", "late_cancelled", "changed_at", "version"}}
    at = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    told = model.told({**data, "late": True, "patient_id": str(BOB)}, id=UUID(int=9), version=3, at=at)
    assert told == model.stated(said)
    assert str(BOB) not in str(told)


def test_what_was_cancelled_late_and_then_entered_in_error_is_late_no_more():
    assert model.stated(state(status="cancelled", late_cancelled=True)).is_late
    assert not model.stated(state(status="entered_in_error", late_cancelled=True)).is_late


@pytest.mark.parametrize("missing", ["zone", "location_id", "ends_at"])
def test_an_event_of_an_older_sender_says_too_little(missing):
    data = {name: value for name, value in state().items() if name != missing}
    assert model.told(data, id=UUID(int=9), version=1, at=AT) is None


def test_a_doctor_is_called_by_title_and_names_and_nothing_more_is_kept():
    body = {
        "id": str(ADA), "title": "Dr.", "given_name": "Ada", "family_name": "Example", "user_id": None, "version": 2,
        "specialization_ids": [str(BOB), str(ADA)], "contacts": {"phone": "+49 30 5550101"},
    }  # fmt: skip
    assert model.doctor(body) == model.Doctor(
        id=ADA, name="Dr. Ada Example", user_id=None, specialization_ids=(ADA, BOB), version=2
    )
    assert model.doctor({**body, "title": None}).name == "Ada Example"


def test_a_digest_differs_for_other_lines_and_another_order():
    digests = {model.digest(lines) for lines in ([], [""], ["ab"], ["a", "b"], ["b", "a"])}
    assert len(digests) == 5
    assert model.digest([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

"""Figures: the table holds what was counted, the plot the same, and periods are whole."""

from __future__ import annotations

from datetime import date

import pytest

from frontend import figures

MONDAY, SUNDAY = 0, 6


def label(group, row):
    return str(row[figures._KEYS[group]])


def count(number, **groups):
    return {**groups, "appointments": number}


ROWS = [
    count(3, day="2026-03-02", doctor_id="a"),
    count(1, day="2026-03-02", doctor_id="b"),
    count(2, day="2026-03-04", doctor_id="b"),
]


def test_one_group_makes_a_row_each():
    shown = figures.table([count(3, status="booked"), count(1, status="no_show")], "status", None, label=label)
    assert shown.columns == []
    assert shown.rows == [("booked", [], 3), ("no_show", [], 1)]


def test_two_groups_make_rows_and_columns_in_which_none_is_nought():
    shown = figures.table(ROWS, "day", "doctor", label=label)
    assert shown.columns == ["a", "b"]
    assert shown.rows == [("2026-03-02", [3, 1], 4), ("2026-03-04", [0, 2], 2)]
    assert shown.sums == [3, 3]


def test_the_plot_stacks_columns_with_the_largest_first():
    rows = [count(1, day="2026-03-02", doctor_id="a"), count(5, day="2026-03-02", doctor_id="b")]
    drawn = figures.plot_of_counts(figures.table(rows, "day", "doctor", label=label), name="n", others="o")
    assert drawn["stacked"] is True
    assert [(each["label"], each["values"]) for each in drawn["series"]] == [("b", [5]), ("a", [1])]


def test_columns_beyond_the_colours_are_one_series_that_loses_nothing():
    rows = [count(index + 1, day="2026-03-02", doctor_id=str(index)) for index in range(12)]
    drawn = figures.plot_of_counts(figures.table(rows, "day", "doctor", label=label), name="n", others="others")
    assert len(drawn["series"]) == 8
    assert drawn["series"][-1]["label"] == "others"
    assert sum(sum(each["values"]) for each in drawn["series"]) == sum(range(1, 13))


def test_a_plot_of_days_has_the_days_on_which_nothing_was():
    filled = figures.filled(ROWS[:1], date(2026, 3, 1), date(2026, 3, 3), {**ROWS[0], "appointments": 0})
    assert [(each["day"], each["appointments"]) for each in filled] == [
        ("2026-03-01", 0),
        ("2026-03-02", 3),
        ("2026-03-03", 0),
    ]


def test_a_rate_of_nothing_is_a_gap_and_not_nought():
    rows = [
        {"doctor_id": "a", "no_show_rate": {"percent": "7.5"}},
        {"doctor_id": "b", "no_show_rate": {"percent": None}},
        {"doctor_id": "c", "no_show_rate": {"percent": "0.0"}},
    ]
    drawn = figures.plot_of_rates(rows, "doctor", label=label, names={"no_show_rate": "did not come"})
    assert drawn["series"] == [{"label": "did not come", "values": [7.5, None, 0.0]}]


@pytest.mark.parametrize(
    ("today", "first_week_day", "name", "first", "last"),
    [
        (date(2026, 3, 4), MONDAY, "this_week", date(2026, 3, 2), date(2026, 3, 8)),
        (date(2026, 3, 4), SUNDAY, "this_week", date(2026, 3, 1), date(2026, 3, 7)),
        (date(2026, 3, 1), MONDAY, "this_week", date(2026, 2, 23), date(2026, 3, 1)),
        (date(2026, 3, 4), MONDAY, "last_week", date(2026, 2, 23), date(2026, 3, 1)),
        (date(2028, 2, 29), MONDAY, "this_month", date(2028, 2, 1), date(2028, 2, 29)),
        (date(2026, 12, 31), MONDAY, "this_month", date(2026, 12, 1), date(2026, 12, 31)),
        (date(2026, 1, 15), MONDAY, "last_month", date(2025, 12, 1), date(2025, 12, 31)),
        (date(2026, 3, 31), MONDAY, "last_90", date(2026, 1, 1), date(2026, 3, 31)),
        (date(2028, 5, 5), MONDAY, "this_year", date(2028, 1, 1), date(2028, 12, 31)),
    ],
)
def test_a_period_is_whole(today, first_week_day, name, first, last):
    assert figures.periods(today, first_week_day=first_week_day)[name] == (first, last)

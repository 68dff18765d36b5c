"""Figures as people read them: periods to choose from, a table of rows and columns, and the same as a plot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

_KEYS: Final = {"day": "day", "doctor": "doctor_id", "specialization": "specialization_id", "status": "status"}
_MOST_SERIES: Final = 8
"""As many colours can be told apart; what is beyond is one series of its own."""
Label = Callable[[str, Mapping[str, Any]], str]
"""What a group of a row is called."""


@dataclass(frozen=True)
class Table:
    """Counts by row, and by column where there are two groups. rows: a label, the cells, and their sum."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[int], int]]

    @property
    def sums(self) -> list[int]:
        """Of each column."""
        return [sum(cells[index] for _label, cells, _sum in self.rows) for index in range(len(self.columns))]


def periods(today: date, *, first_week_day: int) -> dict[str, tuple[date, date]]:
    """Periods that are asked for most, each with its first and last day. first_week_day: 0 is Monday."""
    week = today - timedelta(days=(today.weekday() - first_week_day) % 7)
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    following = (month + timedelta(days=32)).replace(day=1)
    return {
        "this_week": (week, week + timedelta(days=6)),
        "last_week": (week - timedelta(days=7), week - timedelta(days=1)),
        "this_month": (month, following - timedelta(days=1)),
        "last_month": (before.replace(day=1), before),
        "last_90": (today - timedelta(days=89), today),
        "this_year": (today.replace(month=1, day=1), today.replace(month=12, day=31)),
    }


def table(rows: Sequence[Mapping[str, Any]], by: str, across: str | None, *, label: Label) -> Table:
    """Counts of appointments; what no row names is none."""
    lines, columns = _labels(rows, by, label), _labels(rows, across, label) if across else {}
    counts: dict[tuple[Any, Any], int] = {}
    for row in rows:
        key = (row[_KEYS[by]], row[_KEYS[across]] if across else None)
        counts[key] = counts.get(key, 0) + int(row["appointments"])
    made = []
    for line, text in lines.items():
        cells = [counts.get((line, column), 0) for column in columns]
        made.append((text, cells, sum(cells) if across else counts[line, None]))
    return Table(list(columns.values()), made)


def plot_of_counts(shown: Table, *, name: str, others: str) -> dict[str, Any]:
    """The table as bars, one on another where it has columns. name: what is counted. others: the columns beyond."""
    labels = [text for text, _cells, _sum in shown.rows]
    if not shown.columns:
        return {"labels": labels, "stacked": False, "series": [_series(name, [each[2] for each in shown.rows])]}
    series = [
        _series(text, [cells[index] for _text, cells, _sum in shown.rows]) for index, text in enumerate(shown.columns)
    ]
    series.sort(key=lambda each: -sum(each["values"]))
    if len(series) > _MOST_SERIES:
        rest = [each["values"] for each in series[_MOST_SERIES - 1 :]]
        series = [*series[: _MOST_SERIES - 1], _series(others, [sum(cells) for cells in zip(*rest, strict=True)])]
    return {"labels": labels, "stacked": True, "series": series}


def plot_of_rates(
    rows: Sequence[Mapping[str, Any]], by: str, *, label: Label, names: Mapping[str, str]
) -> dict[str, Any]:
    """Shares in percent, side by side. names: what each rate is called; one that divides by nothing is a gap."""
    return {
        "labels": list(_labels(rows, by, label).values()),
        "stacked": False,
        "unit": "%",
        "series": [_series(text, [_percent(row[rate]) for row in rows]) for rate, text in names.items()],
    }


def filled(
    rows: Sequence[Mapping[str, Any]], first: date, last: date, empty: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Rows by day with every day of the period among them, so that time runs evenly."""
    days = {each["day"] for each in rows}
    missing = [{**empty, "day": day} for day in _days(first, last) if day not in days]
    return sorted([*rows, *missing], key=lambda row: row["day"])


def _labels(rows: Iterable[Mapping[str, Any]], group: str, label: Label) -> dict[Any, str]:
    found: dict[Any, str] = {}
    for row in rows:
        if row[_KEYS[group]] not in found:
            found[row[_KEYS[group]]] = label(group, row)
    return found


def _series(label: str, values: Sequence[float | None]) -> dict[str, Any]:
    return {"label": label, "values": list(values)}


def _percent(rate: Mapping[str, Any]) -> float | None:
    return None if rate["percent"] is None else float(rate["percent"])


def _days(first: date, last: date) -> list[str]:
    return [(first + timedelta(days=index)).isoformat() for index in range((last - first).days + 1)]

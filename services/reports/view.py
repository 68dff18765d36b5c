"""What the outside sees of reports: as JSON, and the same rows as cells of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.reports import model
from services.reports.model import Group

Shown = Callable[[Mapping[str, int]], dict[str, Any]]
_COLUMNS = {
    Group.DAY: ("day",),
    Group.DOCTOR: ("doctor_id", "doctor_name"),
    Group.SPECIALIZATION: ("specialization_id", "specialization_name"),
    Group.STATUS: ("status",),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of report: its name, what is counted for it, and the form in which that is shown."""

    name: str
    measures: Sequence[model.Measure]
    shown: Shown


def report(
    kind: Kind,
    asked: model.Asked,
    *,
    rows: Iterable[model.Row],
    total: Mapping[str, int],
    found: model.AsOf,
) -> dict[str, Any]:
    """A report."""
    return {
        "facility_id": str(asked.facility_id),
        "first_day": asked.first_day.isoformat(),
        "last_day": asked.last_day.isoformat(),
        "group_by": [each.value for each in asked.groups],
        "own_only": asked.is_own_only,
        "rows": [row(each, kind.shown) for each in rows],
        "total": kind.shown(total),
        "adds_up": asked.adds_up,
        "as_of": as_of(found),
    }


def row(row: model.Row, shown: Shown) -> dict[str, Any]:
    """One row."""
    return {name: None if value is None else str(value) for name, value in row.group.items()} | shown(row.counts)


def counts(counted: Mapping[str, int]) -> dict[str, Any]:
    """How many."""
    return dict(counted)


def rates(counted: Mapping[str, int]) -> dict[str, Any]:
    """Who came and who did not, and what share that is."""
    return {
        **counted,
        "no_show_rate": _rate(model.no_show_rate(counted)),
        "late_cancel_rate": _rate(model.late_cancel_rate(counted)),
    }


def as_of(found: model.AsOf) -> dict[str, Any]:
    """Up to when it holds."""
    return {
        "newest_event_at": stamp(found.newest_event_at),
        "looked_at": stamp(found.looked_at),
        "is_behind": found.is_behind,
    }


def names(kind: Kind, asked: model.Asked, *, has_names: bool) -> list[str]:
    """The line of names of a file."""
    group = [name for each in asked.groups for name in _COLUMNS[each] if has_names or not name.endswith("_name")]
    return [*group, *_flat(kind.shown({each.name: 0 for each in kind.measures}))]


def cells(kind: Kind, rows: Iterable[model.Row]) -> Iterator[list[Any]]:
    """The rows of a file, the same as in JSON."""
    for each in rows:
        yield list(_flat(row(each, kind.shown)).values())


def file_name(kind: Kind, asked: model.Asked) -> str:
    """What a file is called."""
    return f"{kind.name}-{asked.first_day}-{asked.last_day}.csv"


def headers(found: model.AsOf) -> dict[str, str]:
    """What is said of a file beside it."""
    return {"As-Of": stamp(found.newest_event_at) or "never", "Is-Behind": str(found.is_behind).lower()}


def stamp(at: datetime | None) -> str | None:
    """A moment in UTC."""
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rate(rate: model.Rate) -> dict[str, Any]:
    percent = rate.percent
    return {
        "numerator": rate.numerator,
        "denominator": rate.denominator,
        "percent": None if percent is None else str(percent),
    }


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """What lies within something gets a column of its own, under both names."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        inner = (
            {f"{name}_{each}": within for each, within in value.items()} if isinstance(value, dict) else {name: value}
        )
        found |= inner
    return found


COUNTS = Kind("appointments", model.COUNTS, counts)
RATES = Kind("attendance", model.OUTCOMES, rates)

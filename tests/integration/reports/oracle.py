"""What reports must say, counted slowly: one appointment after the other, without a database."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

ATTENDED = {"arrived", "in_progress", "completed"}


def counted(
    states: Iterable[Mapping[str, Any]],
    specializations: Mapping[str, Sequence[str]],
    *,
    facility: str,
    first: date,
    last: date,
    group_by: Sequence[str],
    only: Mapping[str, Sequence[str]],
) -> Counter[tuple[Any, ...]]:
    """How many appointments each row counts. Its key: what it is for, in the order of the columns."""
    rows: Counter[tuple[Any, ...]] = Counter()
    for each in states:
        if is_wanted(each, specializations, facility=facility, first=first, last=last, only=only):
            for key in _keys(each, specializations, group_by, only):
                rows[key] += 1
    return rows


def is_wanted(
    state: Mapping[str, Any],
    specializations: Mapping[str, Sequence[str]],
    *,
    facility: str,
    first: date,
    last: date,
    only: Mapping[str, Sequence[str]],
) -> bool:
    """Whether an appointment is counted at all."""
    statuses = only.get("status") or ()
    return (
        state["facility_id"] == facility
        and first <= day(state) <= last
        and (state["status"] in statuses if statuses else state["status"] != "entered_in_error")
        and (not only.get("doctor_id") or state["doctor_id"] in only["doctor_id"])
        and (
            not only.get("specialization_id")
            or bool(set(specializations[state["doctor_id"]]) & set(only["specialization_id"]))
        )
    )


def day(state: Mapping[str, Any]) -> date:
    """What a calendar on the wall shows."""
    return datetime.fromisoformat(state["starts_at"]).astimezone(ZoneInfo(state["zone"])).date()


def outcomes(states: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How appointments ended."""
    found = {"attended": 0, "no_show": 0, "late_cancelled": 0}
    for each in states:
        if each["status"] in ATTENDED:
            found["attended"] += 1
        elif each["status"] == "no_show":
            found["no_show"] += 1
        elif each["status"] == "cancelled" and each["late_cancelled"]:
            found["late_cancelled"] += 1
    return found


def _keys(
    state: Mapping[str, Any],
    specializations: Mapping[str, Sequence[str]],
    group_by: Sequence[str],
    only: Mapping[str, Sequence[str]],
) -> Iterable[tuple[Any, ...]]:
    held = [s for s in specializations[state["doctor_id"]] if s in (only.get("specialization_id") or [s])]
    columns = {
        "day": [day(state).isoformat()],
        "doctor": [state["doctor_id"]],
        "specialization": held or [None],
        "status": [state["status"]],
    }
    return itertools.product(*(values for name, values in columns.items() if name in group_by))

"""Figures: how many appointments there are, and who did not come; as a table, a plot and a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import flask

from frontend import figures
from frontend.api import LIST_S, Answer, Refused
from frontend.area import Area, may_open
from frontend.desk import Desk
from frontend.forms import Form
from frontend.labels import STATUSES
from frontend.sayings import N_
from frontend.words import first_week_day

area = Area("reports", at="/reports")
PERIODS: Final = {
    "this_week": N_("This week"),
    "last_week": N_("Last week"),
    "this_month": N_("This month"),
    "last_month": N_("Last month"),
    "last_90": N_("Last 90 days"),
    "this_year": N_("This year"),
}
_RATES: Final = {"no_show_rate": N_("Did not come"), "late_cancel_rate": N_("Cancelled late")}
_NO_RATE: Final = {"numerator": 0, "denominator": 0, "percent": None}
_NAMELESS: Final = {"doctor": N_("Doctor %(number)s"), "specialization": N_("Field %(number)s")}
_FILTERS: Final = ("doctor_id", "specialization_id", "status")
_USUAL: Final = "this_month"


@area.get("/appointments", "reports.read_own")
def appointments(desk: Desk) -> Any:
    """How many, by one group or two."""
    form = _asked(desk, by="day")
    report = _report(desk, "count_appointments", form)
    if report is None:
        return desk.page("reports/appointments.html", status=422, form=form, report=None, **_lists(desk))
    by, across = form.value("by"), form.text("across") if form.value("across") != form.value("by") else None
    label = _labels(desk)
    shown = figures.table(report["rows"], by, across, label=label)
    rows = report["rows"]
    if by == "day" and rows:
        rows = figures.filled(rows, *_period(report), {**rows[0], "appointments": 0})
    drawn = figures.table(rows, by, across, label=_labels(desk, is_short=True))
    names = {"name": desk.words.gettext("Appointments"), "others": desk.words.gettext("others")}
    plot = {**figures.plot_of_counts(drawn, **names), "days": by == "day"}
    return desk.page("reports/appointments.html", form=form, report=report, table=shown, plot=plot, **_lists(desk))


@area.get("/attendance", "reports.read_own")
def attendance(desk: Desk) -> Any:
    """Of those who had an appointment, how many did not come, or cancelled late."""
    form = _asked(desk, by="specialization")
    report = _report(desk, "get_attendance_rates", form)
    if report is None:
        return desk.page("reports/attendance.html", status=422, form=form, report=None, **_lists(desk))
    by, label, rows = form.value("by"), _labels(desk), report["rows"]
    labelled = [(label(by, row), row) for row in rows]
    if by == "day" and rows:
        rows = figures.filled(rows, *_period(report), dict.fromkeys(_RATES, _NO_RATE))
    names = {rate: desk.words.gettext(text) for rate, text in _RATES.items()}
    plot = figures.plot_of_rates(rows, by, label=_labels(desk, is_short=True), names=names) | {"days": by == "day"}
    return desk.page("reports/attendance.html", form=form, report=report, rows=labelled, plot=plot, **_lists(desk))


@area.get("/appointments.csv", "reports.export")
def export_appointments(desk: Desk) -> Any:
    """The counts as a file."""
    form = _asked(desk, by="day")
    return _file(desk.api.call("export_appointment_counts", query=_query(desk, form), within_s=LIST_S))


@area.get("/attendance.csv", "reports.export")
def export_attendance(desk: Desk) -> Any:
    """The rates as a file."""
    form = _asked(desk, by="specialization")
    return _file(desk.api.call("export_attendance_rates", query=_query(desk, form), within_s=LIST_S))


def _asked(desk: Desk, *, by: str) -> Form:
    """What is asked for; a month where no period is."""
    form, usual = Form(), _periods(desk)[_USUAL]
    form.values["first_day"], form.values["last_day"], form.values["by"] = *map(str, usual), by
    for name in ("first_day", "last_day", "by", "across", *_FILTERS):
        if desk.query.get(name):
            form.values[name] = desk.query[name]
    return form


def _query(desk: Desk, form: Form) -> dict[str, Any]:
    groups = dict.fromkeys(form.value(name) for name in ("by", "across") if form.text(name))
    return {
        "facility_id": desk.facility["id"] if desk.facility else "",
        **form.picked(["first_day", "last_day", *_FILTERS]),
        "group_by": list(groups),
    }


def _report(desk: Desk, operation: str, form: Form) -> Mapping[str, Any] | None:
    """The figures; where they are refused, the form says why."""
    try:
        found: Mapping[str, Any] = desk.api.call(operation, query=_query(desk, form), within_s=LIST_S).body
    except Refused as error:
        form.take(error, desk.words)
        for name, text in list(form.errors.items()):
            if name.startswith("group_by"):
                form.errors["by"] = text
        return None
    return found


def _file(answer: Answer) -> flask.Response:
    kept = {name: answer.headers[name] for name in ("content-type", "content-disposition") if name in answer.headers}
    return flask.Response(answer.raw, headers=kept)


def _lists(desk: Desk) -> dict[str, Any]:
    """What can be chosen of."""
    may_choose = desk.may("reports.read")
    return {
        "doctors": desk.names.doctors() if may_choose else {},
        "specializations": desk.names.specializations() if may_choose else {},
        "periods": {name: (desk.words.gettext(PERIODS[name]), *days) for name, days in _periods(desk).items()},
        "may_export": may_open("reports.export_appointments", desk),
    }


def _periods(desk: Desk) -> dict[str, tuple[date, date]]:
    today = datetime.now(ZoneInfo(desk.words.zone)).date()
    return figures.periods(today, first_week_day=first_week_day(desk.words.zone))


def _period(report: Mapping[str, Any]) -> tuple[date, date]:
    return date.fromisoformat(report["first_day"]), date.fromisoformat(report["last_day"])


def _labels(desk: Desk, *, is_short: bool = False) -> figures.Label:
    """What groups are called; those whose names this person may not see are numbered. is_short: days without a year."""
    numbers: dict[Any, int] = {}

    def label(group: str, row: Mapping[str, Any]) -> str:
        if group == "day":
            return desk.words.day(row["day"], "d MMM" if is_short else "medium")
        if group == "status":
            called = STATUSES[row["status"]]
            return desk.words.gettext(called)
        name = row.get(f"{group}_name")
        if name:
            return str(name)
        if row[f"{group}_id"] is None:
            return desk.words.say("without a field")
        number = numbers.setdefault(row[f"{group}_id"], len(numbers) + 1)
        return desk.words.say(_NAMELESS[group], number=number)

    return label

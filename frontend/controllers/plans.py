"""Changes of what can be booked: each is agreed with the appointments, at once as a rule, and else it waits.

Hours, leave, closures and parts of a profile change plans; what becomes of a change is told in one way everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import flask

from frontend.api import Answer, Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form, Wrong
from frontend.versions import STALE

area = Area("plans", at="/plan-changes")


@area.get("/<uuid:change_id>", "schedules.manage_own")
def show(desk: Desk, change_id: str) -> Any:
    """How far a change is; it asks again by itself until it is settled, and then the lists beside it ask anew."""
    change = desk.api.call("get_plan_change", change_id=change_id).body
    page = desk.page("schedules/_change.html", change=change)
    if change["state"] != "pending":
        desk.names.forget()
        page.headers["HX-Trigger"] = "settled"
    return page


def asked(desk: Desk, subject_id: str) -> Mapping[str, Any] | None:
    """The change that the address names, or one that waits; where this person may see it.

    subject_id: the doctor whose plan it is, or the facility.
    """
    change_id = desk.query.get("change")
    try:
        if change_id:
            found: Mapping[str, Any] = desk.api.call("get_plan_change", change_id=change_id).body
            return found
        return _waiting(desk, subject_id)
    except Refused:
        return None


def _waiting(desk: Desk, subject_id: str) -> Mapping[str, Any] | None:
    """The change of this plan that waits: there is one at most."""
    if not desk.may("schedules.manage"):
        return None
    for each in desk.api.every("list_plan_changes", query={"state": "pending"}):
        if subject_id in ([each["doctor_id"]] if each["doctor_id"] else each["facility_ids"]):
            waiting: Mapping[str, Any] = each
            return waiting
    return None


def period(form: Form, zone: str) -> dict[str, str]:
    """From when to when: by the clock of a zone, or as moments once it was said which of two equal times is meant.

    Raises:  Wrong.
    """
    if not form.picked(["starts_fold", "ends_fold"]):
        return form.picked(["starts_local", "ends_local"])
    return {f"{name}_at": _moment(form, name, ZoneInfo(zone)) for name in ("starts", "ends")}


def beside_clock(error: Refused | Wrong) -> Refused | Wrong:
    """What was said of a moment is said beside the time of the clock that it was made from."""
    if isinstance(error, Wrong):
        return error
    errors = [{**each, "pointer": str(each.get("pointer") or "").replace("s_at", "s_local")} for each in error.errors]
    return replace(error, errors=errors)


def _moment(form: Form, name: str, zone: ZoneInfo) -> str:
    field = f"{name}_local"
    try:
        local = datetime.fromisoformat(form.needed(field))
    except ValueError:
        raise Wrong({field: "format"}) from None
    at = local.replace(tzinfo=zone, fold=int(form.text(f"{name}_fold") == "second"))
    if at.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise Wrong({field: "skipped_time"})
    return at.isoformat()


def told(desk: Desk, answer: Answer, text: str, endpoint: str, **values: Any) -> flask.Response:
    """After a change: what it came to, and the page where the rest of it is seen."""
    change = answer.body["change"]
    desk.names.forget()
    if change["state"] == "pending":
        return desk.go(endpoint, change=change["change_id"], **values)
    desk.said(text)
    return desk.go(endpoint, change=change["change_id"] if change["clashing"] else None, **values)


def refused(desk: Desk, error: Refused, template: str, *, form: Form, **values: Any) -> flask.Response:
    """A change by one button was refused: the page as it is now, with what stands against it."""
    form.take(error, desk.words)
    if error.status == 412:
        form.problem = desk.words.say(STALE)
    return desk.page(template, status=error.status, form=form, **values)

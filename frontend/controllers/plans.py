"""Changes of what can be booked: each is agreed with the appointments, at once as a rule, and else it waits.

Hours, leave, closures and parts of a profile change plans; what becomes of a change is told in one way everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask

from frontend.api import Answer, Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form
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


def asked(desk: Desk) -> Mapping[str, Any] | None:
    """The change that the address names, where this person may see it."""
    change_id = desk.query.get("change")
    if not change_id:
        return None
    try:
        found: Mapping[str, Any] = desk.api.call("get_plan_change", change_id=change_id).body
    except Refused:
        return None
    return found


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

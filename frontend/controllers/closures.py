"""When a facility is closed, or a part of it: a location, a room, a device."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers import plans
from frontend.desk import Desk
from frontend.forms import Form, Wrong
from frontend.sayings import N_

area = Area("closures", at="/closures")


@area.get("", "doctors.read", "facilities.read")
def show(desk: Desk) -> Any:
    """What is and will be closed at the facility that is worked in."""
    values = _all_of(desk)
    if desk.is_part:
        return desk.page("closures/_list.html", form=Form(), **values)
    form = desk.drafted(Form(name="closure"))
    return desk.page("closures/show.html", form=form, change=plans.asked(desk, desk.facility_id), **values)


@area.post("", "closures.manage")
def add(desk: Desk) -> Any:
    """Close something for a time; where appointments stand against it, they are shown first."""
    form = Form.sent(desk.form, name="closure")
    try:
        scope, _, scope_id = form.needed("what").partition(" ")
        body = {"scope": scope, **plans.period(form, desk.words.zone), **form.picked(["reason", "clashing"])}
        if scope_id:
            body["scope_id"] = scope_id
        answer = desk.send("add_closure", body=body, facility_id=desk.facility_id)
    except (Refused, Wrong) as error:
        return desk.again("closures/show.html", plans.beside_clock(error), form=form, change=None, **_all_of(desk))
    desk.drop_draft(form.name)
    return plans.told(desk, answer, N_("It is closed for this time."), "closures.show")


@area.post("/<uuid:closure_id>/remove", "closures.manage")
def remove(desk: Desk, closure_id: str) -> Any:
    """Open again what was to be closed."""
    try:
        answer = desk.send("remove_closure", facility_id=desk.facility_id, closure_id=closure_id)
    except Refused as error:
        return plans.refused(desk, error, "closures/show.html", form=Form(), change=None, **_all_of(desk))
    return plans.told(desk, answer, N_("It stays open."), "closures.show")


def _all_of(desk: Desk) -> dict[str, Any]:
    """What is closed, now and later and before; and what can be closed."""
    where = desk.facility_id
    found = sorted(_found(desk, where), key=lambda each: each["starts_at"])
    now = datetime.now(ZoneInfo("UTC"))
    is_past = {each["id"]: datetime.fromisoformat(each["ends_at"]) <= now for each in found}
    return {
        "coming": [each for each in found if not is_past[each["id"]]],
        "over": [each for each in reversed(found) if is_past[each["id"]]],
        "closed": _called(desk, where),
    }


def _found(desk: Desk, facility_id: str) -> list[Any]:
    """A facility where nothing was ever planned is not known there, and nothing is closed."""
    try:
        return list(desk.api.every("list_closures", facility_id=facility_id)) if facility_id else []
    except Refused as error:
        if error.status != 404:
            raise
        return []


def _called(desk: Desk, facility_id: str) -> dict[str, str]:
    """What can be closed, by what the form sends for it."""
    names, words = desk.names, desk.words
    locations = {key: each for key, each in names.locations().items() if each["facility_id"] == facility_id}
    resources = {key: each for key, each in names.resources().items() if each["facility_id"] == facility_id}
    whole = words.say("The whole facility: %(name)s", name=names.called(names.facilities(), facility_id))
    return {
        "facility": whole,
        **{f"location {key}": str(each["name"]) for key, each in locations.items() if each["active"]},
        **{f"resource {key}": str(each["name"]) for key, each in resources.items() if each["active"]},
    }

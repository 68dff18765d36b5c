"""Facilities with their locations and departments: seen, added, changed, and taken out of use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from frontend.api import Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form
from frontend.names import Things
from frontend.sayings import N_
from frontend.zones import zones

area = Area("places", at="/places")


@dataclass(frozen=True)
class Kind:
    """What can be kept here. one: its name in operations. fields: those of its form."""

    one: str
    fields: tuple[str, ...]
    new: str
    change: str


KINDS: Final[Mapping[str, Kind]] = {
    "facilities": Kind("facility", ("name", "zone", "phone"), N_("New facility"), N_("Change the facility")),
    "locations": Kind("location", ("name", "zone"), N_("New location"), N_("Change the location")),
    "departments": Kind("department", ("name", "location_id"), N_("New department"), N_("Change the department")),
}


@area.get("", "facilities.read")
def show(desk: Desk) -> Any:
    """All of them on one page."""
    desk.names.forget()  # another process may have changed them
    names = desk.names
    return desk.page(
        "places/show.html", facilities=names.facilities(), locations=names.locations(), departments=names.departments()
    )


@area.get("/facilities/new", "facilities.manage")
def add_facility(desk: Desk) -> Any:
    """An empty form."""
    return desk.page("places/form.html", form=Form(), **_around(desk, "facilities"))


@area.post("/facilities/new", "facilities.manage")
def send_facility(desk: Desk) -> Any:
    """A new facility."""
    form = Form.sent(desk.form)
    try:
        made = create(desk, "facilities", form)
    except Refused as error:
        return desk.again("places/form.html", error, form=form, **_around(desk, "facilities"))
    return _done(desk, N_("%(name)s is added."), made)


@area.get("/facilities/<uuid:facility_id>/<any(locations, departments):kind>/new", "facilities.manage")
def add(desk: Desk, facility_id: str, kind: str) -> Any:
    """An empty form for a part of a facility."""
    return desk.page("places/form.html", form=Form(), **_around(desk, kind, facility_id=facility_id))


@area.post("/facilities/<uuid:facility_id>/<any(locations, departments):kind>/new", "facilities.manage")
def send_add(desk: Desk, facility_id: str, kind: str) -> Any:
    """A new location or department."""
    form = Form.sent(desk.form)
    try:
        made = create(desk, kind, form, facility_id=facility_id)
    except Refused as error:
        return desk.again("places/form.html", error, form=form, **_around(desk, kind, facility_id=facility_id))
    return _done(desk, N_("%(name)s is added."), made)


@area.get("/<any(facilities, locations, departments):kind>/<uuid:thing_id>", "facilities.manage")
def edit(desk: Desk, kind: str, thing_id: str) -> Any:
    """One of them as it is, to be changed."""
    thing = _found(desk, kind, thing_id)
    return desk.page("places/form.html", form=Form.of(thing), **_around(desk, kind, thing=thing))


@area.post("/<any(facilities, locations, departments):kind>/<uuid:thing_id>", "facilities.manage")
def send_edit(desk: Desk, kind: str, thing_id: str) -> Any:
    """A change, from the version that was seen."""
    form = Form.sent(desk.form)
    try:
        made = _update(desk, kind, thing_id, form.changed(KINDS[kind].fields))
    except Refused as error:
        thing = _found(desk, kind, thing_id)
        if error.status == 412:
            form.other, form.version = thing, thing["version"]
        return desk.again("places/form.html", error, form=form, **_around(desk, kind, thing=thing))
    return _done(desk, N_("The changes of %(name)s are saved."), made)


@area.post("/<any(facilities, locations, departments):kind>/<uuid:thing_id>/standing", "facilities.manage")
def set_standing(desk: Desk, kind: str, thing_id: str) -> Any:
    """Out of use, or back."""
    is_active = desk.form.get("active") == "true"
    try:
        made = _update(desk, kind, thing_id, {"active": is_active})
    except Refused as error:
        thing = _found(desk, kind, thing_id)
        return desk.again("places/form.html", error, form=Form.of(thing), **_around(desk, kind, thing=thing))
    return _done(desk, N_("%(name)s is in use again.") if is_active else N_("%(name)s is out of use."), made)


def create(desk: Desk, kind: str, form: Form, **more: str) -> Mapping[str, Any]:
    """A new one, as a form says it.

    Raises:  Refused.
    """
    body = {**form.picked(KINDS[kind].fields), **more}
    made: Mapping[str, Any] = desk.send(f"create_{KINDS[kind].one}", body=body).body
    desk.names.forget()
    return made


def _update(desk: Desk, kind: str, thing_id: str, body: Mapping[str, object]) -> Mapping[str, Any]:
    one = KINDS[kind].one
    path: dict[str, Any] = {f"{one}_id": thing_id}
    made: Mapping[str, Any] = desk.send(f"update_{one}", body=body, **path).body
    desk.names.forget()
    return made


def _found(desk: Desk, kind: str, thing_id: str) -> Mapping[str, Any]:
    one = KINDS[kind].one
    path: dict[str, Any] = {f"{one}_id": thing_id}
    found: Mapping[str, Any] = desk.api.call(f"get_{one}", **path).body
    return found


def _done(desk: Desk, text: str, made: Mapping[str, Any]) -> Any:
    desk.said(text, name=made["name"])
    return desk.go("places.show")


def _around(
    desk: Desk, kind: str, *, facility_id: str | None = None, thing: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What a form shows besides its fields."""
    owner = facility_id or (thing or {}).get("facility_id", "")
    locations: Things = {key: each for key, each in desk.names.locations().items() if each["facility_id"] == owner}
    title = KINDS[kind].change if thing else KINDS[kind].new
    return {
        "kind": kind,
        "thing": thing,
        "title": desk.words.gettext(title),
        "facility": desk.names.facilities().get(owner),
        "locations": locations,
        "zones": zones(desk.words.language),
    }

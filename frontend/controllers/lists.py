"""The lists that the house keeps: specializations, kinds of appointment, and rooms and devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers.doctors import choosable, named
from frontend.desk import Desk
from frontend.forms import Form, Wrong
from frontend.names import Things
from frontend.versions import STALE, Show, differing, plain

area = Area("lists", at="/lists")
Body = Callable[[Form], dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """One list. name: of its pages; thing: in the names of operations, and its key in addresses.

    new, change: what a form says, as the API takes it. fields: labels for two versions.
    """

    name: str
    thing: str
    key: str
    things: Callable[[Desk], Things]
    new: Body
    change: Body
    fields: Callable[[Desk], dict[str, tuple[str, Show]]]

    def at(self, thing_id: str) -> dict[str, Any]:
        """Which thing is meant, as operations name it."""
        return {self.key: thing_id}


def _named_only(form: Form) -> dict[str, Any]:
    return {"name": form.value("name").strip()}


def _type(form: Form) -> dict[str, Any]:
    minutes = form.number("minutes")
    return {
        "name": form.value("name").strip(),
        **({} if minutes is None else {"minutes": minutes}),
        **form.picked(["color", "audience"]),
        "preparation": form.text("preparation"),
        "specialization_ids": form.many("specialization_ids"),
    }


def _new_resource(form: Form) -> dict[str, Any]:
    return {**_resource(form), **form.picked(["kind", "facility_id"])}


def _resource(form: Form) -> dict[str, Any]:
    return {"name": form.value("name").strip(), "location_id": form.text("location_id")}


def _type_fields(desk: Desk) -> dict[str, tuple[str, Show]]:
    return {
        "name": (desk.words.say("Name"), plain),
        "minutes": (desk.words.say("Minutes"), plain),
        "color": (desk.words.say("Colour"), plain),
        "audience": (desk.words.say("Who may book it"), plain),
        "preparation": (desk.words.say("What patients read before they come"), plain),
        "specialization_ids": (desk.words.say("Specializations"), named(desk.names.specializations())),
    }


SPECIALIZATIONS: Final = Kind(
    name="specializations",
    thing="specialization",
    key="specialization_id",
    things=lambda desk: desk.names.specializations(),
    new=_named_only,
    change=_named_only,
    fields=lambda desk: {"name": (desk.words.say("Name"), plain)},
)
TYPES: Final = Kind(
    name="types",
    thing="appointment_type",
    key="type_id",
    things=lambda desk: desk.names.types(),
    new=_type,
    change=_type,
    fields=_type_fields,
)
RESOURCES: Final = Kind(
    name="resources",
    thing="resource",
    key="resource_id",
    things=lambda desk: desk.names.resources(),
    new=_new_resource,
    change=_resource,
    fields=lambda desk: {
        "name": (desk.words.say("Name"), plain),
        "location_id": (desk.words.say("Place"), named(desk.names.locations())),
    },
)


@area.get("/specializations", "doctors.read")
def specializations(desk: Desk) -> Any:
    """Fields in which doctors work."""
    return _list(desk, SPECIALIZATIONS)


@area.post("/specializations", "specializations.manage")
def add_specialization(desk: Desk) -> Any:
    """One more."""
    return _add(desk, SPECIALIZATIONS)


@area.get("/specializations/<uuid:thing_id>", "specializations.manage")
def specialization(desk: Desk, thing_id: str) -> Any:
    """One, to be changed."""
    return _edit(desk, SPECIALIZATIONS, thing_id)


@area.post("/specializations/<uuid:thing_id>", "specializations.manage")
def change_specialization(desk: Desk, thing_id: str) -> Any:
    """Another name."""
    return _change(desk, SPECIALIZATIONS, thing_id)


@area.post("/specializations/<uuid:thing_id>/use", "specializations.manage")
def use_specialization(desk: Desk, thing_id: str) -> Any:
    """Out of use, or in use again."""
    return _use(desk, SPECIALIZATIONS, thing_id)


@area.post("/specializations/<uuid:thing_id>/delete", "specializations.manage")
def delete_specialization(desk: Desk, thing_id: str) -> Any:
    """For good, where nobody has it."""
    try:
        desk.send("delete_specialization", specialization_id=thing_id)
    except Refused as error:
        return _refused(desk, SPECIALIZATIONS, thing_id, error)
    desk.names.forget()
    desk.said("The specialization is deleted.")
    return desk.go("lists.specializations")


@area.get("/types", "doctors.read")
def types(desk: Desk) -> Any:
    """Kinds of appointment."""
    return _list(desk, TYPES)


@area.post("/types", "appointment_types.manage")
def add_type(desk: Desk) -> Any:
    """One more."""
    return _add(desk, TYPES)


@area.get("/types/<uuid:thing_id>", "appointment_types.manage")
def type_(desk: Desk, thing_id: str) -> Any:
    """One, to be changed."""
    return _edit(desk, TYPES, thing_id)


@area.post("/types/<uuid:thing_id>", "appointment_types.manage")
def change_type(desk: Desk, thing_id: str) -> Any:
    """Other words, another length, another colour."""
    return _change(desk, TYPES, thing_id)


@area.post("/types/<uuid:thing_id>/use", "appointment_types.manage")
def use_type(desk: Desk, thing_id: str) -> Any:
    """Out of use, or in use again."""
    return _use(desk, TYPES, thing_id)


@area.get("/rooms", "doctors.read")
def resources(desk: Desk) -> Any:
    """Rooms and devices."""
    return _list(desk, RESOURCES)


@area.post("/rooms", "resources.manage")
def add_resource(desk: Desk) -> Any:
    """One more."""
    return _add(desk, RESOURCES)


@area.get("/rooms/<uuid:thing_id>", "resources.manage")
def resource(desk: Desk, thing_id: str) -> Any:
    """One, to be changed."""
    return _edit(desk, RESOURCES, thing_id)


@area.post("/rooms/<uuid:thing_id>", "resources.manage")
def change_resource(desk: Desk, thing_id: str) -> Any:
    """Another name or place."""
    return _change(desk, RESOURCES, thing_id)


@area.post("/rooms/<uuid:thing_id>/use", "resources.manage")
def use_resource(desk: Desk, thing_id: str) -> Any:
    """Out of use, or in use again."""
    return _use(desk, RESOURCES, thing_id)


def _list(desk: Desk, kind: Kind) -> Any:
    return desk.page(f"lists/{kind.name}.html", form=_empty(desk), **_shown(desk, kind))


def _add(desk: Desk, kind: Kind) -> Any:
    form = Form.sent(desk.form)
    try:
        made = desk.send(f"create_{kind.thing}", body=kind.new(form)).body
    except (Refused, Wrong) as error:
        return desk.again(f"lists/{kind.name}.html", error, form=form, **_shown(desk, kind))
    desk.names.forget()
    desk.said("%(name)s is in the list.", name=made["name"])
    return desk.go(f"lists.{kind.name}")


def _edit(desk: Desk, kind: Kind, thing_id: str) -> Any:
    thing = _one(desk, kind, thing_id)
    form = desk.drafted(Form.of(thing, name=f"{kind.name}.{thing_id}"))
    return desk.page("lists/edit.html", form=form, thing=thing, both=(), **_shown(desk, kind, thing))


def _change(desk: Desk, kind: Kind, thing_id: str) -> Any:
    form = Form.sent(desk.form, name=f"{kind.name}.{thing_id}")
    try:
        made = desk.send(f"update_{kind.thing}", body=kind.change(form), **kind.at(thing_id)).body
    except (Refused, Wrong) as error:
        thing = _one(desk, kind, thing_id)
        both: Sequence[Any] = ()
        if isinstance(error, Refused) and error.status == 412:
            form.version, both = thing["version"], differing(form, Form.of(thing), kind.fields(desk))
        return desk.again("lists/edit.html", error, form=form, thing=thing, both=both, **_shown(desk, kind, thing))
    desk.names.forget()
    desk.drop_draft(form.name)
    desk.said("%(name)s is changed.", name=made["name"])
    return desk.go(f"lists.{kind.name}")


def _use(desk: Desk, kind: Kind, thing_id: str) -> Any:
    is_active = desk.form.get("active") == "true"
    try:
        made = desk.send(f"update_{kind.thing}", body={"active": is_active}, **kind.at(thing_id)).body
    except Refused as error:
        return _refused(desk, kind, thing_id, error)
    desk.names.forget()
    desk.said("%(name)s is in use again." if is_active else "%(name)s is out of use.", name=made["name"])
    return desk.go(f"lists.{kind.name}")


def _refused(desk: Desk, kind: Kind, thing_id: str, error: Refused) -> Any:
    """One button was refused: the thing as it is now."""
    thing = _one(desk, kind, thing_id)
    form = Form.of(thing)
    form.take(error, desk.words)
    if error.status == 412:
        form.problem = desk.words.say(STALE)
    values = {"thing": thing, "both": (), **_shown(desk, kind, thing)}
    return desk.page("lists/edit.html", status=error.status, form=form, **values)


def _one(desk: Desk, kind: Kind, thing_id: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = desk.api.call(f"get_{kind.thing}", **kind.at(thing_id)).body
    return found


def _empty(desk: Desk) -> Form:
    """A form with what is chosen most often."""
    form = Form()
    form.values.update({"color": "#2f6fab", "audience": "everyone", "minutes": "30", "kind": "room"})
    if desk.facility:
        form.values["facility_id"] = str(desk.facility["id"])
    return form


def _shown(desk: Desk, kind: Kind, thing: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The list by name, what is in use first; and what its forms let choose."""
    names, where = desk.names, thing.get("facility_id") if thing else None
    rows = sorted(kind.things(desk).values(), key=lambda each: (not each["active"], str(each["name"]).casefold()))
    places = {key: each for key, each in names.locations().items() if where in {None, each["facility_id"]}}
    location = thing.get("location_id") if thing else None
    held = thing.get("specialization_ids", ()) if thing else ()
    return {
        "kind": kind.name,
        "rows": rows,
        "specializations": choosable(names.specializations(), held),
        "facilities": choosable(names.facilities()),
        "locations": choosable(places, [location] if location else ()),
    }

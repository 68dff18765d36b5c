"""Roles: what each of them may do, in words; those of the house's own; and which groups of a provider give which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from frontend.api import Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form
from frontend.rights import AREAS, RIGHTS, ROLES, grouped
from frontend.sayings import N_

area = Area("roles", at="/roles")
Roles = Sequence[Mapping[str, Any]]
_FIELDS: Final = ("title", "description")
_FIRST: Final = ("account.open", "account.own")
"""Without these nobody could sign out."""


@area.get("", "roles.read")
def list_all(desk: Desk) -> Any:
    """All of them, those of the house first."""
    found = sorted(roles(desk), key=lambda each: not each["own"])
    return desk.page("roles/list.html", roles=found, titles=titles(desk, found), words=_words(desk, found))


@area.get("/new", "roles.manage", "roles.read")
def create(desk: Desk) -> Any:
    """An empty form, or one that begins with what another role may do."""
    form = Form(name="roles.new")
    other = next((each for each in roles(desk) if each["name"] == desk.query.get("like")), None)
    form.values.setlist("permissions", other["permissions"] if other else list(_FIRST))
    form = form if other else desk.drafted(form)
    return desk.page("roles/form.html", form=form, role=None, **_choices(desk))


@area.post("/new", "roles.manage", "roles.read")
def send_create(desk: Desk) -> Any:
    """A new role."""
    form = Form.sent(desk.form)
    body = {**form.picked(["name", *_FIELDS]), **_chosen(form)}
    try:
        made = desk.send("create_role", body=body).body
    except Refused as error:
        return desk.again("roles/form.html", error, form=form, role=None, **_choices(desk))
    desk.drop_draft("roles.new")
    desk.said("The role %(title)s is made. Give it to people on their page.", title=made["title"])
    return desk.go("roles.show", role_name=made["name"])


@area.get("/groups", "roles.read")
def groups(desk: Desk) -> Any:
    """Which roles somebody has who comes by a provider, by the groups that it names."""
    table = desk.api.call("get_group_roles").body
    form = Form(version=table["version"])
    for index, entry in enumerate(table["entries"]):
        form.values[f"entries.{index}.group"] = entry["group"]
        form.values.setlist(f"entries.{index}.roles", entry["roles"])
    return desk.page("roles/groups.html", form=form, **_given(desk))


@area.post("/groups", "roles.assign", "roles.read")
def send_groups(desk: Desk) -> Any:
    """The whole table anew."""
    form = Form.sent(desk.form)
    if form.is_on("more"):
        form.key = desk.new_key()
        return desk.page("roles/groups.html", form=form, **_given(desk))
    rows = [(form.text(f"entries.{at}.group"), form.many(f"entries.{at}.roles")) for at in range(form.count("entries"))]
    entries = [{"group": group, "roles": names} for group, names in rows if group]
    try:
        desk.send("set_group_roles", body={"entries": entries})
    except Refused as error:
        if error.status == 412:
            table = desk.api.call("get_group_roles").body
            form.version, form.other = table["version"], table
        return desk.again("roles/groups.html", error, form=form, **_given(desk))
    desk.said("The table is saved. It holds for each person at the next sign-in.")
    return desk.go("roles.groups")


@area.get("/<role_name>", "roles.read")
def show(desk: Desk, role_name: str) -> Any:
    """One role, with everything that it may do."""
    return desk.page("roles/show.html", form=Form(), **_role(desk, role_name))


@area.get("/<role_name>/edit", "roles.manage", "roles.read")
def edit(desk: Desk, role_name: str) -> Any:
    """A role of the house's own, to be changed."""
    role = desk.api.call("get_role", role_name=role_name).body
    form = desk.drafted(Form.of(role, name=_draft(role_name, role["version"])))
    return desk.page("roles/form.html", form=form, role=role, **_choices(desk))


@area.post("/<role_name>/edit", "roles.manage", "roles.read")
def send_edit(desk: Desk, role_name: str) -> Any:
    """A change, from the version that was seen."""
    form = Form.sent(desk.form)
    try:
        desk.send("update_role", body={**form.changed(_FIELDS), **_chosen(form)}, role_name=role_name)
    except Refused as error:
        role = desk.api.call("get_role", role_name=role_name).body
        if error.status == 412:
            form.other, form.version = role, role["version"]
        return desk.again("roles/form.html", error, form=form, role=role, **_choices(desk))
    desk.drop_draft(_draft(role_name, form.version))
    desk.said("The role is changed. It holds everywhere within two seconds.")
    return desk.go("roles.show", role_name=role_name)


@area.post("/<role_name>/second-factor", "roles.manage")
def set_second_factor(desk: Desk, role_name: str) -> Any:
    """Whether whoever holds the role has to show a second factor."""
    wants = desk.form.get("requires_second_factor") == "true"
    try:
        desk.send("update_role", body={"requires_second_factor": wants}, role_name=role_name)
    except Refused as error:
        return desk.again("roles/show.html", error, form=Form(), **_role(desk, role_name))
    on, off = N_("From now on this role wants a second factor."), N_("This role wants no second factor any more.")
    desk.said(on if wants else off)
    return desk.go("roles.show", role_name=role_name)


@area.post("/<role_name>/delete", "roles.manage")
def delete(desk: Desk, role_name: str) -> Any:
    """Away with it, when nobody holds it."""
    try:
        desk.send("delete_role", role_name=role_name)
    except Refused as error:
        return desk.again("roles/show.html", error, form=Form(), **_role(desk, role_name))
    desk.said("The role is deleted.")
    return desk.go("roles.list_all")


def roles(desk: Desk) -> Roles:
    """All roles, for whoever may see them."""
    found: Roles = desk.api.call("list_roles").body["items"] if desk.may("roles.read") else []
    return found


def titles(desk: Desk, found: Roles | None = None) -> Mapping[str, tuple[str, str]]:
    """Title and description by the name of a role: those of the system in the language of the page."""
    made = {name: (desk.words.gettext(title), desk.words.gettext(text)) for name, (title, text) in ROLES.items()}
    own = {each["name"]: (each["title"], each["description"]) for each in found or roles(desk) if each["own"]}
    return {**made, **own}


def _role(desk: Desk, role_name: str) -> dict[str, Any]:
    role = desk.api.call("get_role", role_name=role_name).body
    return {"role": role, "titles": titles(desk, [role]), "groups": grouped(role["permissions"]), **_said(desk)}


def _draft(role_name: str, version: int | None) -> str:
    """What was typed from another version is not gone on with."""
    return f"roles.{role_name}.{version}"


def _choices(desk: Desk) -> dict[str, Any]:
    """Every permission that this person could put into a role."""
    names = [each["name"] for each in desk.api.call("list_permissions").body["items"]]
    return {"groups": grouped(names), "held": set(desk.person.get("permissions", ())), **_said(desk)}


def _given(desk: Desk) -> dict[str, Any]:
    found = [each for each in roles(desk) if each["assignable"] and each["name"] != "super_admin"]
    names = titles(desk, found)
    return {"options": [(each["name"], names[each["name"]][0]) for each in found], "titles": names}


def _said(desk: Desk) -> dict[str, Any]:
    """Permissions and their areas in words."""
    say = desk.words.gettext
    return {
        "rights": {name: say(text) for name, text in RIGHTS.items()},
        "areas": {name: say(text) for name, text in AREAS.items()},
    }


def _words(desk: Desk, found: Roles) -> Mapping[str, str]:
    """By role, the areas in which it may do anything."""
    names = _said(desk)["areas"]
    return {each["name"]: ", ".join(names.get(key, key) for key, _ in grouped(each["permissions"])) for each in found}


def _chosen(form: Form) -> dict[str, Any]:
    return {"permissions": form.many("permissions"), "requires_second_factor": form.is_on("requires_second_factor")}

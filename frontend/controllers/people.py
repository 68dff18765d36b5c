"""Accounts of people: found, made, changed, closed and opened again; their roles, passwords, sessions and waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers.roles import Roles, roles, titles
from frontend.desk import Desk
from frontend.forms import Form
from frontend.names import active
from frontend.sayings import N_

area = Area("people", at="/people")
ONCE: Final = "once"
_SHOWN: Final = 100
_ACTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "disable": ("disable_user", N_("The account is closed. Nobody is signed in with it any more.")),
    "enable": ("enable_user", N_("The account is open again, with the roles that it had.")),
    "end-sessions": ("end_user_sessions", N_("Every session of the account is ended.")),
    "second-factor": ("reset_second_factor", N_("The second factor is taken away, and every session is ended.")),
}


@area.get("", "users.read")
def list_all(desk: Desk) -> Any:
    """The first of them."""
    form = Form()
    form.values["standing"] = "active"
    form.values["role"] = desk.query.get("role", "")
    return desk.page("people/list.html", form=form, **_found(desk, form))


@area.post("/find", "users.read")
def find(desk: Desk) -> Any:
    """Those that fit: no name stands in an address."""
    form = Form.sent(desk.form)
    template = "people/list.html"
    if desk.is_part:
        template = "people/_rows.html" if form.text("cursor") else "people/_found.html"
    return desk.page(template, form=form, **_found(desk, form))


@area.get("/new", "users.manage", "roles.assign", "roles.read")
def create(desk: Desk) -> Any:
    """An empty form."""
    return desk.page("people/create.html", form=desk.drafted(Form(name="people.create")), **_choices(desk))


@area.post("/new", "users.manage", "roles.assign", "roles.read")
def send_create(desk: Desk) -> Any:
    """A new account; its one-time password is on the next page, and nowhere after that."""
    form = Form.sent(desk.form)
    body: dict[str, Any] = {**form.picked(["username", "display_name", "email"]), **assignment(form)}
    try:
        made = desk.send("create_user", body=body).body
    except Refused as error:
        return desk.again("people/create.html", beside(error, form), form=form, **_choices(desk))
    desk.names.forget()
    desk.drop_draft("people.create")
    return _once(desk, made)


@area.get("/password", "users.manage")
def show_password(desk: Desk) -> Any:
    """A one-time password, once."""
    once = desk.session.pop(ONCE)
    if not once or once.get("kind") != "password":
        return desk.go("people.list_all")
    return desk.page("people/password.html", once=once, is_first_run=desk.session.get("first_run") == "on")


@area.get("/waits", "sign_ins.unlock")
def waits(desk: Desk) -> Any:
    """Whatever has to wait after wrong passwords and codes."""
    counters = desk.api.call("list_sign_in_counters").body["items"]
    accounts = desk.names.accounts() if desk.may("users.read") else {}
    return desk.page("people/waits.html", counters=counters, accounts=accounts)


@area.post("/waits", "sign_ins.unlock")
def lift(desk: Desk) -> Any:
    """One of them waits no more."""
    desk.send("clear_sign_in_counter", counter_id=desk.form.get("counter_id", ""))
    desk.said("The wait is lifted. The next try counts from one.")
    back = desk.form.get("user_id")
    return desk.go("people.show", user_id=back) if back else desk.go("people.waits")


@area.get("/<uuid:user_id>", "users.read")
def show(desk: Desk, user_id: str) -> Any:
    """One account."""
    return desk.page("people/show.html", form=Form(), **_account(desk, user_id))


@area.get("/<uuid:user_id>/edit", "users.manage")
def edit(desk: Desk, user_id: str) -> Any:
    """Name and mail, to be changed."""
    user = _user(desk, user_id)
    return desk.page("people/edit.html", form=Form.of(user), user=user)


@area.post("/<uuid:user_id>/edit", "users.manage")
def send_edit(desk: Desk, user_id: str) -> Any:
    """A change, from the version that was seen."""
    form = Form.sent(desk.form)
    try:
        desk.send("update_user", body=form.changed(["display_name", "email"]), user_id=user_id)
    except Refused as error:
        user = _user(desk, user_id)
        if error.status == 412:
            form.other, form.version = user, user["version"]
        return desk.again("people/edit.html", error, form=form, user=user)
    return _done(desk, user_id, N_("The changes are saved."))


@area.get("/<uuid:user_id>/roles", "roles.assign", "users.read", "roles.read")
def assign(desk: Desk, user_id: str) -> Any:
    """What somebody is here, and where."""
    user = _user(desk, user_id)
    form = Form(version=user["version"])
    form.values.setlist("roles", user["roles"])
    for each in user["areas"]:  # departments bring their facilities along
        name = "departments" if each["departments"] else "facilities"
        form.values.setlist(f"{name}.{each['role']}", each[name])
    return desk.page("people/roles.html", form=form, user=user, **_choices(desk))


@area.post("/<uuid:user_id>/roles", "roles.assign", "users.read", "roles.read")
def send_assign(desk: Desk, user_id: str) -> Any:
    """Exactly these roles from now on."""
    form = Form.sent(desk.form)
    try:
        desk.send("assign_roles", body=assignment(form), user_id=user_id)
    except Refused as error:
        user = _user(desk, user_id)
        if error.status == 412:
            form.other, form.version = user, user["version"]
        return desk.again("people/roles.html", beside(error, form), form=form, user=user, **_choices(desk))
    return _done(desk, user_id, N_("The roles are given. They hold everywhere within two seconds."))


@area.post("/<uuid:user_id>/one-time-password", "users.manage")
def reset_password(desk: Desk, user_id: str) -> Any:
    """A new one-time password; every session of the account ends."""
    try:
        made = desk.send("reset_password", user_id=user_id).body
    except Refused as error:
        return desk.again("people/show.html", error, form=Form(), **_account(desk, user_id))
    return _once(desk, made)


@area.post("/<uuid:user_id>/<any('disable', 'enable', 'end-sessions', 'second-factor'):what>", "users.manage")
def act(desk: Desk, user_id: str, what: str) -> Any:
    """Close, open again, sign out, or take a lost second factor."""
    operation, text = _ACTIONS[what]
    try:
        desk.send(operation, user_id=user_id)
    except Refused as error:
        return desk.again("people/show.html", error, form=Form(), **_account(desk, user_id))
    return _done(desk, user_id, text)


def _found(desk: Desk, form: Form) -> dict[str, Any]:
    """Accounts of a role and a standing, in pages; those whose name holds a text, out of all."""
    query: dict[str, object] = {"role": form.text("role")}
    if form.text("standing"):
        query["active"] = "true" if form.text("standing") == "active" else "false"
    text = (form.text("text") or "").casefold()
    if text:
        found = desk.api.every("list_users", query=query)
        fitting = [each for each in found if each["kind"] == "person" and _holds(each, text)]
        page: dict[str, Any] = {"items": fitting[:_SHOWN], "next_cursor": None}
    else:
        page = desk.api.call("list_users", query={**query, "limit": 50, "cursor": form.text("cursor")}).body
    page = {
        **page,
        "items": [each for each in page["items"] if each["kind"] == "person"],
    }  # programs have their own page
    named = titles(desk)
    return {"page": page, "titles": named, "role_choices": _role_choices(named)}


def _role_choices(named: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, title) for name, (title, _) in named.items() if name not in {"service", "first_sign_in"}]


def _holds(user: Mapping[str, Any], text: str) -> bool:
    return any(text in str(user[name] or "").casefold() for name in ("display_name", "username", "email"))


def _user(desk: Desk, user_id: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = desk.api.call("get_user", user_id=user_id).body
    return found


def _account(desk: Desk, user_id: str) -> dict[str, Any]:
    counters = []
    if desk.may("sign_ins.unlock"):
        counters = desk.api.call("list_sign_in_counters", query={"user_id": user_id}).body["items"]
    return {
        "user": _user(desk, user_id),
        "counters": counters,
        "titles": titles(desk),
        "facilities": desk.names.facilities(),
        "departments": desk.names.departments(),
    }


def _choices(desk: Desk) -> dict[str, Any]:
    """Roles that people can be given, and places where they can hold."""
    found: Roles = [each for each in roles(desk) if each["assignable"]]
    if "super_admin" not in desk.person.get("roles", ()):
        found = [each for each in found if each["name"] != "super_admin"]
    facilities = desk.facilities
    departments = active(desk.names.departments())
    return {"roles": found, "titles": titles(desk, found), "facilities": facilities, "departments": departments}


def assignment(form: Form) -> dict[str, Any]:
    """Of a form, roles with the places to which each is narrowed; one without any holds everywhere."""
    chosen = form.many("roles")
    areas = []
    for role in chosen:
        places = {name: form.many(f"{name}.{role}") for name in ("facilities", "departments")}
        if any(places.values()):
            areas.append({"role": role, **{name: ids for name, ids in places.items() if ids}})
    return {"roles": chosen, **({"areas": areas} if areas else {})}


def beside(error: Refused, form: Form) -> Refused:
    """An error of an area belongs to the boxes of its role: the API counts areas, the form names them."""
    areas = assignment(form).get("areas", [])

    def named(pointer: str) -> str:
        parts = pointer.split("/")
        is_area = parts[1:2] == ["areas"] and len(parts) > 3 and int(parts[2]) < len(areas)
        return f"/{parts[3]}.{areas[int(parts[2])]['role']}" if is_area else pointer

    moved = [{**each, "pointer": named(str(each.get("pointer") or ""))} for each in error.errors]
    return replace(error, errors=moved)


def _once(desk: Desk, made: Mapping[str, Any]) -> Any:
    """To the page that shows a password once; a form that came twice has none to show."""
    if made["one_time_password"] is None:
        desk.said("The password was shown when this was sent first. Give a new one if nobody has it.", "warning")
        return desk.go("people.show", user_id=made["id"])
    named = {name: made[name] for name in ("id", "username", "display_name")}
    desk.session.set(ONCE, {"kind": "password", "password": made["one_time_password"], **named})
    return desk.go("people.show_password")


def _done(desk: Desk, user_id: str, text: str) -> Any:
    desk.names.forget()
    desk.said(text)
    return desk.go("people.show", user_id=user_id)

"""Programs: accounts of other software with their keys, and the keys that sign every token of the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers.roles import roles, titles
from frontend.desk import Desk
from frontend.forms import Form, Wrong

area = Area("programs", at="/programs")
ONCE: Final = "once"
_DAYS: Final = "90"


@area.get("", "service_accounts.manage")
def list_all(desk: Desk) -> Any:
    """All of them, by name; the parts of the house itself are none."""
    found = sorted(desk.api.every("list_service_accounts"), key=lambda each: str(each["display_name"]).casefold())
    return desk.page("programs/list.html", programs=found, titles=titles(desk))


@area.get("/new", "service_accounts.manage")
def create(desk: Desk) -> Any:
    """An empty form."""
    return desk.page("programs/create.html", form=Form(), options=_options(desk))


@area.post("/new", "service_accounts.manage")
def send_create(desk: Desk) -> Any:
    """A new account of a program."""
    form = Form.sent(desk.form)
    body = {**form.picked(["client_id", "display_name"]), "roles": form.many("roles")}
    try:
        made = desk.send("create_service_account", body=body).body
    except Refused as error:
        return desk.again("programs/create.html", error, form=form, options=_options(desk))
    desk.names.forget()
    desk.said("%(name)s is made. Now make a key for it.", name=made["display_name"])
    return desk.go("programs.show", account_id=made["id"])


@area.get("/secret", "service_accounts.manage")
def show_secret(desk: Desk) -> Any:
    """The secret of a key, once."""
    once = desk.session.pop(ONCE)
    if not once or once.get("kind") != "secret":
        return desk.go("programs.list_all")
    return desk.page("programs/secret.html", once=once)


@area.get("/signing-keys", "keys.rotate")
def signing_keys(desk: Desk) -> Any:
    """The keys under every token, newest first."""
    return desk.page("programs/signing_keys.html", form=Form(), keys=_signing_keys(desk))


@area.post("/signing-keys", "keys.rotate")
def rotate(desk: Desk) -> Any:
    """A new one, which signs in a minute and a half."""
    try:
        desk.send("rotate_signing_key")
    except Refused as error:
        return desk.again("programs/signing_keys.html", error, form=Form(), keys=_signing_keys(desk))
    desk.said("A new key is on its way. It signs in a minute and a half; nobody has to do anything.")
    return desk.go("programs.signing_keys")


@area.post("/signing-keys/<kid>/withdraw", "keys.rotate")
def withdraw(desk: Desk, kid: str) -> Any:
    """For a key that somebody else may have."""
    try:
        desk.send("withdraw_signing_key", kid=kid)
    except Refused as error:
        return desk.again("programs/signing_keys.html", error, form=Form(), keys=_signing_keys(desk))
    desk.said("The key is withdrawn. What it signed is refused; sessions go on with another key.")
    return desk.go("programs.signing_keys")


@area.get("/<uuid:account_id>", "service_accounts.manage")
def show(desk: Desk, account_id: str) -> Any:
    """One program with its keys."""
    form = Form()
    form.values["days"] = _DAYS
    return desk.page("programs/show.html", form=form, **_program(desk, account_id))


@area.post("/<uuid:account_id>/keys", "service_accounts.manage")
def add_key(desk: Desk, account_id: str) -> Any:
    """A new key; its secret is on the next page, and nowhere after that."""
    form = Form.sent(desk.form)
    try:
        body = {"label": form.value("label"), "days": form.number("days")}
        made = desk.send("add_service_key", body=body, service_account_id=account_id).body
    except (Refused, Wrong) as error:
        return desk.again("programs/show.html", error, form=form, **_program(desk, account_id))
    if made["secret"] is None:
        desk.said("The secret was shown when this was sent first. Take the key back and make another.", "warning")
        return desk.go("programs.show", account_id=account_id)
    program = _account(desk, account_id)
    once = {"kind": "secret", "secret": made["secret"], "label": made["label"], "expires_at": made["expires_at"]}
    desk.session.set(ONCE, {**once, "id": account_id, "client_id": program.get("username", "")})
    return desk.go("programs.show_secret")


@area.post("/<uuid:account_id>/keys/<uuid:key_id>/revoke", "service_accounts.manage")
def revoke_key(desk: Desk, account_id: str, key_id: str) -> Any:
    """It opens nothing any more."""
    try:
        desk.send("revoke_service_key", service_account_id=account_id, key_id=key_id)
    except Refused as error:
        return desk.again("programs/show.html", error, form=Form(), **_program(desk, account_id))
    desk.said("The key is taken back.")
    return desk.go("programs.show", account_id=account_id)


def _options(desk: Desk) -> list[tuple[str, str]]:
    """Roles that a program can be given: what one holds oneself is for the API to say."""
    found = [each for each in roles(desk) if each["assignable"] and each["name"] != "super_admin"]
    named = titles(desk, found)
    return [(each["name"], named[each["name"]][0]) for each in found]


def _program(desk: Desk, account_id: str) -> dict[str, Any]:
    keys = desk.api.call("list_service_keys", service_account_id=account_id).body["items"]
    users = desk.called(each["made_by"] for each in keys)
    return {"program": _account(desk, account_id), "keys": keys, "titles": titles(desk), "users": users}


def _account(desk: Desk, account_id: str) -> Mapping[str, Any]:
    """One of the list: the contract has no other way to ask for it."""
    found = (each for each in desk.api.every("list_service_accounts") if each["id"] == account_id)
    return next(found, {"id": account_id, "username": "", "display_name": "", "roles": [], "active": False})


def _signing_keys(desk: Desk) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = desk.api.call("list_signing_keys").body["items"]
    return found

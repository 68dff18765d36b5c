"""One's own account: password, second factor, sessions, and how the pages look."""

from __future__ import annotations

from typing import Any

import flask

from frontend.api import Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form, Wrong
from frontend.shield import is_ours
from frontend.words import LANGUAGES

area = Area("account", at="/account")
_THEMES = {"light", "dark", "auto"}


@area.get("")
def show(desk: Desk) -> Any:
    """All of it on one page."""
    account = desk.api.call("get_own_account").body
    sessions = desk.api.call("list_own_sessions").body["items"] if desk.may("account.own") else []
    return desk.page("account/show.html", account=account, sessions=sessions)


@area.get("/password")
def password(desk: Desk) -> Any:
    """A form for another password."""
    return desk.page("account/password.html", form=Form(), is_first=bool(desk.person.get("must_change_password")))


@area.post("/password")
def send_password(desk: Desk) -> Any:
    """A password of one's own."""
    form = Form.sent(desk.form)
    is_first = bool(desk.person.get("must_change_password"))
    body = {"current_password": form.value("current_password"), "new_password": form.value("new_password")}
    if form.value("new_password") != form.value("repeated"):
        return desk.again("account/password.html", Wrong({"repeated": "unequal"}), form=form, is_first=is_first)
    try:
        desk.api.call("change_own_password", body=body, within_s=5)
    except Refused as error:
        return desk.again("account/password.html", error, form=form, is_first=is_first)
    desk.session.set("person_at", 0)
    desk.said("The password is changed.")
    return desk.go("home.show" if is_first else "account.show")


@area.post("/language", is_open=True)
def choose_language(desk: Desk) -> Any:
    """Another language from now on."""
    language = desk.form.get("language", "")
    if language in LANGUAGES:
        desk.session.set("language", language)
    return _back(desk)


@area.post("/theme", is_open=True)
def choose_theme(desk: Desk) -> Any:
    """Light or dark."""
    theme = desk.form.get("theme", "")
    if theme in _THEMES:
        desk.session.set("theme", theme)
    return _back(desk)


@area.post("/facility", "facilities.read")
def choose_facility(desk: Desk) -> Any:
    """Where one works now."""
    chosen = desk.form.get("facility", "")
    if chosen in desk.names.facilities():
        desk.session.set("facility", chosen)
    return _back(desk)


def _back(desk: Desk) -> Any:
    """To the page that one came from, which the form has named."""
    back = desk.form.get("back", "")
    return flask.redirect(back, code=303) if is_ours(back) else desk.go("home.show")

"""One's own account: password, second factor, sessions, records, and how the pages look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import segno

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers.step import ask
from frontend.desk import Desk
from frontend.forms import Form, Wrong
from frontend.words import LANGUAGES

area = Area("account", at="/account")
_THEMES = {"light", "dark", "auto"}
_SECRET: Final = "factor"  # noqa: S105 - in the session: what the device is to be told, until it has answered
_SLOW_S: Final = 5
"""A password is checked slowly, on purpose."""


@area.get("")
def show(desk: Desk) -> Any:
    """All of it on one page."""
    account = desk.api.call("get_own_account").body
    sessions = desk.api.call("list_own_sessions").body["items"] if desk.may("account.own") else []
    records = desk.names.patients(each["patient_id"] for each in account["links"])
    return desk.page("account/show.html", account=account, sessions=sessions, records=records, form=Form())


# ---- password --------------------------------------------------------------------------------------------------------


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
        desk.api.call("change_own_password", body=body, within_s=_SLOW_S)
    except Refused as error:
        return desk.again("account/password.html", error, form=form, is_first=is_first)
    desk.ask_anew()
    desk.said("The password is changed.")
    return desk.go("home.show" if is_first else "account.show")


# ---- second factor ---------------------------------------------------------------------------------------------------


@area.get("/second-factor")
def second_factor(desk: Desk) -> Any:
    """The next step: show it, tell the device its secret, or begin with the password."""
    if desk.person.get("second_factor"):
        return ask(desk) if desk.owed else desk.go("account.show")
    secret = _secret(desk)
    if secret:
        return desk.page("account/enrol.html", form=Form(), **_for_device(secret))
    return desk.page("account/factor.html", form=Form())


@area.post("/second-factor/start")
def start_factor(desk: Desk) -> Any:
    """A secret for the device."""
    form = Form.sent(desk.form)
    try:
        body = {"current_password": form.value("current_password")}
        given = desk.api.call("start_second_factor", body=body, within_s=_SLOW_S).body
    except Refused as error:
        return desk.again("account/factor.html", error, form=form)
    desk.session.set(_SECRET, given)
    return desk.go("account.second_factor")


@area.post("/second-factor/confirm")
def confirm_factor(desk: Desk) -> Any:
    """The device has answered: the codes for the day it is lost are shown, once, and kept nowhere."""
    form = Form.sent(desk.form)
    try:
        given = desk.api.call("confirm_second_factor", body={"code": _code(form)}).body
    except Refused as error:
        secret = _secret(desk)
        if not secret:
            return desk.again("account/factor.html", error, form=form)
        return desk.again("account/enrol.html", error, form=form, **_for_device(secret))
    desk.session.pop(_SECRET)
    desk.api.keep_tokens(given)
    desk.ask_anew()
    return desk.page("account/backup_codes.html", codes=given["backup_codes"], is_new=True)


@area.get("/second-factor/backup-codes", "account.own")
def new_codes(desk: Desk) -> Any:
    """The password comes before other codes."""
    return desk.page("account/new_codes.html", form=Form())


@area.post("/second-factor/backup-codes", "account.own")
def send_new_codes(desk: Desk) -> Any:
    """Other codes for the day the device is lost, shown once."""
    form = Form.sent(desk.form)
    try:
        body = {"current_password": form.value("current_password")}
        given = desk.api.call("renew_backup_codes", body=body, within_s=_SLOW_S).body
    except Refused as error:
        return desk.again("account/new_codes.html", error, form=form)
    return desk.page("account/backup_codes.html", codes=given["backup_codes"], is_new=False)


@area.get("/second-factor/remove", "account.own")
def remove_factor(desk: Desk) -> Any:
    """Password and code come before it is gone."""
    return desk.page("account/remove_factor.html", form=Form())


@area.post("/second-factor/remove", "account.own")
def send_remove_factor(desk: Desk) -> Any:
    """Do without it."""
    form = Form.sent(desk.form)
    try:
        body = {"current_password": form.value("current_password"), "code": _code(form)}
        desk.api.call("remove_second_factor", body=body, within_s=_SLOW_S)
    except Refused as error:
        return desk.again("account/remove_factor.html", error, form=form)
    desk.ask_anew()
    desk.said("The second factor is removed.")
    return desk.go("account.show")


def _secret(desk: Desk) -> Mapping[str, Any] | None:
    """What the device is to be told, while it counts."""
    secret: Mapping[str, Any] | None = desk.session.get(_SECRET)
    if secret and datetime.fromisoformat(secret["expires_at"]) > datetime.now(UTC):
        return secret
    desk.session.pop(_SECRET)
    return None


def _for_device(secret: Mapping[str, Any]) -> dict[str, Any]:
    """The secret as a picture to be read by a camera, and in groups of four to be typed."""
    picture = segno.make_qr(secret["otpauth_uri"], error="m").svg_data_uri(scale=5, border=4, light="#fff")
    text = secret["secret"]
    return {"picture": picture, "secret": " ".join(text[at : at + 4] for at in range(0, len(text), 4))}


def _code(form: Form) -> str:
    return form.value("code").replace(" ", "")


# ---- sessions and records --------------------------------------------------------------------------------------------


@area.post("/sessions/<uuid:session_id>/end", "account.own")
def end_session(desk: Desk, session_id: str) -> Any:
    """Sign out somewhere else."""
    try:
        desk.api.call("end_own_session", session_id=session_id)
    except Refused as error:
        if error.status != 404:  # it has ended meanwhile
            raise
    desk.said("That device is signed out.")
    return desk.go("account.show")


@area.post("/sessions/end-others", "account.own")
def end_sessions(desk: Desk) -> Any:
    """Sign out everywhere else."""
    desk.send("end_own_sessions")
    desk.said("You are signed out everywhere but here.")
    return desk.go("account.show")


@area.get("/records", "account.own")
def link(desk: Desk) -> Any:
    """A form for the code of one more record."""
    return desk.page("account/link.html", form=Form())


@area.post("/records", "account.own")
def send_link(desk: Desk) -> Any:
    """One more record that this account opens."""
    form = Form.sent(desk.form)
    try:
        body = {"code": form.value("code").strip(), "birth_date": form.value("birth_date")}
        made = desk.api.call("add_own_link", body=body, within_s=_SLOW_S).body
    except Refused as error:
        return desk.again("account/link.html", error, form=form)
    desk.ask_anew()
    desk.session.set("patient", made["patient_id"])
    desk.said("The record is linked with your account.")
    return desk.go("mine.appointments")


# ---- how the pages look ----------------------------------------------------------------------------------------------


@area.post("/language", is_open=True)
def choose_language(desk: Desk) -> Any:
    """Another language from now on."""
    language = desk.form.get("language", "")
    if language in LANGUAGES:
        desk.session.set("language", language)
    return desk.go_back(desk.form.get("back", ""))


@area.post("/theme", is_open=True)
def choose_theme(desk: Desk) -> Any:
    """Light or dark."""
    theme = desk.form.get("theme", "")
    if theme in _THEMES:
        desk.session.set("theme", theme)
    return desk.go_back(desk.form.get("back", ""))


@area.post("/facility", "facilities.read")
def choose_facility(desk: Desk) -> Any:
    """Where one works now."""
    chosen = desk.form.get("facility", "")
    if chosen in desk.facilities:
        desk.session.set("facility", chosen)
    return desk.go_back(desk.form.get("back", ""))

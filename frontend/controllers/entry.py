"""The way in and out: sign-in with password and second factor, sign-out, staying, and drafts of forms."""

from __future__ import annotations

from typing import Any

import flask

from frontend.api import Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form
from frontend.shield import is_ours

area = Area("entry")
_DEVICE_S = 365 * 86_400
_NOT_KEPT = {"_csrf", "_key", "_version", "_form"}


@area.get("/sign-in", is_open=True)
def sign_in(desk: Desk) -> Any:
    """Name and password."""
    if desk.session.is_signed_in and "over" not in desk.query:
        return desk.go("home.show")
    return desk.page("entry/sign_in.html", form=Form(), back=desk.query.get("back", ""), is_over="over" in desk.query)


@area.post("/sign-in", is_open=True)
def send_sign_in(desk: Desk) -> Any:
    """A try."""
    form = Form.sent(desk.form)
    back = form.value("back")
    body = {"username": form.value("username").strip(), "password": form.value("password")}
    device = flask.request.cookies.get(_device_cookie())
    try:
        given = desk.api.public("sign_in", body=body | ({"device_token": device} if device else {})).body
    except Refused as error:
        if error.code == "second_factor_required":
            desk.session.set("challenge", {**error.facts, "back": back})
            return desk.go("entry.second_factor")
        return desk.again("entry/sign_in.html", error, form=form, back=back, is_over=False)
    return _come_in(desk, given, back)


@area.get("/sign-in/second-factor", is_open=True)
def second_factor(desk: Desk) -> Any:
    """The code of the device."""
    if not desk.session.get("challenge"):
        return desk.go("entry.sign_in")
    return desk.page("entry/second_factor.html", form=Form())


@area.post("/sign-in/second-factor", is_open=True)
def send_second_factor(desk: Desk) -> Any:
    """A try."""
    challenge, form = desk.session.get("challenge") or {}, Form.sent(desk.form)
    code = form.value("code").replace(" ", "")
    try:
        body = {"challenge_id": challenge.get("challenge_id", ""), "code": code}
        given = desk.api.public("finish_sign_in", body=body).body
    except Refused as error:
        return desk.again("entry/second_factor.html", error, form=form)
    desk.session.pop("challenge")
    return _come_in(desk, given, str(challenge.get("back", "")))


@area.post("/sign-out", is_open=True)
def sign_out(desk: Desk) -> Any:
    """End the session here and at the house; drafts stay."""
    if desk.session.is_signed_in:
        try:
            desk.api.call("sign_out")
        finally:
            language, theme = desk.session.get("language"), desk.session.get("theme")
            desk.sessions.renew(desk.session)
            desk.session.data = {name: value for name, value in (("language", language), ("theme", theme)) if value}
    desk.said("You are signed out.", "info")
    return desk.go("entry.sign_in")


@area.post("/stay")
def stay(_: Desk) -> Any:
    """Somebody is still there; that the session was read has prolonged it."""
    return flask.Response("", status=204)


@area.post("/drafts")
def keep_draft(desk: Desk) -> Any:
    """What was typed so far."""
    name = desk.form.get("_form", "")
    values = {key: desk.form.getlist(key) for key in desk.form if key not in _NOT_KEPT and "password" not in key}
    kept = bool(name) and desk.sessions.keep_draft(str(desk.person.get("id")), name, values)
    return flask.Response("", status=204 if kept else 413)


@area.post("/drafts/drop")
def drop_draft(desk: Desk) -> Any:
    """It is not wanted."""
    desk.sessions.drop_draft(str(desk.person.get("id")), desk.form.get("_form", ""))
    return flask.Response("", status=204)


def _come_in(desk: Desk, given: dict[str, Any], back: str) -> Any:
    """Somebody is signed in: another cookie, and the page that was wanted."""
    desk.sessions.renew(desk.session)
    desk.api.keep_tokens(given)
    desk.session.set("person", desk.api.call("get_own_account").body)
    desk.session.set("person_at", 0)
    if given["must_set_second_factor"]:
        answer = desk.go("account.second_factor")
    elif given["must_change_password"]:
        answer = desk.go("account.password")
    else:
        answer = flask.redirect(back, code=303) if is_ours(back) else desk.go("home.show")  # type: ignore[assignment]
    if given.get("device_token"):
        is_secure = _device_cookie().startswith("__Host-")
        answer.set_cookie(
            _device_cookie(), given["device_token"], max_age=_DEVICE_S, httponly=True, secure=is_secure, samesite="Lax"
        )
    return answer


def _device_cookie() -> str:
    return "__Host-device" if flask.current_app.config["IS_SECURE"] else "device"

"""The way in and out: sign-in by password and second factor or by an outside provider, a forgotten password, a first
account, sign-out, staying, and drafts of forms.
"""

from __future__ import annotations

from typing import Any

import flask

from frontend import kept
from frontend.api import Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form, Wrong, said

area = Area("entry")
_DEVICE_S = 365 * 86_400
_OWN_TO_ALL = ("access", "access_until", "refresh", "language", "theme")


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


@area.get("/sign-in/provider", is_open=True)
def start_external(desk: Desk) -> Any:
    """To the outside provider. A link leads here: a browser that sends a form does not go on to another place."""
    try:
        begun = desk.api.public("start_external_sign_in").body
    except Refused as error:
        return _not_by_provider(desk, error)
    desk.session.set("binding", begun["binding"])
    return flask.redirect(begun["authorization_url"], code=303)


@area.get("/signed-in", is_open=True)
def finish_external(desk: Desk) -> Any:
    """Back from there; who did not begin it here cannot finish it here."""
    binding = desk.session.pop("binding", "")
    body = {"code": desk.query.get("code", ""), "state": desk.query.get("state", ""), "binding": binding}
    if not all(body.values()):
        return _not_by_provider(desk, Refused(401, "external_sign_in_refused"))
    try:
        given = desk.api.public("complete_external_sign_in", body=body).body
    except Refused as error:
        return _not_by_provider(desk, error)
    return _come_in(desk, given, "")


@area.get("/forgotten", is_open=True)
def forgotten(desk: Desk) -> Any:
    """Whose password it is."""
    return desk.page("entry/forgotten.html", form=Form(), is_sent=False)


@area.post("/forgotten", is_open=True)
def send_forgotten(desk: Desk) -> Any:
    """A link by mail, if there is such an account: the page says the same either way."""
    form = Form.sent(desk.form)
    try:
        desk.api.public("request_password_reset", body={"username": form.value("username").strip()})
    except Refused as error:
        return desk.again("entry/forgotten.html", error, form=form, is_sent=False)
    return desk.page("entry/forgotten.html", form=form, is_sent=True)


@area.get("/password-reset", is_open=True)
def reset(desk: Desk) -> Any:
    """Where the link in the mail leads; what it holds stands behind `#`, so that no server is told."""
    return desk.page("entry/reset.html", form=Form())


@area.post("/password-reset", is_open=True)
def send_reset(desk: Desk) -> Any:
    """Another password."""
    form = Form.sent(desk.form)
    try:
        _ensure_same(form, "new_password")
        body = {"token": form.value("token"), "new_password": form.value("new_password")}
        desk.api.public("complete_password_reset", body=body)
    except (Refused, Wrong) as error:
        return desk.again("entry/reset.html", error, form=form)
    desk.said("The password is changed. Sign in with it now.")
    return desk.go("entry.sign_in")


@area.get("/activate", is_open=True)
def activate(desk: Desk) -> Any:
    """For a code that the reception gave."""
    return desk.page("entry/activate.html", form=Form())


@area.post("/activate", is_open=True)
def send_activate(desk: Desk) -> Any:
    """An account of one's own, and in."""
    form = Form.sent(desk.form)
    account = {"username": form.value("username").strip(), "password": form.value("password")}
    try:
        _ensure_same(form, "password")
        body = {"code": form.value("code").strip(), "birth_date": form.value("birth_date"), **account}
        desk.api.public("activate_account", body=body)
        given = desk.api.public("sign_in", body=account).body
    except (Refused, Wrong) as error:
        return desk.again("entry/activate.html", error, form=form)
    desk.said("Your account is ready. Good to see you.")
    return _come_in(desk, given, "")


@area.post("/sign-out", is_open=True)
def sign_out(desk: Desk) -> Any:
    """End the session here and at the house; drafts stay."""
    if desk.session.is_signed_in:
        try:
            desk.api.call("sign_out")
        finally:
            former = desk.session.holder
            desk.session.keep_only({"language", "theme"})
            desk.sessions.renew(desk.session)
            desk.session.set("former", former)
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
    person = str(desk.person.get("id"))
    is_kept = bool(name) and desk.sessions.keep_draft(person, name, desk.typed(), version=desk.version)
    return flask.Response("", status=204 if is_kept else 413)


@area.post("/drafts/drop")
def drop_draft(desk: Desk) -> Any:
    """It is not wanted."""
    desk.sessions.drop_draft(str(desk.person.get("id")), desk.form.get("_form", ""))
    return flask.Response("", status=204)


def _come_in(desk: Desk, given: dict[str, Any], back: str) -> Any:
    """Somebody is signed in: another cookie, and the page that was wanted."""
    before = desk.session.holder["person"]
    former = desk.session.holder if before else desk.session.get("former")
    desk.sessions.renew(desk.session)
    desk.api.keep_tokens(given)
    person = desk.api.call("get_own_account").body
    if before not in {"", person["id"]}:  # what somebody else left here is nobody's to see
        desk.session.keep_only(_OWN_TO_ALL)
    desk.session.set("person", person)
    desk.session.set("person_at", 0)
    desk.session.set("former", former if former and former["person"] == person["id"] else None)
    answer = desk.go(desk.owed) if desk.owed else desk.go("kept.show") if kept.found(desk) else desk.go_back(back)
    if given.get("device_token"):
        is_secure = _device_cookie().startswith("__Host-")
        answer.set_cookie(
            _device_cookie(), given["device_token"], max_age=_DEVICE_S, httponly=True, secure=is_secure, samesite="Lax"
        )
    return answer


def _ensure_same(form: Form, name: str) -> None:
    """Let a password through that was typed the same twice.

    Raises:  Wrong.
    """
    if form.value(name) != form.value("repeated"):
        raise Wrong({"repeated": "unequal"})


def _not_by_provider(desk: Desk, error: Refused) -> Any:
    """Why not, on a page whose address says nothing of what the provider gave."""
    number = f" ({error.request_id})" if error.request_id else ""
    desk.session.say("danger", said(error, desk.words) + number)
    return desk.go("entry.sign_in")


def _device_cookie() -> str:
    return "__Host-device" if flask.current_app.config["IS_SECURE"] else "device"

"""Doctors: found by their field, shown with all that is known of them, and changed."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import flask
from markupsafe import escape

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers import plans
from frontend.desk import Desk
from frontend.forms import Form, Wrong
from frontend.names import NOTHING, Things
from frontend.sayings import N_
from frontend.versions import Show, differing, plain

area = Area("doctors", at="/doctors")
LARGEST_PHOTO: Final = 512 * 1024
_PNG: Final = b"\x89PNG"
_INITIALS: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><rect width="96" height="96" fill="#0f6466"/>'
    '<text x="48" y="61" font-family="sans-serif" font-size="36" text-anchor="middle" fill="#fff">{}</text></svg>'
)


@area.get("", "doctors.read")
def list_all(desk: Desk) -> Any:
    """Who works here, and in which field."""
    form = Form()
    for name in ("text", "specialization_id", "inactive"):
        if desk.query.get(name):
            form.values[name] = desk.query[name]
    values: dict[str, Any] = {
        "form": form,
        "doctors": _found(desk, form),
        "specializations": desk.names.specializations(),
    }
    return desk.page("doctors/_list.html" if desk.is_part else "doctors/list.html", **values)


@area.get("/new", "doctors.manage")
def create(desk: Desk) -> Any:
    """An empty form."""
    return desk.page("doctors/new.html", form=desk.drafted(Form(name="doctor")), **_choices(desk))


@area.post("/new", "doctors.manage")
def send_create(desk: Desk) -> Any:
    """A new profile."""
    form = Form.sent(desk.form, name="doctor")
    try:
        got = desk.send("create_doctor", body=_profile(form)).body
    except (Refused, Wrong) as error:
        return desk.again("doctors/new.html", error, form=form, **_choices(desk))
    desk.drop_draft("doctor")
    desk.names.forget()
    desk.said("The doctor is in the list. Weekly hours are what is missing before anything can be booked.")
    return desk.go("doctors.show", doctor_id=got["id"])


@area.get("/<uuid:doctor_id>", "doctors.read")
def show(desk: Desk, doctor_id: str) -> Any:
    """One doctor."""
    return desk.page("doctors/show.html", form=Form(), change=plans.asked(desk, doctor_id), **_all_of(desk, doctor_id))


@area.get("/<uuid:doctor_id>/edit", "doctors.manage")
def edit(desk: Desk, doctor_id: str) -> Any:
    """The profile as it is, to be changed."""
    doctor = opened(desk, doctor_id)
    form = desk.drafted(_form_of(doctor))
    return desk.page("doctors/edit.html", form=form, both=(), **_tabs(desk, doctor), **_choices(desk, doctor))


@area.post("/<uuid:doctor_id>/edit", "doctors.manage")
def send_edit(desk: Desk, doctor_id: str) -> Any:
    """A change, from the version that was seen."""
    form = Form.sent(desk.form, name=f"doctor.{doctor_id}")
    try:
        answer = desk.send("update_doctor", body=_profile(form), doctor_id=doctor_id)
    except (Refused, Wrong) as error:
        doctor = opened(desk, doctor_id)
        both: Sequence[Any] = ()
        if isinstance(error, Refused) and error.status == 412:
            form.version = doctor["version"]
            both = differing(form, _form_of(doctor), _compared(desk))
        values = {**_tabs(desk, doctor), **_choices(desk, doctor), "both": both}
        return desk.again("doctors/edit.html", error, form=form, **values)
    desk.drop_draft(form.name)
    return plans.told(desk, answer, N_("The changes are saved."), "doctors.show", doctor_id=doctor_id)


@area.post("/<uuid:doctor_id>/deactivate", "doctors.manage")
def deactivate(desk: Desk, doctor_id: str) -> Any:
    """Nothing can be booked with this doctor any more."""
    return _switched(desk, "deactivate_doctor", doctor_id, N_("The doctor is out of service."))


@area.post("/<uuid:doctor_id>/activate", "doctors.manage")
def activate(desk: Desk, doctor_id: str) -> Any:
    """Back in service."""
    return _switched(desk, "activate_doctor", doctor_id, N_("The doctor is in service again."))


@area.get("/<uuid:doctor_id>/photo", "doctors.read")
def photo(desk: Desk, doctor_id: str) -> Any:
    """The picture; the initials where there is none."""
    found = _photo(desk, doctor_id)
    if found is None:
        name = desk.names.doctors().get(doctor_id, {})
        letters = "".join(str(name.get(part, ""))[:1] for part in ("given_name", "family_name"))
        answer = flask.Response(_INITIALS.format(escape(letters)), mimetype="image/svg+xml")
    else:
        answer = flask.Response(base64.b64decode(found["data"]), mimetype=found["media_type"])
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer.make_conditional(flask.request)


@area.get("/<uuid:doctor_id>/picture", "doctors.manage")
def picture(desk: Desk, doctor_id: str) -> Any:
    """A form for another picture."""
    return desk.page("doctors/picture.html", form=Form(), **_pictured(desk, doctor_id))


@area.post("/<uuid:doctor_id>/picture", "doctors.manage")
def send_picture(desk: Desk, doctor_id: str) -> Any:
    """Another picture."""
    form = Form.sent(desk.form)
    try:
        desk.send("set_doctor_photo", body=_sent_picture(), doctor_id=doctor_id)
    except (Refused, Wrong) as error:
        said = _about_picture(error) if isinstance(error, Refused) else error
        return desk.again("doctors/picture.html", said, form=form, **_pictured(desk, doctor_id))
    desk.said("The picture is changed.")
    return desk.go("doctors.show", doctor_id=doctor_id)


@area.post("/<uuid:doctor_id>/picture/remove", "doctors.manage")
def remove_picture(desk: Desk, doctor_id: str) -> Any:
    """No picture."""
    desk.send("remove_doctor_photo", doctor_id=doctor_id)
    desk.said("The picture is taken away.")
    return desk.go("doctors.show", doctor_id=doctor_id)


@area.get("/<uuid:doctor_id>/minutes", "doctors.read")
def minutes(desk: Desk, doctor_id: str) -> Any:
    """How long each kind of appointment takes with this doctor."""
    return desk.page("doctors/minutes.html", form=Form(), **_minutes(desk, doctor_id))


@area.post("/<uuid:doctor_id>/minutes", "doctors.manage")
def send_minutes(desk: Desk, doctor_id: str) -> Any:
    """A length of one's own for one kind, or as long as with all others."""
    form = Form.sent(desk.form)
    at: dict[str, Any] = {"doctor_id": doctor_id, "type_id": form.value("type_id")}
    try:
        if form.is_on("usual"):
            desk.send("remove_type_minutes", **at)
        else:
            desk.send("set_type_minutes", body={"minutes": form.number("minutes")}, **at)
    except (Refused, Wrong) as error:
        return desk.again("doctors/minutes.html", error, form=form, **_minutes(desk, doctor_id))
    desk.said("Saved. What is booked already keeps its length.")
    return desk.go("doctors.minutes", doctor_id=doctor_id)


def opened(desk: Desk, doctor_id: str) -> Mapping[str, Any]:
    """A profile."""
    found: Mapping[str, Any] = desk.api.call("get_doctor", doctor_id=doctor_id).body
    return found


def may_plan(desk: Desk, doctor_id: str) -> bool:
    """Whether hours and leave of this doctor can be changed, as far as permissions say."""
    return desk.may("schedules.manage_own") and (desk.may("schedules.manage") or desk.own_doctor == doctor_id)


def _tabs(desk: Desk, doctor: Mapping[str, Any]) -> dict[str, Any]:
    return {"doctor": doctor, "may_plan": may_plan(desk, doctor["id"])}


def _found(desk: Desk, form: Form) -> list[Mapping[str, Any]]:
    query = {"specialization_id": form.text("specialization_id"), "active": None if form.is_on("inactive") else True}
    words = (form.text("text") or "").casefold().split()
    found = [
        each
        for each in desk.api.every("list_doctors", query=query)
        if all(word in f"{each['given_name']} {each['family_name']}".casefold() for word in words)
    ]
    return sorted(found, key=lambda each: (each["family_name"].casefold(), each["given_name"].casefold()))


def _all_of(desk: Desk, doctor_id: str) -> dict[str, Any]:
    doctor = opened(desk, doctor_id)
    languages = desk.words.locale.languages
    return {
        **_tabs(desk, doctor),
        "languages_spoken": [languages.get(each.partition("-")[0], each) for each in doctor["languages"]],
        "account": _account(desk, doctor["user_id"]),
    }


def _account(desk: Desk, user_id: str | None) -> str | None:
    """What the account is called with which the doctor signs in."""
    if not user_id:
        return None
    if desk.may("users.read"):
        try:
            found = desk.api.call("get_user", user_id=user_id).body
        except Refused:
            return NOTHING
        return f"{found['display_name']} ({found['username']})"
    return desk.called([user_id]).get(user_id, NOTHING)


def _profile(form: Form) -> dict[str, Any]:
    """The whole profile, as the form shows it."""
    body: dict[str, Any] = {
        "family_name": form.value("family_name").strip(),
        "given_name": form.value("given_name").strip(),
        "title": form.text("title"),
        "licence": {
            "number": form.value("licence.number").strip(),
            "authority": form.value("licence.authority").strip(),
            "expires_on": form.text("licence.expires_on"),
        },
        "languages": spoken(form.value("languages")),
        "contacts": {"phone": form.text("contacts.phone"), "email": form.text("contacts.email")},
        "department_ids": form.many("department_ids"),
        "specialization_ids": form.many("specialization_ids"),
        "max_per_day": form.number("max_per_day"),
    }
    if "user_id" in form.values:  # only who sees accounts can choose one
        body["user_id"] = form.text("user_id")
    return body


def spoken(text: str) -> list[str]:
    """Signs of languages, as people list them: `de, en` or `DE en`."""
    return list(dict.fromkeys(text.replace(",", " ").replace(";", " ").lower().split()))


def _form_of(doctor: Mapping[str, Any]) -> Form:
    form = Form.of(doctor, name=f"doctor.{doctor['id']}")
    form.values["languages"] = ", ".join(doctor["languages"])
    return form


def _choices(desk: Desk, doctor: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What can be chosen: what is in use, and what this doctor has anyway."""
    held = doctor or {"department_ids": (), "specialization_ids": (), "user_id": None}
    users: list[tuple[str, str]] | None = None
    if desk.may("users.read"):
        found = desk.api.every("list_users", query={"role": "doctor", "active": True})
        users = [(each["id"], f"{each['display_name']} ({each['username']})") for each in found]
        if held["user_id"] and held["user_id"] not in dict(users):
            users.append((held["user_id"], str(_account(desk, held["user_id"]))))
    return {
        "departments": choosable(desk.names.departments(), held["department_ids"]),
        "specializations": choosable(desk.names.specializations(), held["specialization_ids"]),
        "users": users,
    }


def choosable(things: Things, held: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Ids and names of what is in use, and of what is held already, by name."""
    shown = {key: str(each["name"]) for key, each in things.items() if each["active"] or key in held}
    shown |= {key: NOTHING for key in held if key not in shown}
    return sorted(shown.items(), key=lambda pair: pair[1].casefold())


def _compared(desk: Desk) -> dict[str, tuple[str, Show]]:
    """Fields of a profile, for two versions of it."""
    words, names = desk.words, desk.names
    plainly = {
        "title": N_("Title"),
        "given_name": N_("Given name"),
        "family_name": N_("Family name"),
        "licence.number": N_("Licence number"),
        "licence.authority": N_("Licence given by"),
        "licence.expires_on": N_("Licence holds until"),
        "languages": N_("Languages"),
        "contacts.phone": N_("Telephone"),
        "contacts.email": N_("E-mail"),
        "max_per_day": N_("Most appointments a day"),
    }
    return {
        **{name: (words.say(label), plain) for name, label in plainly.items()},
        "department_ids": (words.say("Departments"), named(names.departments())),
        "specialization_ids": (words.say("Specializations"), named(names.specializations())),
        "user_id": (words.say("Account"), lambda ids: plain([str(_account(desk, each)) for each in ids])),
    }


def named(things: Things) -> Show:
    """Shows ids by the names of these things."""
    return lambda ids: plain([str(things.get(each, {}).get("name", NOTHING)) for each in ids])


def _switched(desk: Desk, operation: str, doctor_id: str, text: str) -> Any:
    form = Form.sent(desk.form)
    try:
        answer = desk.send(operation, doctor_id=doctor_id)
    except Refused as error:
        values = _all_of(desk, doctor_id)
        return plans.refused(desk, error, "doctors/show.html", form=form, change=None, **values)
    return plans.told(desk, answer, text, "doctors.show", doctor_id=doctor_id)


def _photo(desk: Desk, doctor_id: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = desk.api.call("get_doctor_photo", doctor_id=doctor_id).body
    except Refused as error:
        if error.status != 404:
            raise
        return None
    return found


def _pictured(desk: Desk, doctor_id: str) -> dict[str, Any]:
    doctor = opened(desk, doctor_id)
    return {**_tabs(desk, doctor), "has_photo": _photo(desk, doctor_id) is not None, "most": LARGEST_PHOTO}


def _sent_picture() -> dict[str, str]:
    """The chosen file as the API takes it.

    Raises:  Wrong: none was chosen.
    """
    chosen = flask.request.files.get("photo")
    data = chosen.read() if chosen else b""
    if not data:
        raise Wrong({"photo": "required"})
    media_type = "image/png" if data.startswith(_PNG) else "image/jpeg"
    return {"media_type": media_type, "data": base64.b64encode(data).decode()}


def _about_picture(error: Refused) -> Refused | Wrong:
    """What is wrong with a picture, beside where it is chosen."""
    rules = {str(each.get("rule")) for each in error.errors}
    if error.status == 413 or rules & {"too_large", "maxLength"}:
        return Wrong({"photo": "picture_too_large"})
    return Wrong({"photo": "no_picture"}) if rules else error


def _minutes(desk: Desk, doctor_id: str) -> dict[str, Any]:
    doctor, types = opened(desk, doctor_id), desk.names.types()
    found = [each for each in desk.api.every("list_type_minutes", doctor_id=doctor_id) if each["type_id"] in types]
    ordered = sorted(found, key=lambda each: str(types[each["type_id"]]["name"]).casefold())
    return {**_tabs(desk, doctor), "kinds": [(types[each["type_id"]], each) for each in ordered]}

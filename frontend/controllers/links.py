"""Accounts of patients and guardians: codes with which they make one, and which accounts reach a record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers.patients import allergies, opened
from frontend.desk import Desk
from frontend.forms import Form, Wrong

area = Area("links", at="/links")
ONCE: Final = "once"
_FOUND: Final = 8


@area.get("", "accounts.invite", "patients.read")
def search(desk: Desk) -> Any:
    """Whose account it is about."""
    return desk.page("links/search.html", form=Form(), found=None)


@area.post("/find", "accounts.invite", "patients.read")
def find(desk: Desk) -> Any:
    """Patients that fit."""
    form = Form.sent(desk.form)
    found = None
    if len(form.text("text") or "") > 1:
        try:
            body = {"text": form.text("text")}
            found = desk.api.call("search_patients", body=body, query={"limit": _FOUND}).body["items"]
        except Refused as error:
            form.take(error, desk.words)
    return desk.page("links/_found.html" if desk.is_part else "links/search.html", form=form, found=found)


@area.get("/<uuid:patient_id>", "accounts.invite")
def show(desk: Desk, patient_id: str) -> Any:
    """Accounts that reach this record, and a form for one more."""
    form = Form()
    form.values["relation"] = "self"
    return desk.page("links/show.html", form=form, **_record(desk, patient_id))


@area.post("/<uuid:patient_id>/code", "accounts.invite")
def create_code(desk: Desk, patient_id: str) -> Any:
    """A new code; it stands on the slip of the next page, and nowhere after that."""
    form = Form.sent(desk.form)
    try:
        body = {"patient_id": patient_id, "relation": form.value("relation"), **_until(desk, form)}
        made = desk.send("create_activation_code", body=body).body
    except (Refused, Wrong) as error:
        return desk.again("links/show.html", error, form=form, **_record(desk, patient_id))
    if made["code"] is None:
        desk.said("The code was shown when this was sent first. Make another one if it is lost.", "warning")
        return desk.go("links.show", patient_id=patient_id)
    named = {name: made[name] for name in ("code", "relation", "until", "expires_at")}
    desk.session.set(ONCE, {"kind": "code", "patient_id": patient_id, **named})
    return desk.go("links.slip", patient_id=patient_id)


@area.get("/<uuid:patient_id>/slip", "accounts.invite")
def slip(desk: Desk, patient_id: str) -> Any:
    """A code, once, to be printed and taken home."""
    once = desk.session.pop(ONCE)
    if not once or once.get("kind") != "code" or once["patient_id"] != patient_id:
        return desk.go("links.show", patient_id=patient_id)
    patient = opened(desk, patient_id) if desk.may("patients.read") else None
    return desk.page("links/slip.html", once=once, patient=patient)


@area.post("/<uuid:patient_id>/end", "accounts.invite")
def end(desk: Desk, patient_id: str) -> Any:
    """An account reaches this record no more."""
    try:
        desk.send("end_record_link", link_id=desk.form.get("link_id", ""))
    except Refused as error:
        return desk.again("links/show.html", error, form=Form(), **_record(desk, patient_id))
    desk.said("The link is ended. The account reaches this record no more.")
    return desk.go("links.show", patient_id=patient_id)


def _record(desk: Desk, patient_id: str) -> dict[str, Any]:
    links = desk.api.call("list_record_links", query={"patient_id": patient_id}).body["items"]
    users = desk.called(each["made_by"] for each in links)
    return {"links": links, "users": users, "patient_id": patient_id, **_patient(desk, patient_id)}


def _patient(desk: Desk, patient_id: str) -> dict[str, Any]:
    """For the banner, where this person may see it."""
    if not desk.may("patients.read"):
        return {"patient": None, "allergies": None}
    return {"patient": opened(desk, patient_id), "allergies": allergies(desk, patient_id)}


def _until(desk: Desk, form: Form) -> dict[str, str]:
    """The first moment of a day, by the clocks of the house.

    Raises:  Wrong.
    """
    text = form.text("until")
    if text is None:
        return {}
    try:
        day = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(desk.words.zone))
    except ValueError:
        raise Wrong({"until": "format"}) from None
    return {"until": day.astimezone(UTC).isoformat().replace("+00:00", "Z")}

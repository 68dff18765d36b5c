"""Patients: found, registered without a second record of the same person, shown, and changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from frontend.api import Refused
from frontend.area import Area, may_open
from frontend.desk import Desk
from frontend.forms import Form, Wrong
from frontend.navigation import navigation
from services.kernel.errors import Unavailable

area = Area("patients", at="/patients")
PLAIN = ("family_name", "given_name", "middle_name", "prefix", "administrative_gender", "sex_at_birth", "birth_date")
CHOSEN = ("language", "zone", "contact_preference")
LISTS: Mapping[str, tuple[str, ...]] = {
    "phones": ("number", "use"),
    "emails": ("address", "use"),
    "identifiers": ("value", "type", "issuer"),
}
_FOUND = 8
_UNREAD: Mapping[str, Any] = {"asked": "unread", "items": []}
"""Allergies while the history is away: they are unknown then, and nobody may take that for none."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}")


@area.get("", "patients.read")
def search(desk: Desk) -> Any:
    """Where a search begins."""
    return desk.page("patients/search.html", form=Form(), found=None)


@area.post("/search", "patients.read")
def send_search(desk: Desk) -> Any:
    """What was found; nothing that was looked for stands in an address."""
    form = Form.sent(desk.form)
    found = None
    if form.text("text") or form.text("birth_date"):
        try:
            body = {**form.picked(["text", "birth_date"]), "include_inactive": form.is_on("include_inactive")}
            found = desk.api.call("search_patients", body=body, query={"limit": 50}, within_s=5).body
        except Refused as refused:
            form.take(refused, desk.words)
    return desk.page("patients/_found.html" if desk.is_part else "patients/search.html", form=form, found=found)


@area.post("/find", "patients.read")
def find(desk: Desk) -> Any:
    """For the box that opens with Ctrl-K: patients and pages."""
    text = desk.form.get("text", "").strip()
    pages = [link for group in navigation(desk) for link in group.links]
    shown = [each for each in pages if not text or text.casefold() in each.title.casefold()]
    if len(text) < 2:
        recent = desk.names.patients(desk.session.get("recent", []))
        return desk.page("patients/_command.html", patients=list(recent.values()), pages=shown, is_recent=True)
    try:
        found = desk.api.call("search_patients", body={"text": text}, query={"limit": _FOUND}).body["items"]
    except Refused:
        found = []
    patients = [each["patient"] for each in found]
    return desk.page("patients/_command.html", patients=patients, pages=shown, is_recent=False)


@area.get("/new", "patients.register")
def register(desk: Desk) -> Any:
    """An empty form."""
    return desk.page("patients/register.html", form=desk.drafted(Form(name="register")), candidates=None, hidden=0)


@area.post("/new", "patients.register")
def send_register(desk: Desk) -> Any:
    """A new record, unless it may be somebody who is known."""
    form = Form.sent(desk.form, name="register")
    shown = {"candidates": None, "hidden": 0}
    try:
        body = {**form.picked([*PLAIN, *CHOSEN]), **_lists(form)}
        if form.text("estimated_age"):
            body["estimated_age"] = form.number("estimated_age")
        if desk.facility:
            body["facility_id"] = desk.facility["id"]
        if form.is_on("confirm_duplicate"):
            body["confirm_duplicate"] = True
        answer = desk.send("register_patient", body=body)
    except (Refused, Wrong) as error:
        return desk.again("patients/register.html", error, form=form, **shown)
    if answer.status == 200:
        form.key = desk.new_key()
        shown = {"candidates": answer.body["candidates"], "hidden": answer.body["hidden"]}
        return desk.page("patients/register.html", status=409, form=form, **shown)
    desk.drop_draft("register")
    desk.said("%(name)s is registered under %(mrn)s.", name=_name(answer.body), mrn=answer.body["mrn"])
    return desk.go("patients.show", patient_id=answer.body["id"])


@area.get("/<uuid:patient_id>", "patients.read")
def show(desk: Desk, patient_id: str) -> Any:
    """One patient, with what comes next."""
    patient = opened(desk, patient_id)
    return desk.page(
        "patients/show.html", patient=patient, allergies=allergies(desk, patient_id), **_asides(desk, patient_id)
    )


@area.get("/<uuid:patient_id>/edit", "patients.update")
def edit(desk: Desk, patient_id: str) -> Any:
    """Demographics as they are, to be changed."""
    patient = opened(desk, patient_id)
    form = desk.drafted(Form.of(patient, name=f"patient.{patient_id}"))
    return desk.page("patients/edit.html", patient=patient, allergies=allergies(desk, patient_id), form=form)


@area.post("/<uuid:patient_id>/edit", "patients.update")
def send_edit(desk: Desk, patient_id: str) -> Any:
    """A change, from the version that was seen."""
    form = Form.sent(desk.form)
    try:
        body: dict[str, Any] = {**form.changed([*PLAIN, *CHOSEN]), **_lists(form, is_whole=True)}
        if body.get("birth_date") is None:
            body.pop("birth_date", None)
        desk.send("update_patient", body=body, patient_id=patient_id)
    except (Refused, Wrong) as error:
        patient = opened(desk, patient_id)
        if isinstance(error, Refused) and error.status == 412:
            form.other, form.version = patient, patient["version"]
        more: dict[str, Any] = {"patient": patient, "allergies": allergies(desk, patient_id)}
        return desk.again("patients/edit.html", error, form=form, **more)
    desk.names.forget()
    desk.drop_draft(f"patient.{patient_id}")
    desk.said("The changes are saved.")
    return desk.go("patients.show", patient_id=patient_id)


@area.get("/<uuid:patient_id>/changes", "patients.read")
def changes(desk: Desk, patient_id: str) -> Any:
    """What was changed in the demographics, by whom and when."""
    query = {"limit": 50, "cursor": desk.query.get("cursor")}
    page = desk.api.call("list_patient_changes", query=query, patient_id=patient_id).body
    names = desk.called(each["by"] for each in page["items"])
    if desk.is_part:
        return desk.page("patients/_changes.html", page=page, names=names, patient_id=patient_id)
    patient = opened(desk, patient_id)
    more: dict[str, Any] = {"patient": patient, "allergies": allergies(desk, patient_id)}
    return desk.page("patients/changes.html", page=page, names=names, patient_id=patient_id, **more)


def opened(desk: Desk, patient_id: str) -> Mapping[str, Any]:
    """A record that somebody opens, which is then among those that they had lately."""
    patient: Mapping[str, Any] = desk.api.call("get_patient", patient_id=patient_id).body
    recent = [patient_id, *(each for each in desk.session.get("recent", []) if each != patient_id)]
    desk.session.set("recent", recent[:8])
    return patient


def allergies(desk: Desk, patient_id: str) -> Mapping[str, Any] | None:
    """For the banner: what is known, that it cannot be read now, or None where this person may not see it."""
    if not desk.may("history.read"):
        return None
    try:
        found: Mapping[str, Any] = desk.api.call(
            "list_allergies", query={"status": "active", "limit": 50}, patient_id=patient_id
        ).body
    except Refused:
        return None
    except Unavailable:
        return _UNREAD
    return found


def _asides(desk: Desk, patient_id: str) -> dict[str, Any]:
    """What comes from elsewhere than the record; a part that is away leaves the rest of the page in sight."""
    shown: dict[str, Any] = {"appointments": None, "problems": None, "unread": set()}
    wanted: dict[str, tuple[str, str, dict[str, object]]] = {
        "appointments": ("appointments.read", "list_patient_appointments", {"limit": 50}),
        "problems": ("history.read", "list_problems", {"status": "active", "limit": 50}),
    }
    for name, (permission, operation, query) in wanted.items():
        if desk.may(permission):
            try:
                shown[name] = desk.api.call(operation, query=query, patient_id=patient_id).body["items"]
            except Refused:
                shown[name] = None
            except Unavailable:
                shown["unread"].add(name)
    return {**shown, "may_book": may_open("booking.free", desk)}


def _lists(form: Form, *, is_whole: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {name: form.rows(name, members) for name, members in LISTS.items()}
    rows = form.rows("addresses", ("lines", "city", "district", "region", "postal_code", "country", "use"))
    made["addresses"] = [{**row, "lines": _lines(row["lines"])} for row in rows]
    return made if is_whole else {name: rows for name, rows in made.items() if rows}


def _lines(text: str) -> list[str]:
    return [each.strip() for each in text.splitlines() if each.strip()]


def _name(patient: Mapping[str, Any]) -> str:
    return f"{patient['given_name']} {patient['family_name']}"

"""The trail of who did and who saw what: searched, taken along as a file, and checked; and who opened one record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import flask

from frontend.api import LIST_S, Refused
from frontend.area import Area
from frontend.controllers.patients import allergies, opened
from frontend.controllers.roles import titles
from frontend.desk import Desk
from frontend.forms import Form, Wrong

area = Area("trail", at="/audit")
_PLAIN: Final = ("actor", "patient_id", "action", "outcome", "service", "operation", "request_id")
_TIMES: Final = ("from", "until")
_FOUND: Final = 8
_ROWS: Final = 50
_RECORD: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@area.get("", "audit.read")
def search(desk: Desk) -> Any:
    """An empty form, or what an account did, or what was done with a record."""
    form = Form()
    for name in ("actor", "patient_id"):
        if desk.query.get(name):
            form.values[name] = desk.query[name]
    return desk.page("trail/search.html", form=form, **_found(desk, form, is_asked=bool(form.values)))


@area.post("/search", "audit.read")
def send_search(desk: Desk) -> Any:
    """What was found, newest first: no name and no condition stands in an address."""
    form = Form.sent(desk.form)
    values = _found(desk, form, is_asked=True)
    if desk.is_part and form.text("cursor") and values["page"]:
        return desk.page("trail/_rows.html", form=form, **values)
    if desk.is_part:
        return desk.page("trail/_found.html", form=form, **values)
    return desk.page("trail/search.html", form=form, **values)


@area.post("/people", "audit.read")
def find_people(desk: Desk) -> Any:
    """Accounts whose name holds what was typed."""
    text = desk.form.get("actor_text", "").strip().casefold()
    found = []
    if text and desk.may("users.read"):
        fitting = (
            each
            for each in desk.names.accounts().values()
            if text in str(each["display_name"]).casefold() or text in str(each["username"]).casefold()
        )
        found = [(each["id"], each["display_name"], each["username"]) for each in fitting][:_FOUND]
    return desk.page("ui/_picked.html", name="actor", found=found, is_asked=bool(text))


@area.post("/patients", "audit.read", "patients.read")
def find_patients(desk: Desk) -> Any:
    """Patients who fit what was typed."""
    text = desk.form.get("patient_id_text", "").strip()
    found = []
    if len(text) > 1:
        try:
            items = desk.api.call("search_patients", body={"text": text}, query={"limit": _FOUND}).body["items"]
        except Refused:
            items = []
        found = [_patient(desk, each["patient"]) for each in items]
    return desk.page("ui/_picked.html", name="patient_id", found=found, is_asked=bool(text))


@area.post("/export", "audit.read", "audit.export")
def export(desk: Desk) -> Any:
    """The same as a file, which is itself written into the trail."""
    form = Form.sent(desk.form)
    written_as = form.value("written_as", "csv")
    try:
        query = {"written_as": written_as}
        answer = desk.api.call("export_audit_entries", body=_conditions(desk, form), query=query, within_s=LIST_S)
    except (Refused, Wrong) as error:
        form.take(error, desk.words)
        values = _found(desk, form, is_asked=False)
        return desk.page("trail/search.html", status=getattr(error, "status", 422), form=form, **values)
    kept = {name: answer.headers[name] for name in ("content-type", "content-disposition") if name in answer.headers}
    return flask.Response(answer.raw, headers=kept)


@area.get("/check", "audit.verify")
def check(desk: Desk) -> Any:
    """Where a check begins."""
    return desk.page("trail/check.html", form=Form(), result=None)


@area.post("/check", "audit.verify")
def send_check(desk: Desk) -> Any:
    """Whether a part of the trail is whole."""
    form = Form.sent(desk.form)
    result = None
    try:
        first = form.number("first_position")
        body = {"first_position": first} if first else {}
        result = desk.api.call("verify_audit_trail", body=body, within_s=LIST_S).body
    except (Refused, Wrong) as error:
        return desk.again("trail/check.html", error, form=form, result=None)
    return desk.page("trail/check.html", form=form, result=result)


@area.get("/records/<uuid:patient_id>", "audit.read", "audit.read_own_record")
def accesses(desk: Desk, patient_id: str) -> Any:
    """Who opened or changed one record."""
    query = {"limit": _ROWS, "cursor": desk.query.get("cursor")}
    page = desk.api.call("list_record_accesses", query=query, patient_id=patient_id, within_s=LIST_S).body
    if desk.is_part:
        return desk.page("trail/_accesses.html", page=page, patient_id=patient_id, titles=titles(desk))
    more: dict[str, Any] = {"patient": None, "allergies": None}
    if desk.may("patients.read"):
        more = {"patient": opened(desk, patient_id), "allergies": allergies(desk, patient_id)}
    return desk.page("trail/accesses.html", page=page, patient_id=patient_id, titles=titles(desk), **more)


def conditions(values: Mapping[str, str | None], *, zone: str) -> dict[str, str]:
    """What the API is asked: times by the clocks of the house, a record by any address of it.

    Raises:  Wrong.
    """
    asked = {name: text for name, text in values.items() if text and name in _PLAIN}
    if "patient_id" in asked:
        found = _RECORD.search(asked["patient_id"])
        if found is None:
            raise Wrong({"patient_id": "format"})
        asked["patient_id"] = found[0].lower()
    for name in _TIMES:
        text = values.get(name)
        if text:
            asked[name] = _moment(text, zone=zone, name=name)
    return asked


def _moment(text: str, *, zone: str, name: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong({name: "format"}) from None
    return at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _conditions(desk: Desk, form: Form) -> dict[str, str]:
    """Raises:  Wrong: somebody was looked for and nobody chosen."""
    unchosen = {name: "enum" for name in ("actor", "patient_id") if form.text(f"{name}_text") and not form.text(name)}
    if unchosen:
        raise Wrong(unchosen)
    return conditions({name: form.text(name) for name in (*_PLAIN, *_TIMES)}, zone=desk.words.zone)


def _found(desk: Desk, form: Form, *, is_asked: bool) -> dict[str, Any]:
    page = None
    if is_asked:
        try:
            query = {"limit": _ROWS, "cursor": form.text("cursor")}
            body = _conditions(desk, form)
            page = desk.api.call("search_audit_entries", body=body, query=query, within_s=LIST_S).body
        except (Refused, Wrong) as error:
            form.take(error, desk.words)
    entries = page["items"] if page else []
    names = desk.called(each["actor"] for each in entries)
    return {"page": page, "names": names, "titles": titles(desk), **_chosen(desk, form)}


def _chosen(desk: Desk, form: Form) -> dict[str, Any]:
    """Who is chosen, so that the form shows them by name."""
    actor, found = form.text("actor"), _RECORD.search(form.value("patient_id"))
    people = [(actor, desk.called([actor]).get(actor, desk.words.say("the chosen account")), "")] if actor else []
    patients = []
    if found and desk.may("patients.read"):
        patients = [_patient(desk, each) for each in desk.names.patients([found[0].lower()]).values()]
    return {"people": people, "patients": patients}


def _patient(desk: Desk, patient: Mapping[str, Any]) -> tuple[str, str, str]:
    born = desk.words.day(patient["birth_date"]) if patient["birth_date"] else str(patient["birth_year"])
    return patient["id"], f"{patient['family_name']}, {patient['given_name']}", f"{born} · {patient['mrn']}"

"""Booking: free places for a patient, a hold while one talks, the appointment, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import flask

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers.patients import allergies, opened
from frontend.desk import Desk
from frontend.forms import Form, said
from frontend.names import Things, active
from frontend.sayings import N_

area = Area("booking", at="/booking")
REASONS: Final = ("patient_request", "patient_ill", "doctor_away", "facility_closed", "duplicate", "died", "other")
_CHOSEN: Final = ("doctor_id", "specialization_id", "appointment_type_id")
_LAST: Final = "booking"  # in the session: what was looked for last, which the next booking is mostly about too
_DAYS: Final = 14
_FOUND: Final = 8
_RECENT: Final = 5
_SENT: Final = (
    "patient_id",
    "doctor_id",
    "appointment_type_id",
    "starts_at",
    "hold_id",
    "reason",
    "overbook_reason",
    "overlap_reason",
)


@area.get("", "appointments.book")
def free(desk: Desk) -> Any:
    """Where an appointment still fits, for a patient or before one is chosen."""
    form = Form()
    form.values.update(
        {name: desk.query[name] for name in (*_CHOSEN, "patient_id", "since", "moved") if desk.query.get(name)}
    )
    if desk.is_part:
        desk.session.set(_LAST, form.picked(_CHOSEN))
    else:
        _begin(desk, form)
    if form.text("moved"):
        at: dict[str, Any] = {"facility_id": desk.facility_id, "appointment_id": form.value("moved")}
        form.version = desk.api.call("get_appointment", **at).version
    days, error = _free(desk, form)
    values = {"form": form, "days": days, "error": error, **_lists(desk)}
    if desk.is_part:
        return desk.page("booking/_places.html", **values)
    return desk.page("booking/free.html", **values, **_of_patient(desk, form.text("patient_id")))


@area.post("/confirm", "appointments.book")
def confirm(desk: Desk) -> Any:
    """A place was chosen: it is kept for a few minutes, and shown once more with the patient."""
    form = Form.sent(desk.form)
    if form.text("place"):  # one button says both, and whatever was kept before is free again
        _give_back(desk, form)
        form.values["doctor_id"], _, form.values["starts_at"] = form.value("place").partition(" ")
    if not form.text("hold_id"):
        body = form.picked(["doctor_id", "appointment_type_id", "starts_at"])
        try:
            hold = desk.api.call("hold_place", body=body, key=form.key, within_s=5, facility_id=desk.facility_id).body
        except Refused as error:
            form.take(error, desk.words)
            return desk.page("booking/confirm.html", status=error.status, form=form, **_shown(desk, form))
        where = hold["place"]
        form.values |= {"hold_id": hold["id"], "kept_until": hold["expires_at"], "place_zone": where["zone"]}
        form.values["location_id"] = where["location_id"]
    form.key = desk.new_key()
    return desk.page("booking/confirm.html", form=form, **_shown(desk, form))


@area.post("/who", "appointments.book", "patients.read")
def who(desk: Desk) -> Any:
    """For whom: found without leaving the place that is kept."""
    form, found = Form.sent(desk.form), []
    if len(form.text("text") or "") > 1:
        try:
            body = form.picked(["text"])
            found = desk.api.call("search_patients", body=body, query={"limit": _FOUND}, within_s=5).body["items"]
        except Refused as error:
            form.take(error, desk.words)
    people = [each["patient"] for each in found]
    if desk.is_part:
        return desk.page("booking/_who.html", form=form, people=people)
    return desk.page("booking/confirm.html", form=form, **(_shown(desk, form) | {"people": people}))


@area.post("/book", "appointments.book")
def book(desk: Desk) -> Any:
    """The appointment, or what stands against it and what can be had instead."""
    form = Form.sent(desk.form)
    moved = form.text("moved")
    try:
        if moved:
            body = form.picked(each for each in _SENT if each != "patient_id")
            got = desk.send(
                "reschedule_appointment", body=body, facility_id=desk.facility_id, appointment_id=moved
            ).body
        else:
            got = desk.send("book_appointment", body=form.picked(_SENT), facility_id=desk.facility_id).body
    except Refused as error:
        if moved and error.status == 412:
            desk.said("Somebody has changed this appointment meanwhile. Look at it, then move it.", "warning")
            return desk.go("booking.show", appointment_id=moved)
        if error.code == "hold_over":
            form.values.pop("hold_id", None)
        return desk.again("booking/confirm.html", error, form=form, **_shown(desk, form, error))
    text = N_("Moved to %(when)s.") if moved else N_("Booked for %(when)s.")
    desk.said(text, when=desk.words.moment(got["starts_at"], got["zone"]))
    return desk.go("booking.show", appointment_id=got["id"])


@area.post("/release", "appointments.book")
def release(desk: Desk) -> Any:
    """The place is free for others again; a page that is left says so without waiting for an answer."""
    form = Form.sent(desk.form)
    _give_back(desk, form)
    if form.text("quiet"):
        return flask.Response("", status=204)
    asked = form.picked(["patient_id", "appointment_type_id", "doctor_id", "moved"])
    return desk.go("booking.free", since=form.value("starts_at")[:10] or None, **asked)


@area.get("/<uuid:appointment_id>", "appointments.read")
def show(desk: Desk, appointment_id: str) -> Any:
    """One appointment, what can be done with it, and what happened to it."""
    return desk.page("booking/show.html", form=Form(), **_appointment(desk, appointment_id))


@area.get("/<uuid:appointment_id>/slip", "appointments.read")
def slip(desk: Desk, appointment_id: str) -> Any:
    """To be printed and taken home."""
    return desk.page("booking/slip.html", **_appointment(desk, appointment_id))


@area.post("/<uuid:appointment_id>/cancel", "appointments.book")
def cancel(desk: Desk, appointment_id: str) -> Any:
    """It does not take place."""
    return _changed(
        desk, "cancel_appointment", appointment_id, ["reason_code", "note"], N_("The appointment is cancelled.")
    )


@area.post("/<uuid:appointment_id>/status", "appointments.attend")
def attend(desk: Desk, appointment_id: str) -> Any:
    """Arrived, seen, done, not come, or back."""
    return _changed(desk, "set_appointment_status", appointment_id, ["to", "note"], N_("Noted."))


@area.post("/<uuid:appointment_id>/error", "appointments.correct")
def mark_error(desk: Desk, appointment_id: str) -> Any:
    """It should never have been made."""
    return _changed(
        desk, "mark_appointment_entered_in_error", appointment_id, ["reason"], N_("Marked as entered in error.")
    )


def _changed(desk: Desk, operation: str, appointment_id: str, names: list[str], text: str) -> Any:
    form = Form.sent(desk.form)
    try:
        desk.send(operation, body=form.picked(names), facility_id=desk.facility_id, appointment_id=appointment_id)
    except Refused as error:
        return desk.again("booking/show.html", error, form=form, **_appointment(desk, appointment_id))
    desk.said(text)
    return desk.go("booking.show", appointment_id=appointment_id)


def _appointment(desk: Desk, appointment_id: str) -> dict[str, Any]:
    at: dict[str, Any] = {"facility_id": desk.facility_id, "appointment_id": appointment_id}
    found = desk.api.call("get_appointment", **at).body
    changes = desk.api.call("list_appointment_changes", query={"limit": 50}, **at).body["items"]
    names = desk.called(each["by"] for each in changes)
    return {"appointment": found, "changes": changes, "users": names, **_of_patient(desk, found["patient_id"])}


def _begin(desk: Desk, form: Form) -> None:
    """What nothing was said of is as it was the last time, or else the first of its list, so that free times are there
    at once.
    """
    types, fields = active(desk.names.types()), active(desk.names.specializations())
    known = {"appointment_type_id": types, "specialization_id": fields, "doctor_id": active(desk.names.doctors())}
    last = {name: id_ for name, id_ in (desk.session.get(_LAST) or {}).items() if id_ in known[name]}
    usual = [id_ for id_, each in types.items() if each["audience"] == "everyone"]
    wanted = {"appointment_type_id": last.get("appointment_type_id") or _first(types, usual)}
    if not form.text("doctor_id") and not form.text("specialization_id"):
        of = {name: last[name] for name in ("doctor_id", "specialization_id") if name in last}
        wanted |= of or {"specialization_id": _first(fields, fields)}
    form.values.update({name: id_ for name, id_ in wanted.items() if id_ and not form.text(name)})


def _first(things: Things, of: Iterable[str]) -> str:
    """The first by name; empty where there is none."""
    return min(of, key=lambda id_: str(things[id_]["name"]).casefold(), default="")


def _free(desk: Desk, form: Form) -> tuple[list[tuple[str, list[Mapping[str, Any]]]], str]:
    """Free places by day, as the clocks of their location show it."""
    if not form.text("appointment_type_id") or not (form.text("doctor_id") or form.text("specialization_id")):
        return [], ""
    zone = ZoneInfo(desk.facility["zone"]) if desk.facility else ZoneInfo("UTC")
    given = form.text("since")
    since = datetime.fromisoformat(given).replace(tzinfo=zone) if given else datetime.now(zone)
    since = since.replace(second=0, microsecond=0)  # the API knows whole minutes
    query = {
        **form.picked(["doctor_id", "appointment_type_id"]),
        **({} if form.text("doctor_id") else form.picked(["specialization_id"])),
        "since": since.isoformat(),
        "until": (since + timedelta(days=_DAYS)).isoformat(),
        "limit": 100,
    }
    try:
        found = desk.api.call("find_free_places", query=query, facility_id=desk.facility_id, within_s=5).body["items"]
    except Refused as error:
        return [], said(error, desk.words)
    by_day = groupby(found, key=lambda each: desk.words.at(each["starts_at"], each["zone"]).date().isoformat())
    return [(day, list(places)) for day, places in by_day], ""


def _give_back(desk: Desk, form: Form) -> None:
    """Release what the form holds; a hold that is over is no loss."""
    hold_id = form.values.pop("hold_id", "")
    if hold_id:
        with suppress(Refused):
            desk.api.call("release_hold", facility_id=desk.facility_id, hold_id=hold_id)


def _shown(desk: Desk, form: Form, error: Refused | None = None) -> dict[str, Any]:
    """What stands around the form. error: what was refused just now, before the form has taken it."""
    code, facts = (error.code, error.facts) if error else (form.code, form.facts)
    more: dict[str, Any] = {}
    if not form.text("patient_id"):
        more["people"] = list(desk.names.patients(desk.session.get("recent", [])[:_RECENT]).values())
    return {
        "alternatives": facts.get("alternatives", []),
        "may_overbook": desk.may("appointments.overbook") and code == "place_taken",
        "may_overlap": desk.may("appointments.overlap") and code == "patient_busy",
        **more,
        **_of_patient(desk, form.text("patient_id")),
    }


def _of_patient(desk: Desk, patient_id: str | None) -> dict[str, Any]:
    if not patient_id:
        return {"patient": None, "allergies": None}
    return {"patient": opened(desk, patient_id), "allergies": allergies(desk, patient_id)}


def _lists(desk: Desk) -> dict[str, Any]:
    return {
        "doctors": active(desk.names.doctors()),
        "types": active(desk.names.types()),
        "specializations": active(desk.names.specializations()),
    }

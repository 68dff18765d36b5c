"""Booking: free places for a patient, a hold while one talks, the appointment, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers.patients import allergies, opened
from frontend.desk import Desk
from frontend.forms import Form, said
from frontend.names import Things
from frontend.sayings import N_

area = Area("booking", at="/booking")
REASONS: Final = ("patient_request", "patient_ill", "doctor_away", "facility_closed", "duplicate", "died", "other")
_DAYS: Final = 14
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
    for name in ("patient_id", "doctor_id", "specialization_id", "appointment_type_id", "since", "moved"):
        if desk.query.get(name):
            form.values[name] = desk.query[name]
    if not form.text("appointment_type_id") and len(desk.names.types()) == 1:
        form.values["appointment_type_id"] = next(iter(desk.names.types()))
    days, error = _free(desk, form)
    values = {"form": form, "days": days, "error": error, **_lists(desk)}
    if desk.is_part:
        return desk.page("booking/_places.html", **values)
    return desk.page("booking/free.html", **values, **_of_patient(desk, form.text("patient_id")))


@area.post("/confirm", "appointments.book")
def confirm(desk: Desk) -> Any:
    """A place was chosen: it is kept for a few minutes, and shown once more with the patient."""
    form = Form.sent(desk.form)
    if form.text("place"):  # one button says both
        form.values["doctor_id"], _, form.values["starts_at"] = form.value("place").partition(" ")
    body = form.picked(["doctor_id", "appointment_type_id", "starts_at"])
    try:
        hold = desk.send("hold_place", body=body, facility_id=_facility(desk)).body
    except Refused as error:
        form.take(error, desk.words)
        return desk.page("booking/confirm.html", status=error.status, form=form, hold=None, **_shown(desk, form))
    form.values["hold_id"], form.key = hold["id"], desk.new_key()
    return desk.page("booking/confirm.html", form=form, hold=hold, **_shown(desk, form))


@area.post("/book", "appointments.book")
def book(desk: Desk) -> Any:
    """The appointment, or what stands against it and what can be had instead."""
    form = Form.sent(desk.form)
    moved = form.text("moved")
    try:
        if moved:
            body = form.picked(each for each in _SENT if each != "patient_id")
            got = desk.send("reschedule_appointment", body=body, facility_id=_facility(desk), appointment_id=moved).body
        else:
            got = desk.send("book_appointment", body=form.picked(_SENT), facility_id=_facility(desk)).body
    except Refused as error:
        form.values.pop("hold_id", None)
        return desk.again("booking/confirm.html", error, form=form, hold=None, **_shown(desk, form))
    text = N_("Moved to %(when)s.") if moved else N_("Booked for %(when)s.")
    desk.said(text, when=desk.words.moment(got["starts_at"], got["zone"]))
    return desk.go("booking.show", appointment_id=got["id"])


@area.post("/release", "appointments.book")
def release(desk: Desk) -> Any:
    """The place is free for others again."""
    form = Form.sent(desk.form)
    if form.text("hold_id"):
        desk.send("release_hold", facility_id=_facility(desk), hold_id=form.text("hold_id"))
    return desk.go("booking.free", patient_id=form.text("patient_id"))


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
        desk.send(operation, body=form.picked(names), facility_id=_facility(desk), appointment_id=appointment_id)
    except Refused as error:
        return desk.again("booking/show.html", error, form=form, **_appointment(desk, appointment_id))
    desk.said(text)
    return desk.go("booking.show", appointment_id=appointment_id)


def _appointment(desk: Desk, appointment_id: str) -> dict[str, Any]:
    at: dict[str, Any] = {"facility_id": _facility(desk), "appointment_id": appointment_id}
    found = desk.api.call("get_appointment", **at).body
    changes = desk.api.call("list_appointment_changes", query={"limit": 50}, **at).body["items"]
    names = desk.names.users([each["by"] for each in changes])
    return {"appointment": found, "changes": changes, "users": names, **_of_patient(desk, found["patient_id"])}


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
        found = desk.api.call("find_free_places", query=query, facility_id=_facility(desk), within_s=5).body["items"]
    except Refused as error:
        return [], said(error, desk.words)
    by_day = groupby(found, key=lambda each: desk.words.at(each["starts_at"], each["zone"]).date().isoformat())
    return [(day, list(places)) for day, places in by_day], ""


def _shown(desk: Desk, form: Form) -> dict[str, Any]:
    return {
        "alternatives": form.facts.get("alternatives", []),
        "may_overbook": desk.may("appointments.overbook") and form.code == "place_taken",
        "may_overlap": desk.may("appointments.overlap") and form.code == "patient_busy",
        **_of_patient(desk, form.text("patient_id")),
    }


def _of_patient(desk: Desk, patient_id: str | None) -> dict[str, Any]:
    if not patient_id:
        return {"patient": None, "allergies": None}
    return {"patient": opened(desk, patient_id), "allergies": allergies(desk, patient_id)}


def _lists(desk: Desk) -> dict[str, Any]:
    return {
        "doctors": _active(desk.names.doctors()),
        "types": _active(desk.names.types()),
        "specializations": _active(desk.names.specializations()),
    }


def _active(things: Things) -> Things:
    return {key: each for key, each in things.items() if each["active"]}


def _facility(desk: Desk) -> str:
    return str(desk.facility["id"]) if desk.facility else ""

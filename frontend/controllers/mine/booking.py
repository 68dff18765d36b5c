"""Booking for oneself, or for whom one acts for: free times, one that is kept, and the appointment."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from frontend.api import Refused
from frontend.controllers.mine.whose import area, nobody, whose
from frontend.desk import Desk
from frontend.forms import Form, said
from frontend.names import active
from frontend.sayings import N_

_ASKED: Final = ("facility_id", "doctor_id", "specialization_id", "appointment_type_id", "since", "moved")
_PLACE: Final = ("doctor_id", "appointment_type_id", "starts_at")
_CARRIED: Final = ("facility_id", "patient_id", *_PLACE, "hold_id", "moved")
_HELD: Final = "held"  # in the session: the time that was chosen, until it is booked or given back
_DAYS: Final = 28
_SHOWN: Final = 40  # free times at once


@area.get("/book", "appointments.find")
def book(desk: Desk) -> Any:
    """Free times, for a kind of appointment and a field or a doctor; to move one too."""
    about = whose(desk)
    patient = about["patient"]
    if patient is None:
        return nobody(desk)
    form = Form()
    form.values.update({name: desk.query[name] for name in _ASKED if desk.query.get(name)})
    lists = _lists(desk, form)
    days, error = _free(desk, form)
    values = {"form": form, "days": days, "error": error, **lists, **about}
    return desk.page("mine/_free.html" if desk.is_part else "mine/book.html", **values)


@area.post("/book/confirm", "appointments.find")
def hold(desk: Desk) -> Any:
    """A time was chosen: it is kept for a few minutes where one may book."""
    form = Form.sent(desk.form)
    if form.text("place"):  # one button says both
        form.values["doctor_id"], _, form.values["starts_at"] = form.value("place").partition(" ")
    if form.value("patient_id") == _held(desk).get("patient_id"):
        _give_back(desk)
    held = None
    if desk.may("appointments.book"):
        try:
            held = desk.send("hold_place", body=form.picked(_PLACE), facility_id=form.value("facility_id")).body
        except Refused as error:
            shown = _to_confirm(desk, form)
            return desk.again("mine/confirm.html", error, form=form, **shown, **_against(desk, form, error))
        form.values["hold_id"] = held["id"]
    desk.session.set(_HELD, {"hold": held, "key": desk.new_key(), "fields": form.picked(_CARRIED)})
    return desk.go("mine.confirm")


@area.get("/book/confirm", "appointments.find")
def confirm(desk: Desk) -> Any:
    """The time that is kept, once more with all that belongs to it."""
    held = desk.session.get(_HELD)
    if not held or (held["hold"] and datetime.fromisoformat(held["hold"]["expires_at"]) <= datetime.now(UTC)):
        return desk.go("mine.book", **_asked_again(_held(desk)))
    form = Form(MultiDict(held["fields"]), key=held["key"])
    shown = _to_confirm(desk, form)
    if shown["before"]:
        form.version = shown["before"]["version"]
    return desk.page("mine/confirm.html", form=form, hold=held["hold"], may_send=True, alternatives=[], **shown)


@area.post("/book", "appointments.find")
def send_book(desk: Desk) -> Any:
    """The appointment, the request for one, or the appointment moved; or what stands against it."""
    form = Form.sent(desk.form)
    try:
        got, text = _sent(desk, form)
    except Refused as error:
        form.values.pop("hold_id", None)
        shown = _to_confirm(desk, form)
        if error.status == 412 and shown["before"]:
            form.version = shown["before"]["version"]
        return desk.again("mine/confirm.html", error, form=form, **shown, **_against(desk, form, error))
    if got["status"] == "pending":
        _give_back(desk)  # a request keeps no place
    desk.session.pop(_HELD)
    desk.said(text, when=desk.words.moment(got["starts_at"], got["zone"]))
    return desk.go("mine.show", facility_id=got["facility_id"], appointment_id=got["id"])


@area.post("/book/release", "appointments.book")
def release(desk: Desk) -> Any:
    """The time is free for others again."""
    fields = _held(desk)
    _give_back(desk)
    return desk.go("mine.book", **_asked_again(fields))


def _held(desk: Desk) -> Mapping[str, str]:
    """What was chosen before and is not booked yet."""
    fields: Mapping[str, str] = (desk.session.get(_HELD) or {}).get("fields", {})
    return fields


def _give_back(desk: Desk) -> None:
    """Let others have what was kept."""
    fields = _held(desk)
    desk.session.pop(_HELD)
    if "hold_id" in fields:
        at: dict[str, Any] = {"facility_id": fields["facility_id"], "hold_id": fields["hold_id"]}
        with suppress(Refused):  # it has ended by itself
            desk.api.call("release_hold", key=desk.new_key(), **at)


def _lists(desk: Desk, form: Form) -> dict[str, Any]:
    """What there is to choose from; where there is one only, it is chosen."""
    facilities = active(desk.names.facilities())
    types = {key: each for key, each in active(desk.names.types()).items() if each["audience"] == "everyone"}
    fields, doctors = active(desk.names.specializations()), active(desk.names.doctors())
    for name, things in (("facility_id", facilities), ("appointment_type_id", types)):
        if len(things) == 1:
            form.values[name] = next(iter(things))
    field = form.text("specialization_id")
    if field:
        doctors = {key: each for key, each in doctors.items() if field in each["specialization_ids"]}
    if form.text("doctor_id") not in doctors:
        form.values.pop("doctor_id", None)
    return {"facilities": facilities, "types": types, "specializations": fields, "doctors": doctors}


def _free(desk: Desk, form: Form) -> tuple[list[tuple[str, list[Mapping[str, Any]]]], str]:
    """The first free times by day, as the clocks of their location show them."""
    facility = desk.names.facilities().get(form.value("facility_id"))
    whom = form.picked(["doctor_id"]) or form.picked(["specialization_id"])
    if facility is None or not whom or not form.text("appointment_type_id"):
        return [], ""
    since = _since(form, ZoneInfo(facility["zone"]))
    query = {
        **whom,
        "appointment_type_id": form.text("appointment_type_id"),
        "since": since.isoformat(),
        "until": (since + timedelta(days=_DAYS)).isoformat(),
        "limit": _SHOWN,
    }
    try:
        found = desk.api.call("find_free_places", query=query, facility_id=facility["id"], within_s=5).body["items"]
    except Refused as error:
        return [], said(error, desk.words)
    by_day = groupby(found, key=lambda each: desk.words.at(each["starts_at"], each["zone"]).date().isoformat())
    return [(day, list(places)) for day, places in by_day], ""


def _since(form: Form, zone: ZoneInfo) -> datetime:
    """From when on: the day that was typed, but never before now; in whole minutes, as the API knows them."""
    now = datetime.now(zone).replace(second=0, microsecond=0)
    try:
        return max(now, datetime.fromisoformat(form.value("since")).replace(tzinfo=zone))
    except ValueError:
        return now


def _to_confirm(desk: Desk, form: Form) -> dict[str, Any]:
    """The page before one books: for whom, where, and what is moved by it."""
    before = None
    if form.text("moved"):
        at: dict[str, Any] = {"facility_id": form.value("facility_id"), "appointment_id": form.text("moved")}
        before = desk.api.call("get_appointment", **at).body
        form.values["patient_id"] = before["patient_id"]
    facility = desk.names.facilities().get(form.value("facility_id"), {})
    return {"before": before, "facility": facility, **whose(desk, form.value("patient_id"))}


def _asked_again(fields: Mapping[str, str]) -> dict[str, str]:
    """For the page of free times: as it was asked before."""
    return {
        name: fields[name] for name in ("facility_id", "doctor_id", "appointment_type_id", "moved") if name in fields
    }


def _against(desk: Desk, form: Form, error: Refused) -> dict[str, Any]:
    """What can be done after a refusal: take another time, send it once more, or ask somebody to decide."""
    may_ask = error.status == 403 and desk.may("appointments.request") and not form.text("moved")
    if may_ask:
        form.values["as_request"] = "true"
    return {
        "hold": None,
        "may_send": may_ask or error.status in {412, 422},
        "alternatives": error.facts.get("alternatives", []),
    }


def _sent(desk: Desk, form: Form) -> tuple[Mapping[str, Any], str]:
    """What became of it, and what to say.

    Raises:  Refused.
    """
    at: dict[str, Any] = {"facility_id": form.value("facility_id")}
    if form.text("moved"):
        body = form.picked([*_PLACE, "hold_id"])
        got = desk.send("reschedule_appointment", body=body, appointment_id=form.text("moved"), **at).body
        return got, N_("Moved to %(when)s.")
    if desk.may("appointments.book") and not form.is_on("as_request"):
        body = form.picked(["patient_id", *_PLACE, "hold_id", "reason"])
        return desk.send("book_appointment", body=body, **at).body, N_("Booked for %(when)s.")
    body = form.picked(["patient_id", *_PLACE, "reason"])
    text = N_("You have asked for %(when)s. You hear from us when it is confirmed.")
    return desk.send("request_appointment", body=body, **at).body, text

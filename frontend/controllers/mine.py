"""The pages of patients, and of those who act for them: appointments, the record, who opened it, and messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from frontend.accesses import Access, told
from frontend.api import Refused
from frontend.area import Area
from frontend.choices import CHANNELS, EVENTS, chosen, form_of
from frontend.controllers.account import take_other
from frontend.desk import Desk
from frontend.forms import Form, said
from frontend.names import Things

area = Area("mine", at="/mine")
OPEN: Final = frozenset({"pending", "booked", "arrived", "in_progress"})
_TABS: Final = frozenset({"appointments", "book", "record", "accesses", "messages", "preferences"})
_ASKED: Final = ("facility_id", "doctor_id", "specialization_id", "appointment_type_id", "since", "moved")
_PLACE: Final = ("doctor_id", "appointment_type_id", "starts_at")
_DAYS: Final = 28
_SHOWN: Final = 40  # free times at once
_FEW: Final = 20
_MOST_PAGES: Final = 5


@area.post("/for-whom", "patients.read")
def choose(desk: Desk) -> Any:
    """The record that the pages are about from now on."""
    if desk.form.get("patient_id") in _records(desk):
        desk.session.set("patient", desk.form["patient_id"])
    tab = desk.form.get("tab", "")
    return desk.go(f"mine.{tab if tab in _TABS else 'appointments'}")


# ---- appointments ----------------------------------------------------------------------------------------------------


@area.get("", "appointments.read")
def appointments(desk: Desk) -> Any:
    """What comes, and what was."""
    whose = _whose(desk)
    patient = whose["patient"]
    if patient is None:
        return _nobody(desk)
    query = {"limit": 50, "cursor": desk.query.get("cursor")}
    page = desk.api.call("list_patient_appointments", query=query, patient_id=patient["id"]).body
    now = datetime.now(UTC)
    coming = [
        each for each in page["items"] if each["status"] in OPEN and datetime.fromisoformat(each["ends_at"]) > now
    ]
    values = {
        "coming": sorted(coming, key=lambda each: datetime.fromisoformat(each["starts_at"])),
        "past": [each for each in page["items"] if each not in coming],
        "next_cursor": page["next_cursor"],
    }
    if desk.is_part:
        return desk.page("mine/_past.html" if "cursor" in desk.query else "mine/_appointments.html", **values)
    return desk.page("mine/appointments.html", **whose, **values)


@area.get("/appointments/<uuid:facility_id>/<uuid:appointment_id>", "appointments.read")
def show(desk: Desk, facility_id: str, appointment_id: str) -> Any:
    """One appointment, and what can be done with it."""
    return desk.page("mine/show.html", form=Form(), **_appointment(desk, facility_id, appointment_id))


@area.post("/appointments/<uuid:facility_id>/<uuid:appointment_id>/cancel", "appointments.book")
def cancel(desk: Desk, facility_id: str, appointment_id: str) -> Any:
    """It does not take place; where it is too late for that, the telephone is shown."""
    form = Form.sent(desk.form)
    at = {"facility_id": facility_id, "appointment_id": appointment_id}
    try:
        desk.send("cancel_appointment", body=form.picked(["reason_code", "note"]), **at)
    except Refused as error:
        return desk.again("mine/show.html", error, form=form, **_appointment(desk, **at))
    desk.said("The appointment is cancelled.")
    return desk.go("mine.appointments")


# ---- booking ---------------------------------------------------------------------------------------------------------


@area.get("/book", "appointments.find")
def book(desk: Desk) -> Any:
    """Free times, for a kind of appointment and a field or a doctor; to move one too."""
    whose = _whose(desk)
    patient = whose["patient"]
    if patient is None:
        return _nobody(desk)
    form = Form()
    form.values.update({name: desk.query[name] for name in _ASKED if desk.query.get(name)})
    lists = _lists(desk, form)
    days, error = _free(desk, form)
    values = {"form": form, "days": days, "error": error, **lists, **whose}
    return desk.page("mine/_free.html" if desk.is_part else "mine/book.html", **values)


@area.post("/book/confirm", "appointments.find")
def confirm(desk: Desk) -> Any:
    """A time was chosen: it is kept for a few minutes where one may book, and shown once more."""
    form = Form.sent(desk.form)
    if form.text("place"):  # one button says both
        form.values["doctor_id"], _, form.values["starts_at"] = form.value("place").partition(" ")
    shown = _to_confirm(desk, form)
    if shown["before"]:
        form.version = shown["before"]["version"]
    hold = None
    if desk.may("appointments.book"):
        try:
            hold = desk.send("hold_place", body=form.picked(_PLACE), facility_id=form.value("facility_id")).body
        except Refused as error:
            return desk.again("mine/confirm.html", error, form=form, **shown, **_against(desk, form, error))
        form.values["hold_id"] = hold["id"]
    form.key = desk.new_key()
    return desk.page("mine/confirm.html", form=form, hold=hold, may_send=True, alternatives=[], **shown)


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
    desk.said(text, when=desk.words.moment(got["starts_at"], got["zone"]))
    return desk.go("mine.show", facility_id=got["facility_id"], appointment_id=got["id"])


@area.post("/book/release", "appointments.book")
def release(desk: Desk) -> Any:
    """The time is free for others again."""
    form = Form.sent(desk.form)
    if form.text("hold_id"):
        desk.send("release_hold", facility_id=form.value("facility_id"), hold_id=form.text("hold_id"))
    return desk.go("mine.book", **form.picked(["facility_id", "doctor_id", "appointment_type_id", "moved"]))


# ---- the record ------------------------------------------------------------------------------------------------------


@area.get("/record", "patients.read")
def record(desk: Desk) -> Any:
    """What the house has written down, to be read."""
    whose = _whose(desk)
    patient = whose["patient"]
    if patient is None:
        return _nobody(desk)
    allergies, problems = None, None
    if desk.may("history.read"):
        query = {"status": "active", "limit": 200}
        allergies = desk.api.call("list_allergies", query=query, patient_id=patient["id"]).body
        problems = desk.api.call("list_problems", query=query, patient_id=patient["id"]).body["items"]
    return desk.page("mine/record.html", **whose, record=_record(desk, patient), allergies=allergies, problems=problems)


@area.get("/accesses", "audit.read_own_record")
def accesses(desk: Desk) -> Any:
    """Who opened the record, when and why; people of the house, or really all of it."""
    whose = _whose(desk)
    patient = whose["patient"]
    if patient is None:
        return _nobody(desk)
    is_all = "all" in desk.query
    found, cursor = _accesses(desk, str(patient["id"]), is_all=is_all)
    values = {"days": told(found, desk.words), "next_cursor": cursor, "is_all": is_all}
    if desk.is_part:
        return desk.page("mine/_accesses.html", **values)
    return desk.page("mine/accesses.html", **whose, **values)


# ---- messages --------------------------------------------------------------------------------------------------------


@area.get("/messages", "notifications.read")
def messages(desk: Desk) -> Any:
    """What the house has told this patient."""
    whose = _whose(desk)
    patient = whose["patient"]
    if patient is None:
        return _nobody(desk)
    query = {"limit": _FEW, "cursor": desk.query.get("cursor")}
    page = desk.api.call("list_patient_messages", query=query, patient_id=patient["id"]).body
    if desk.is_part:
        return desk.page("mine/_messages.html", page=page)
    to_account = desk.api.call("list_own_messages", query={"unread": "true", "limit": _FEW}).body["items"]
    return desk.page("mine/messages.html", **whose, page=page, to_account=to_account)


@area.get("/preferences", "notifications.read")
def preferences(desk: Desk) -> Any:
    """Which messages this patient gets, and by which way."""
    whose = _whose(desk)
    patient = whose["patient"]
    if patient is None:
        return _nobody(desk)
    form = form_of(desk.api.call("get_patient_notification_preferences", patient_id=patient["id"]).body)
    return desk.page("mine/preferences.html", form=form, **whose, **_to_choose(desk, patient))


@area.post("/preferences", "notifications.set_preferences")
def send_preferences(desk: Desk) -> Any:
    """Others from now on."""
    form = Form.sent(desk.form)
    whose = _whose(desk, form.value("patient_id"))
    patient = whose["patient"]
    if patient is None:
        return _nobody(desk)
    try:
        desk.send("set_patient_notification_preferences", body={"choices": chosen(form)}, patient_id=patient["id"])
    except Refused as error:
        if error.status == 412:
            take_other(form, desk.api.call("get_patient_notification_preferences", patient_id=patient["id"]).body)
        return desk.again("mine/preferences.html", error, form=form, **whose, **_to_choose(desk, patient))
    desk.said("Your choice is saved.")
    return desk.go("mine.messages")


# ---- whose pages these are -------------------------------------------------------------------------------------------


def _records(desk: Desk) -> Things:
    """The records that this account opens, by id; one whose link is over is not among them."""
    return desk.names.patients(each["patient_id"] for each in desk.person.get("links", ()))


def _whose(desk: Desk, patient_id: str = "") -> dict[str, Any]:
    """The records, and the one that the page is about: the one that is named, else the one that was chosen."""
    records = _records(desk)
    patient = records.get(patient_id) or records.get(desk.own_patient or "") or next(iter(records.values()), None)
    return {"patient": patient, "records": records}


def _record(desk: Desk, patient: Mapping[str, Any]) -> Mapping[str, Any]:
    """All that the house knows of the person."""
    found: Mapping[str, Any] = desk.api.call("get_patient", patient_id=patient["id"]).body
    return found


def _nobody(desk: Desk) -> Any:
    """The account opens no record yet."""
    return desk.page("mine/nobody.html")


def _appointment(desk: Desk, facility_id: str, appointment_id: str) -> dict[str, Any]:
    found = desk.api.call("get_appointment", facility_id=facility_id, appointment_id=appointment_id).body
    facility = desk.names.facilities().get(facility_id, {})
    return {"appointment": found, "facility": facility, **_whose(desk, found["patient_id"])}


def _to_choose(desk: Desk, patient: Mapping[str, Any]) -> dict[str, Any]:
    is_nothing_wanted = _record(desk, patient)["contact_preference"] == "none"
    return {"channels": CHANNELS, "events": EVENTS, "is_nothing_wanted": is_nothing_wanted}


# ---- what is free ----------------------------------------------------------------------------------------------------


def _lists(desk: Desk, form: Form) -> dict[str, Any]:
    """What there is to choose from; where there is one only, it is chosen."""
    facilities = _active(desk.names.facilities())
    types = {key: each for key, each in _active(desk.names.types()).items() if each["audience"] == "everyone"}
    fields, doctors = _active(desk.names.specializations()), _active(desk.names.doctors())
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


def _active(things: Things) -> Things:
    return {key: each for key, each in things.items() if each["active"]}


def _to_confirm(desk: Desk, form: Form) -> dict[str, Any]:
    """The page before one books: for whom, where, and what is moved by it."""
    before = None
    if form.text("moved"):
        at = {"facility_id": form.value("facility_id"), "appointment_id": form.text("moved")}
        before = desk.api.call("get_appointment", **at).body
        form.values["patient_id"] = before["patient_id"]
    facility = desk.names.facilities().get(form.value("facility_id"), {})
    return {"before": before, "facility": facility, **_whose(desk, form.value("patient_id"))}


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
    at = {"facility_id": form.value("facility_id")}
    if form.text("moved"):
        body = form.picked([*_PLACE, "hold_id"])
        got = desk.send("reschedule_appointment", body=body, appointment_id=form.text("moved"), **at).body
        return got, "Moved to %(when)s."
    if desk.may("appointments.book") and not form.is_on("as_request"):
        body = form.picked(["patient_id", *_PLACE, "hold_id", "reason"])
        return desk.send("book_appointment", body=body, **at).body, "Booked for %(when)s."
    body = form.picked(["patient_id", *_PLACE, "reason"])
    text = "You have asked for %(when)s. You hear from us when it is confirmed."
    return desk.send("request_appointment", body=body, **at).body, text


def _accesses(desk: Desk, patient_id: str, *, is_all: bool) -> tuple[list[Access], str | None]:
    """A page of them; without the own looks and the work of the house, as many pages are read as it takes."""
    cursor, found = desk.query.get("cursor"), list[Access]()
    for _ in range(_MOST_PAGES):
        query = {"limit": 50 if is_all else 200, "cursor": cursor}
        page = desk.api.call("list_record_accesses", query=query, patient_id=patient_id, within_s=5).body
        cursor = page["next_cursor"]
        found += [each for each in page["items"] if is_all or each["by"]["kind"] == "staff"]
        if is_all or len(found) >= _FEW or not cursor:
            break
    return found, cursor

"""When doctors work and when they are away: weekly hours, and leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from frontend.api import Answer, Refused
from frontend.area import Area
from frontend.controllers import plans
from frontend.controllers.doctors import choosable, may_plan, named, opened
from frontend.desk import Desk
from frontend.forms import Form, Wrong
from frontend.sayings import N_
from frontend.versions import Show, differing, plain
from frontend.words import Words

area = Area("schedules", at="/doctors")
_MONDAY: Final = date(2024, 1, 1)
Things = Sequence[Mapping[str, Any]]


@area.get("/my-hours", "schedules.manage_own", "doctors.read")
def my_hours(desk: Desk) -> Any:
    """The hours of whoever is signed in."""
    own = desk.own_doctor
    return hours(desk, own) if own else _nobody(desk)


@area.get("/my-leave", "schedules.manage_own", "doctors.read")
def my_leave(desk: Desk) -> Any:
    """The leave of whoever is signed in."""
    own = desk.own_doctor
    return leave(desk, own) if own else _nobody(desk)


@area.get("/<uuid:doctor_id>/hours", "doctors.read")
def hours(desk: Desk, doctor_id: str) -> Any:
    """The week as it is worked."""
    found = list(desk.api.every("list_doctor_sessions", doctor_id=doctor_id))
    today = _today(desk)
    now = [each for each in found if not is_over(each, today)]
    values: dict[str, Any] = {
        "week": week(now, desk.words),
        "over": sorted(
            (each for each in found if is_over(each, today)), key=lambda each: each["valid_to"], reverse=True
        ),
        "zones": sorted({each["zone"] for each in now}),
        "today": today.isoformat(),
        "weekdays": dict(weekdays(desk.words)),
    }
    if desk.is_part:
        return desk.page("schedules/_week.html", **_doctor(desk, doctor_id), **values)
    return desk.page("schedules/hours.html", change=plans.asked(desk, doctor_id), **_doctor(desk, doctor_id), **values)


@area.get("/<uuid:doctor_id>/hours/new", "schedules.manage_own")
def add(desk: Desk, doctor_id: str) -> Any:
    """A form for more weekly hours."""
    form = Form(name=f"hours.{doctor_id}")
    form.values.update({"slot_minutes": "15", "capacity": "1", "valid_from": _today(desk).isoformat()})
    if desk.query.get("weekday"):
        form.values["weekday"] = desk.query["weekday"]
    values = {**_doctor(desk, doctor_id), **_choices(desk)}
    if len(values["locations"]) == 1:
        form.values["location_id"] = values["locations"][0][0]
    return desk.page("schedules/add.html", form=desk.drafted(form), other=None, **values)


@area.post("/<uuid:doctor_id>/hours/new", "schedules.manage_own")
def send_add(desk: Desk, doctor_id: str) -> Any:
    """More weekly hours."""
    form = Form.sent(desk.form, name=f"hours.{doctor_id}")
    try:
        place = desk.names.locations().get(form.needed("location_id"), {})
        body = {"facility_id": place.get("facility_id"), "valid_from": form.value("valid_from"), **_hours(form)}
        answer = desk.send("add_doctor_session", body=body, doctor_id=doctor_id)
    except (Refused, Wrong) as error:
        values = {**_doctor(desk, doctor_id), **_choices(desk), "other": _overlapped(desk, doctor_id, error)}
        return desk.again("schedules/add.html", error, form=form, **values)
    desk.drop_draft(form.name)
    return _told(desk, answer, N_("The hours are added."), doctor_id, "hours")


@area.get("/<uuid:doctor_id>/hours/<uuid:doctor_session_id>", "schedules.manage_own")
def change(desk: Desk, doctor_id: str, doctor_session_id: str) -> Any:
    """Weekly hours as they are, to be changed from a day on, or ended."""
    session = _session(desk, doctor_id, doctor_session_id)
    values = {**_doctor(desk, doctor_id), **_choices(desk, session)}
    form = desk.drafted(_form_of(desk, session))
    return desk.page("schedules/change.html", form=form, session=session, both=(), other=None, **values)


@area.post("/<uuid:doctor_id>/hours/<uuid:doctor_session_id>", "schedules.manage_own")
def send_change(desk: Desk, doctor_id: str, doctor_session_id: str) -> Any:
    """Other hours from a day on."""
    form = Form.sent(desk.form, name=f"session.{doctor_session_id}")
    at: dict[str, Any] = {"doctor_id": doctor_id, "doctor_session_id": doctor_session_id}
    try:
        body = {"applies_from": form.value("applies_from"), **_hours(form)}
        answer = desk.send("change_doctor_session", body=body, **at)
    except (Refused, Wrong) as error:
        return _not_changed(desk, error, form, **at)
    desk.drop_draft(form.name)
    return _told(desk, answer, N_("The hours are changed."), doctor_id, "hours")


@area.post("/<uuid:doctor_id>/hours/<uuid:doctor_session_id>/end", "schedules.manage_own")
def end(desk: Desk, doctor_id: str, doctor_session_id: str) -> Any:
    """No such hours after a last day."""
    form = Form.sent(desk.form)
    at: dict[str, Any] = {"doctor_id": doctor_id, "doctor_session_id": doctor_session_id}
    try:
        answer = desk.send("end_doctor_session", query={"last": form.text("last")}, **at)
    except Refused as error:
        if error.status == 404:
            return _gone(desk, doctor_id)
        session = _session(desk, **at)
        typed, form = form, _form_of(desk, session)
        form.values["last"] = typed.value("last")
        values = {**_doctor(desk, doctor_id), **_choices(desk, session), "session": session, "both": (), "other": None}
        return plans.refused(desk, error, "schedules/change.html", form=form, **values)
    return _told(desk, answer, N_("The hours have a last day now."), doctor_id, "hours")


@area.get("/<uuid:doctor_id>/leave", "schedules.manage_own")
def leave(desk: Desk, doctor_id: str) -> Any:
    """When a doctor is away."""
    values = {**_doctor(desk, doctor_id), **_leave(desk, doctor_id)}
    if desk.is_part:
        return desk.page("schedules/_leave.html", form=Form(), **values)
    form = desk.drafted(Form(name=f"leave.{doctor_id}"))
    return desk.page("schedules/leave.html", form=form, change=plans.asked(desk, doctor_id), **values)


@area.post("/<uuid:doctor_id>/leave", "schedules.manage_own")
def send_leave(desk: Desk, doctor_id: str) -> Any:
    """More leave; where appointments stand against it, they are shown first and kept only when that is said."""
    form = Form.sent(desk.form, name=f"leave.{doctor_id}")
    try:
        body = {**plans.period(form, desk.words.zone), **form.picked(["reason", "clashing"])}
        if desk.facility and "starts_at" not in body:
            body["facility_id"] = desk.facility["id"]
        answer = desk.send("add_leave", body=body, doctor_id=doctor_id)
    except (Refused, Wrong) as error:
        values = {**_doctor(desk, doctor_id), **_leave(desk, doctor_id), "change": None}
        return desk.again("schedules/leave.html", plans.beside_clock(error), form=form, **values)
    desk.drop_draft(form.name)
    return _told(desk, answer, N_("The leave is noted."), doctor_id, "leave")


@area.post("/<uuid:doctor_id>/leave/<uuid:leave_id>/remove", "schedules.manage_own")
def remove_leave(desk: Desk, doctor_id: str, leave_id: str) -> Any:
    """Leave is taken back: the hours in it can be booked again."""
    try:
        answer = desk.send("remove_leave", doctor_id=doctor_id, leave_id=leave_id)
    except Refused as error:
        values = {**_doctor(desk, doctor_id), **_leave(desk, doctor_id), "change": None}
        return plans.refused(desk, error, "schedules/leave.html", form=Form(), **values)
    return _told(desk, answer, N_("The leave is taken back."), doctor_id, "leave")


def weekdays(words: Words) -> list[tuple[int, str]]:
    """Monday to Sunday by their numbers (ISO 8601)."""
    return [(number, words.weekday(_MONDAY.replace(day=number), "EEEE")) for number in range(1, 8)]


def week(sessions: Things, words: Words) -> list[tuple[int, str, Things]]:
    """Each day of the week with its hours, as they follow on the clock."""
    ordered = sorted(sessions, key=lambda each: (each["starts"], each["valid_from"]))
    return [(number, name, [each for each in ordered if each["weekday"] == number]) for number, name in weekdays(words)]


def is_over(session: Mapping[str, Any], today: date) -> bool:
    """Whether weekly hours have had their last day."""
    return session["valid_to"] is not None and date.fromisoformat(session["valid_to"]) < today


def _nobody(desk: Desk) -> Any:
    """Somebody who may plan, and is no doctor."""
    desk.said("No doctor's profile belongs to your account. Whoever keeps the doctors can link it.", "warning")
    return desk.go("doctors.list_all")


def _told(desk: Desk, answer: Answer, text: str, doctor_id: str, page: str) -> Any:
    """After a change, on the page that one came from: the own one, or the doctor's."""
    if doctor_id == desk.own_doctor:
        return plans.told(desk, answer, text, f"schedules.my_{page}")
    return plans.told(desk, answer, text, f"schedules.{page}", doctor_id=doctor_id)


def _doctor(desk: Desk, doctor_id: str) -> dict[str, Any]:
    return {"doctor": opened(desk, doctor_id), "may_plan": may_plan(desk, doctor_id)}


def _today(desk: Desk) -> date:
    return datetime.now(ZoneInfo(desk.words.zone)).date()


def _session(desk: Desk, doctor_id: str, doctor_session_id: str) -> Mapping[str, Any]:
    at: dict[str, Any] = {"doctor_id": doctor_id, "doctor_session_id": doctor_session_id}
    found: Mapping[str, Any] = desk.api.call("get_doctor_session", **at).body
    return found


def _form_of(desk: Desk, session: Mapping[str, Any]) -> Form:
    form = Form.of(session, name=f"session.{session['id']}")
    form.values["applies_from"] = max(_today(desk).isoformat(), session["valid_from"])
    return form


def _hours(form: Form) -> dict[str, Any]:
    """What the form says of weekly hours, as the API takes it.

    Raises:  Wrong.
    """
    numbers = {name: form.number(name) for name in ("weekday", "slot_minutes", "capacity", "max_bookings")}
    return {
        **{name: number for name, number in numbers.items() if number is not None or name == "max_bookings"},
        **form.picked(["location_id", "starts", "ends"]),
        "valid_to": form.text("valid_to"),
        "resource_ids": form.many("resource_ids"),
        "appointment_type_ids": form.many("appointment_type_ids"),
    }


def _choices(desk: Desk, session: Mapping[str, Any] | None = None) -> dict[str, Any]:
    held = session or {"location_id": "", "resource_ids": (), "appointment_type_ids": ()}
    where = session["facility_id"] if session else None
    places = {key: each for key, each in desk.names.locations().items() if where in {None, each["facility_id"]}}
    facilities = desk.names.facilities()
    locations = choosable(places, [held["location_id"]] if held["location_id"] else ())
    if len(facilities) > 1 and not session:
        called = {key: desk.names.called(facilities, places[key]["facility_id"]) for key, _ in locations}
        locations = sorted((key, f"{called[key]}: {name}") for key, name in locations)
    return {
        "locations": locations,
        "resources": choosable(_of(desk.names.resources(), where), held["resource_ids"]),
        "types": choosable(desk.names.types(), held["appointment_type_ids"]),
        "weekdays": weekdays(desk.words),
    }


def _of(things: Mapping[str, Mapping[str, Any]], facility_id: str | None) -> dict[str, Mapping[str, Any]]:
    return {key: each for key, each in things.items() if facility_id in {None, each["facility_id"]}}


def _overlapped(desk: Desk, doctor_id: str, error: Refused | Wrong) -> Mapping[str, Any] | None:
    """The other hours at the same time, and the first day on which both would be."""
    if not isinstance(error, Refused) or error.code != "sessions_overlap":
        return None
    try:
        other = _session(desk, doctor_id, str(error.facts["session_id"]))
    except Refused:
        return None
    return {**other, "first_day": error.facts["first_day"]}


def _not_changed(desk: Desk, error: Refused | Wrong, form: Form, *, doctor_id: str, doctor_session_id: str) -> Any:
    if isinstance(error, Refused) and error.status == 404:
        return _gone(desk, doctor_id)
    session = _session(desk, doctor_id, doctor_session_id)
    both: Sequence[Any] = ()
    if isinstance(error, Refused) and error.status == 412:
        form.version = session["version"]
        both = differing(form, Form.of(session), _compared(desk))
    values = {**_doctor(desk, doctor_id), **_choices(desk, session), "session": session, "both": both}
    return desk.again("schedules/change.html", error, form=form, other=_overlapped(desk, doctor_id, error), **values)


def _gone(desk: Desk, doctor_id: str) -> Any:
    """Hours that somebody else has replaced or ended before they began."""
    desk.said("Somebody has changed these hours meanwhile. This is the week as it stands now.", "warning")
    return desk.go("schedules.hours", doctor_id=doctor_id)


def _compared(desk: Desk) -> dict[str, tuple[str, Show]]:
    """Fields of weekly hours, for two versions of them."""
    words, names = desk.words, desk.names
    days = {str(number): name for number, name in weekdays(words)}
    plainly = {
        "starts": N_("Begins"),
        "ends": N_("Ends"),
        "slot_minutes": N_("Minutes of one place"),
        "capacity": N_("Patients at a time"),
        "max_bookings": N_("Most appointments a day"),
        "valid_to": N_("Last day"),
    }
    return {
        "weekday": (words.say("Day of the week"), lambda values: plain([days.get(each, each) for each in values])),
        **{name: (words.say(label), plain) for name, label in plainly.items()},
        "location_id": (words.say("Place"), named(names.locations())),
        "resource_ids": (words.say("Rooms and devices"), named(names.resources())),
        "appointment_type_ids": (words.say("Kinds of appointment"), named(names.types())),
    }


def _leave(desk: Desk, doctor_id: str) -> dict[str, Any]:
    """Leave that is to come or goes on, and what is over."""
    now = datetime.now(ZoneInfo("UTC"))
    found = sorted(desk.api.every("list_leave", doctor_id=doctor_id), key=lambda each: each["starts_at"])
    is_past = {each["id"]: datetime.fromisoformat(each["ends_at"]) <= now for each in found}
    return {
        "coming": [each for each in found if not is_past[each["id"]]],
        "over": [each for each in reversed(found) if is_past[each["id"]]],
    }

"""The calendar: whose days are looked at, what stands in them, and moving and booking out of it.

What is looked at is kept in the session, because who it is about belongs into no address; view and day stand in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import flask
from werkzeug.datastructures import MultiDict

from frontend import schedule
from frontend.addresses import url_for
from frontend.api import Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form
from frontend.labels import GROUPINGS, STATUSES, VIEWS
from frontend.names import Things, active
from frontend.rows import rows
from services.kernel.intervals import Interval

area = Area("calendar", at="/calendar")
_NEEDS: Final = ("appointments.read", "doctors.read")
_MANY: Final = 12
"""More doctors than these are not shown side by side unless somebody asks for them."""
_NAMED_DAYS: Final = 8
"""Names stand in the calendar of a week; for a month no records are opened."""
_MOST_DAYS: Final = 45
_MOVED: Final = ("doctor_id", "overbook_reason", "overlap_reason")


@dataclass(frozen=True)
class Chosen:
    """What is looked at. of: one doctor, field, department or place; empty: all. status: empty: all that stand."""

    by: str
    of: str
    status: str
    doctors: Sequence[str]

    @property
    def is_one(self) -> bool:
        """Whether there is one doctor, so that no columns are needed."""
        return self.by == "doctor"

    @property
    def statuses(self) -> list[str]:
        """What the API is asked for."""
        return [self.status] if self.status else [each for each in STATUSES if each not in schedule.GONE]


@area.get("", *_NEEDS)
def show(desk: Desk) -> Any:
    """The calendar; on a phone the list of a day."""
    chosen = _chosen(desk)
    zone, view = _zone(desk, chosen), desk.query.get("view", "")
    shown: dict[str, Any] = {
        "view": view if view in VIEWS else ("week" if chosen.is_one else "day"),
        "day": _day(desk).isoformat(),
        "columns": [{"id": each, "title": desk.names.doctor(each)} for each in chosen.doctors],
        "now": datetime.now(zone),
        "first_day": (desk.words.locale.first_week_day + 1) % 7,
    }
    return desk.page("calendar/show.html", chosen=chosen, zone=zone, **shown, **_choice(desk, chosen))


@area.post("/choose", *_NEEDS)
def choose(desk: Desk) -> Any:
    """Others are looked at from now on."""
    form = Form.sent(desk.form)
    before = desk.session.get("calendar") or {}
    sent = {name: form.value(name) for name in ("by", "status", *GROUPINGS) if name in form.values}
    desk.session.set("calendar", {**before, **sent})
    asked = form.picked(["view", "day"])
    return desk.go("calendar.day" if form.text("list") else "calendar.show", **asked)


@area.get("/day", *_NEEDS)
def day(desk: Desk) -> Any:
    """The list of a day: to be read on a phone, and to be printed."""
    chosen, wanted = _chosen(desk), _day(desk)
    zone = _zone(desk, chosen)
    found = _appointments(desk, chosen, schedule.days(wanted, 1, zone=zone))
    patients = desk.names.patients(each["patient_id"] for each in found)
    shown: dict[str, Any] = {"day": wanted, "chosen": chosen, "now": datetime.now(zone)}
    shown["rows"] = rows(desk, found, patients, zone=zone.key)
    steps: dict[str, Any] = {"before": wanted - timedelta(days=1), "after": wanted + timedelta(days=1)}
    if desk.is_part:
        return desk.page("calendar/_day.html", **shown, **steps)
    return desk.page("calendar/day.html", **shown, **steps, **_choice(desk, chosen))


@area.post("/feed", *_NEEDS)
def feed(desk: Desk) -> Any:
    """What the calendar draws, as JSON; asked for by POST, so that nobody's id stands in an address."""
    form = Form.sent(desk.form)
    chosen = _of_form(desk, form)
    zone = _zone(desk, chosen)
    first, until = _date(form.value("since")), _date(form.value("until"))
    count = min(max((until - first).days, 1), _MOST_DAYS) if first and until else 1
    period = schedule.days(first or _today(zone), count, zone=zone)
    found = _appointments(desk, chosen, period)
    patients = desk.names.patients(each["patient_id"] for each in found) if count <= _NAMED_DAYS else None
    plans = desk.names.plans(desk.facility_id)
    shown = [plans[each] for each in chosen.doctors if each in plans]
    events = schedule.backdrop(shown, period, zone=zone, location=chosen.of if chosen.by == "location" else "")
    events += [_drawn(desk, each, patients, zone) for each in found]
    return flask.jsonify(events=events, hours=schedule.hours_of_day(events))


@area.post("/begin", "appointments.book", *_NEEDS)
def begin(desk: Desk) -> Any:
    """A free time was chosen: for what kind of appointment."""
    form = Form.sent(desk.form)
    chosen = _of_form(desk, form)
    starts_at = schedule.moment_of(form.value("local"), _zone(desk, chosen))
    plan = desk.names.plans(desk.facility_id).get(form.value("doctor_id"), {})
    offered = {each["id"]: each["minutes"] for each in plan.get("appointment_types", ())}
    types = {key: each for key, each in desk.names.types().items() if each["active"] and key in offered}
    return desk.page("calendar/_begin.html", form=form, starts_at=starts_at, types=types, minutes=offered)


@area.post("/place", "appointments.book", *_NEEDS)
def place(desk: Desk) -> Any:
    """To move without dragging: the time and the doctor are typed and chosen."""
    form = Form.sent(desk.form)
    return desk.page("calendar/_move.html", form=form, **_moving(desk, form))


@area.post("/move", "appointments.book", *_NEEDS)
def move(desk: Desk) -> Any:
    """Move an appointment; what is refused says why and what is free instead."""
    form = Form.sent(desk.form)
    if form.text("place"):  # one button says both
        form.values["doctor_id"], _, form.values["starts_at"] = form.value("place").partition(" ")
    starts_at = form.text("starts_at") or _starts_at(desk, form)
    body = {**form.picked(_MOVED), **({"starts_at": starts_at} if starts_at else {})}
    at: dict[str, Any] = {"facility_id": desk.facility_id, "appointment_id": form.value("appointment_id")}
    try:
        moved = desk.send("reschedule_appointment", body=body, **at).body
    except Refused as error:
        if error.status == 412:
            form.version = desk.api.call("get_appointment", **at).version
        form.values["starts_at"] = starts_at or ""
        return desk.again("calendar/_move.html", error, form=form, **_moving(desk, form, error))
    when = desk.words.moment(moved["starts_at"], moved["zone"])
    said = desk.words.say("Moved to %(when)s.", when=when)
    return flask.jsonify(said=said, id=moved["id"], version=moved["version"])


def _moving(desk: Desk, form: Form, error: Refused | None = None) -> dict[str, Any]:
    """What stands around the form. error: what was refused just now, before the form has taken it."""
    code, facts = (error.code, error.facts) if error else ("", {})
    found = desk.api.call(
        "get_appointment", facility_id=desk.facility_id, appointment_id=form.value("appointment_id")
    ).body
    if form.version is None:
        form.version = found["version"]
    zone = _zone(desk, _of_form(desk, form))
    wanted = form.text("starts_at") or str(found["starts_at"])
    form.values["local"] = form.text("local") or schedule.wall(datetime.fromisoformat(wanted), zone)[:16]
    form.values["doctor_id"] = form.text("doctor_id") or str(found["doctor_id"])
    return {
        "appointment": found,
        "patient": desk.names.patients([found["patient_id"]]).get(found["patient_id"]),
        "doctors": active(desk.names.doctors()),
        "now": datetime.now(zone),
        "alternatives": [each for each in facts.get("alternatives", []) if not _is_where(found, each)],
        "may_overbook": desk.may("appointments.overbook") and code == "place_taken",
        "may_overlap": desk.may("appointments.overlap") and code == "patient_busy",
    }


def _is_where(appointment: Mapping[str, Any], place: Mapping[str, Any]) -> bool:
    """Whether a place is the one that the appointment has already."""
    starts = [datetime.fromisoformat(each["starts_at"]) for each in (appointment, place)]
    return starts[0] == starts[1] and bool(appointment["doctor_id"] == place["doctor_id"])


def _starts_at(desk: Desk, form: Form) -> str | None:
    found = schedule.moment_of(form.value("local"), _zone(desk, _of_form(desk, form)))
    return found.isoformat() if found else None


def _chosen(desk: Desk) -> Chosen:
    """What this person looked at last; a doctor begins with the own days."""
    kept: Mapping[str, str] = desk.session.get("calendar") or {}
    own = desk.own_doctor
    by = kept.get("by") or ("doctor" if own else "specialization")
    of = kept.get(by, "")
    if by == "doctor" and of not in desk.names.doctors():
        of = own or next(iter(_sorted(active(desk.names.doctors()))), "")
    if by == "location" and not of:
        of = next((key for key, each in desk.names.locations().items() if _is_here(desk, each)), "")
    if by == "specialization" and not of and by not in kept and len(active(desk.names.doctors())) > _MANY:
        of = next(iter(active(desk.names.specializations())), "")
    return _made(desk, by, of, kept.get("status", ""))


def _of_form(desk: Desk, form: Form) -> Chosen:
    """What an open page shows, whatever has been chosen elsewhere meanwhile."""
    return _made(desk, form.value("by"), form.value("of"), form.value("status"))


def _made(desk: Desk, by: str, of: str, status: str) -> Chosen:
    doctors = active(desk.names.doctors())
    if by == "doctor":
        shown = {key: each for key, each in desk.names.doctors().items() if key == of}
    elif by == "location":
        plans = desk.names.plans(desk.facility_id)
        there = {key for key, plan in plans.items() if any(each["location_id"] == of for each in plan["sessions"])}
        shown = {key: each for key, each in doctors.items() if key in there}
    else:
        member = f"{by}_ids"
        shown = {key: each for key, each in doctors.items() if not of or of in each.get(member, ())}
    return Chosen(by if by in GROUPINGS else "doctor", of, status if status in STATUSES else "", _sorted(shown))


def _appointments(desk: Desk, chosen: Chosen, period: Interval) -> list[Mapping[str, Any]]:
    """What stands in a period, in the order of time."""
    found: list[Mapping[str, Any]] = []
    if chosen.doctors:
        few = {"doctor_id": list(chosen.doctors)} if len(chosen.doctors) <= 50 else {}
        for part in schedule.parts(period):
            query = {"since": part.start.isoformat(), "until": part.end.isoformat(), "status": chosen.statuses, **few}
            found += desk.api.every("list_appointments", query=query, facility_id=desk.facility_id)
    wanted = [
        each
        for each in found
        if each["doctor_id"] in chosen.doctors and (chosen.by != "location" or each["location_id"] == chosen.of)
    ]
    return sorted(wanted, key=lambda each: datetime.fromisoformat(each["starts_at"]))


def _drawn(desk: Desk, appointment: Mapping[str, Any], patients: Things | None, zone: ZoneInfo) -> schedule.Drawn:
    """Named after the patient, or after the doctor where many days are looked at."""
    called = desk.names.called(desk.names.types(), appointment["appointment_type_id"])
    status = desk.words.gettext(STATUSES[appointment["status"]])
    if patients is None:
        title = str(desk.names.doctors().get(appointment["doctor_id"], {}).get("family_name", called))
    else:
        patient = patients.get(appointment["patient_id"])
        title = f"{patient['family_name']}, {patient['given_name']}" if patient else called
    over = [desk.words.say("booked over")] if appointment.get("overbook_reason") else []
    made = schedule.drawn(appointment, title=title, more=" · ".join([*over, called, status]), zone=zone)
    made["extendedProps"]["address"] = url_for("booking.show", appointment_id=appointment["id"])
    made["editable"] = made["editable"] and desk.may("appointments.book")
    return made


def _choice(desk: Desk, chosen: Chosen) -> dict[str, Any]:
    names = desk.names
    here = {key: each for key, each in names.locations().items() if _is_here(desk, each)}
    return {
        "form": Form(MultiDict({"by": chosen.by, chosen.by: chosen.of, "status": chosen.status})),
        "doctors": active(names.doctors()),
        "lists": {
            "specialization": active(names.specializations()),
            "department": active(names.departments()),
            "location": here,
        },
    }


def _zone(desk: Desk, chosen: Chosen) -> ZoneInfo:
    """The clock that all times stand by: that of the place, where one is looked at, else that of the facility."""
    name = desk.names.zone(chosen.of) if chosen.by == "location" else None
    return ZoneInfo(name or desk.words.zone)


def _day(desk: Desk) -> date:
    return _date(desk.query.get("day", "")) or _today(ZoneInfo(desk.words.zone))


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _today(zone: ZoneInfo) -> date:
    return datetime.now(zone).date()


def _sorted(doctors: Things) -> list[str]:
    return [key for key, each in sorted(doctors.items(), key=lambda pair: str(pair[1]["family_name"]).casefold())]


def _is_here(desk: Desk, location: Mapping[str, Any]) -> bool:
    return bool(location["active"]) and location["facility_id"] == desk.facility_id

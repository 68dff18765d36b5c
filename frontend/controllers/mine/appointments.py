"""What comes and what was, and what becomes of one appointment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from frontend.api import Refused
from frontend.controllers.mine.whose import area, nobody, whose
from frontend.desk import Desk
from frontend.forms import Form

OPEN: Final = frozenset({"pending", "booked", "arrived", "in_progress"})


@area.get("", "appointments.read")
def appointments(desk: Desk) -> Any:
    """What comes, and what was."""
    about = whose(desk)
    patient = about["patient"]
    if patient is None:
        return nobody(desk)
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
    return desk.page("mine/appointments.html", **about, **values)


@area.get("/appointments/<uuid:facility_id>/<uuid:appointment_id>", "appointments.read")
def show(desk: Desk, facility_id: str, appointment_id: str) -> Any:
    """One appointment, and what can be done with it."""
    return desk.page("mine/show.html", form=Form(), **_appointment(desk, facility_id, appointment_id))


@area.post("/appointments/<uuid:facility_id>/<uuid:appointment_id>/cancel", "appointments.book")
def cancel(desk: Desk, facility_id: str, appointment_id: str) -> Any:
    """It does not take place; where it is too late for that, the telephone is shown."""
    form = Form.sent(desk.form)
    at: dict[str, Any] = {"facility_id": facility_id, "appointment_id": appointment_id}
    try:
        desk.send("cancel_appointment", body=form.picked(["reason_code", "note"]), **at)
    except Refused as error:
        return desk.again("mine/show.html", error, form=form, **_appointment(desk, **at))
    desk.said("The appointment is cancelled.")
    return desk.go("mine.appointments")


def _appointment(desk: Desk, facility_id: str, appointment_id: str) -> dict[str, Any]:
    found = desk.api.call("get_appointment", facility_id=facility_id, appointment_id=appointment_id).body
    facility = desk.names.facilities().get(facility_id, {})
    return {"appointment": found, "facility": facility, **whose(desk, found["patient_id"])}

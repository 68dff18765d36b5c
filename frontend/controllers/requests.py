"""Requests that wait for a yes or a no, and appointments of the past that nobody has closed."""

from __future__ import annotations

import uuid
from typing import Any, Final

from frontend.api import Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form

area = Area("requests", at="/requests")
_SHOWN: Final = 50
_TO_DONE: Final = ("arrived", "in_progress", "completed")
"""What somebody who was here went through."""


@area.get("", "appointments.approve")
def show(desk: Desk) -> Any:
    """All that waits, whoever has waited longest first."""
    return desk.page("requests/_list.html" if desk.is_part else "requests/show.html", **_waiting(desk))


@area.get("/unresolved", "appointments.attend")
def unresolved(desk: Desk) -> Any:
    """What is over and not closed, oldest first."""
    template = "requests/_unresolved.html" if desk.is_part else "requests/unresolved.html"
    return desk.page(template, **_unresolved(desk))


@area.post("/<uuid:appointment_id>/approve", "appointments.approve")
def approve(desk: Desk, appointment_id: str) -> Any:
    """It is booked now, if it can be had still."""
    try:
        made = desk.send("approve_appointment", **_at(desk, appointment_id)).body
    except Refused as error:
        return _again(desk, error, appointment_id)
    desk.said("Booked for %(when)s.", when=desk.words.moment(made["starts_at"], made["zone"]))
    return desk.go("requests.show")


@area.post("/<uuid:appointment_id>/decline", "appointments.approve")
def decline(desk: Desk, appointment_id: str) -> Any:
    """No, and why."""
    form = Form.sent(desk.form)
    try:
        desk.send("decline_appointment", body=form.picked(["reason"]), **_at(desk, appointment_id))
    except Refused as error:
        return _again(desk, error, appointment_id)
    desk.said("The request is declined.", "info")
    return desk.go("requests.show")


@area.post("/<uuid:appointment_id>/instead", "appointments.approve", "appointments.book")
def instead(desk: Desk, appointment_id: str) -> Any:
    """Another time than the one that was asked for: it is booked, and the request is declined with a word about it."""
    form = Form.sent(desk.form)
    at, key = _at(desk, appointment_id), form.key
    doctor_id, _, starts_at = form.value("place").partition(" ")
    try:
        asked = desk.api.call("get_appointment", **at).body
        body = {name: asked[name] for name in ("patient_id", "appointment_type_id", "reason") if asked[name]}
        body |= {"doctor_id": doctor_id, "starts_at": starts_at}
        made = desk.api.call("book_appointment", body=body, key=key, within_s=5, facility_id=at["facility_id"]).body
        when = desk.words.moment(made["starts_at"], made["zone"])
        reason = {"reason": desk.words.say("Booked for another time: %(when)s", when=when)}
        desk.api.call("decline_appointment", body=reason, key=_further(key, "decline"), version=form.version, **at)
    except Refused as error:
        return _again(desk, error, appointment_id)
    desk.said("Booked for %(when)s.", when=when)
    return desk.go("requests.show")


@area.post("/<uuid:appointment_id>/close", "appointments.attend")
def close(desk: Desk, appointment_id: str) -> Any:
    """Somebody was here or was not: what is over is closed."""
    form = Form.sent(desk.form)
    at = _at(desk, appointment_id)
    try:
        found = desk.api.call("get_appointment", **at).body
        version = form.version if form.version is not None else found["version"]
        for to in _way(str(found["status"]), form.value("to")):
            done = desk.api.call(
                "set_appointment_status", body={"to": to}, key=_further(form.key, to), version=version, **at
            )
            version = done.body["version"]
    except Refused as error:
        shown = _unresolved(desk) | {"form": form, "at": appointment_id}
        return desk.again("requests/unresolved.html", error, **shown)
    desk.said("Noted.")
    return desk.go("requests.unresolved")


def _waiting(desk: Desk) -> dict[str, Any]:
    """A page of what waits; a doctor sees the own requests, who books for all sees all of them."""
    cursor = desk.query.get("cursor")
    query = {"doctor_id": desk.own_doctor, "limit": _SHOWN, "cursor": cursor}
    page = desk.api.call("list_appointment_requests", query=query, facility_id=desk.facility_id).body
    patients = desk.names.patients(each["patient_id"] for each in page["items"])
    return {"page": page, "cursor": cursor, "patients": patients, "form": Form(), "at": ""}


def _unresolved(desk: Desk) -> dict[str, Any]:
    page = desk.api.call(
        "list_unresolved_appointments",
        query={"limit": 50, "cursor": desk.query.get("cursor")},
        facility_id=desk.facility_id,
    ).body
    patients = desk.names.patients(each["patient_id"] for each in page["items"])
    return {"page": page, "patients": patients, "form": Form(), "at": ""}


def _again(desk: Desk, error: Refused, appointment_id: str) -> Any:
    """The list once more, with what was said beside the request that it was said about."""
    shown = _waiting(desk) | {"at": appointment_id}
    return desk.again("requests/show.html", error, **(shown | {"form": Form.sent(desk.form)}))


def _way(status: str, to: str) -> list[str]:
    """The steps from where an appointment stands to where it shall stand."""
    if to != "completed":
        return [to]
    return list(_TO_DONE[_TO_DONE.index(status) + 1 :] if status in _TO_DONE else _TO_DONE)


def _further(key: str, step: str) -> str:
    """A key for a further step of the same form: sent twice, done once, each of them."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{key} {step}"))


def _at(desk: Desk, appointment_id: str) -> dict[str, Any]:
    return {"facility_id": desk.facility_id, "appointment_id": appointment_id}

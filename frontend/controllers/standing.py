"""Whether a record is in use: taken out of use, brought back, closed because somebody has died."""

from __future__ import annotations

from typing import Any

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers.patients import allergies, opened
from frontend.desk import Desk
from frontend.forms import Form

area = Area("standing", at="/standing")


@area.get("/<uuid:patient_id>", "patients.read")
def show(desk: Desk, patient_id: str) -> Any:
    """What may be done about a record that is in use, and about one that is not."""
    return desk.page("standing/show.html", form=Form(), **_record(desk, patient_id))


@area.post("/<uuid:patient_id>/deactivate", "patients.read", "patients.deactivate")
def deactivate(desk: Desk, patient_id: str) -> Any:
    """Out of use: kept, and hidden from every search."""
    form = Form.sent(desk.form)
    try:
        desk.send("deactivate_patient", query={"reason": form.value("reason")}, patient_id=patient_id)
    except Refused as error:
        return desk.again("standing/show.html", error, form=form, **_record(desk, patient_id))
    desk.said("The record is out of use. Nothing was deleted.", "info")
    return desk.go("standing.show", patient_id=patient_id)


@area.post("/<uuid:patient_id>/death", "patients.read", "patients.mark_deceased")
def mark_deceased(desk: Desk, patient_id: str) -> Any:
    """Somebody has died: nothing is booked and nobody is written to any more."""
    form = Form.sent(desk.form)
    try:
        desk.send("mark_deceased", body={"deceased_on": form.value("deceased_on")}, patient_id=patient_id)
    except Refused as error:
        return desk.again("standing/show.html", error, form=form, **_record(desk, patient_id))
    desk.said("The death is recorded. No message goes out any more.", "info")
    return desk.go("standing.show", patient_id=patient_id)


@area.get("/<uuid:patient_id>/back", "patients.restore")
def back(desk: Desk, patient_id: str) -> Any:
    """For whoever brings records back without seeing them: how it stands, and nothing of the person."""
    return desk.page("standing/back.html", form=Form(), **_standing(desk, patient_id))


@area.post("/<uuid:patient_id>/back", "patients.restore")
def restore(desk: Desk, patient_id: str) -> Any:
    """In use again."""
    try:
        desk.send("restore_patient", patient_id=patient_id)
    except Refused as error:
        return desk.again("standing/back.html", error, form=Form.sent(desk.form), **_standing(desk, patient_id))
    desk.said("The record is in use again.")
    return desk.go("standing.back", patient_id=patient_id)


def _record(desk: Desk, patient_id: str) -> dict[str, Any]:
    return {"patient": opened(desk, patient_id), "allergies": allergies(desk, patient_id)}


def _standing(desk: Desk, patient_id: str) -> dict[str, Any]:
    found = desk.api.call("get_patient_standing", query={"permission": "patients.restore"}, patient_id=patient_id).body
    return {"found": found, "patient_id": patient_id}

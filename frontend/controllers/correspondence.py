"""What one patient is told: the messages in the portal, what was sent by other ways, and which messages are wanted."""

from __future__ import annotations

from typing import Any

from frontend import choices
from frontend.api import Refused
from frontend.area import Area
from frontend.controllers.patients import allergies, opened
from frontend.desk import Desk
from frontend.forms import Form
from frontend.sayings import N_

area = Area("correspondence", at="/patients/<uuid:patient_id>/messages")
_ROWS = 25


@area.get("", "notifications.read", "patients.read")
def show(desk: Desk, patient_id: str) -> Any:
    """The messages of a patient, and what is wanted."""
    wanted = desk.api.call("get_patient_notification_preferences", patient_id=patient_id).body
    return desk.page("correspondence/show.html", form=Form.of(choices.fields(wanted)), **_shown(desk, patient_id))


@area.get("/more", "notifications.read", "patients.read")
def more(desk: Desk, patient_id: str) -> Any:
    """Older messages."""
    query = {"limit": _ROWS, "cursor": desk.query.get("cursor")}
    page = desk.api.call("list_patient_messages", query=query, patient_id=patient_id).body
    return desk.page("correspondence/_messages.html", page=page, patient_id=patient_id)


@area.post("", "notifications.set_preferences", "patients.read")
def send_wishes(desk: Desk, patient_id: str) -> Any:
    """What the patient wants to be told from now on."""
    form = Form.sent(desk.form)
    try:
        desk.send("set_patient_notification_preferences", body=choices.chosen(form), patient_id=patient_id)
    except Refused as error:
        if error.status == 412:
            now = desk.api.call("get_patient_notification_preferences", patient_id=patient_id).body
            form.other, form.version = choices.fields(now), now["version"]
        return desk.again("correspondence/show.html", error, form=form, **_shown(desk, patient_id))
    desk.said(N_("What the patient wants is saved."))
    return desk.go("correspondence.show", patient_id=patient_id)


def _shown(desk: Desk, patient_id: str) -> dict[str, Any]:
    return {
        "patient": opened(desk, patient_id),
        "allergies": allergies(desk, patient_id),
        "page": desk.api.call("list_patient_messages", query={"limit": _ROWS}, patient_id=patient_id).body,
        "patient_id": patient_id,
        "shown": choices.CHANNELS,
        "shown_topics": choices.TOPICS,
    }

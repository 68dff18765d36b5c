"""What the house tells a patient, and which of it is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from frontend import choices
from frontend.api import Refused
from frontend.choices import CHANNELS, TOPICS
from frontend.controllers.mine.whose import area, nobody, record_of, whose
from frontend.desk import Desk
from frontend.forms import Form

_FEW: Final = 20


@area.get("/messages", "notifications.read")
def messages(desk: Desk) -> Any:
    """What the house has told this patient."""
    about = whose(desk)
    patient = about["patient"]
    if patient is None:
        return nobody(desk)
    query = {"limit": _FEW, "cursor": desk.query.get("cursor")}
    page = desk.api.call("list_patient_messages", query=query, patient_id=patient["id"]).body
    if desk.is_part:
        return desk.page("mine/_messages.html", page=page)
    return desk.page("mine/messages.html", **about, page=page)


@area.get("/preferences", "notifications.read")
def preferences(desk: Desk) -> Any:
    """Which messages this patient gets, and by which way."""
    about = whose(desk)
    patient = about["patient"]
    if patient is None:
        return nobody(desk)
    form = Form.of(_chosen(desk, patient))
    return desk.page("mine/preferences.html", form=form, **about, **_to_choose(desk, patient))


@area.post("/preferences", "notifications.set_preferences")
def send_preferences(desk: Desk) -> Any:
    """Others from now on."""
    form = Form.sent(desk.form)
    about = whose(desk, form.value("patient_id"))
    patient = about["patient"]
    if patient is None:
        return nobody(desk)
    try:
        desk.send("set_patient_notification_preferences", body=choices.chosen(form), patient_id=patient["id"])
    except Refused as error:
        if error.status == 412:
            form.other = _chosen(desk, patient)
            form.version = form.other["version"]
        return desk.again("mine/preferences.html", error, form=form, **about, **_to_choose(desk, patient))
    desk.said("Your choice is saved.")
    return desk.go("mine.messages")


def _to_choose(desk: Desk, patient: Mapping[str, Any]) -> dict[str, Any]:
    is_nothing_wanted = record_of(desk, patient)["contact_preference"] == "none"
    return {"shown": CHANNELS, "shown_topics": TOPICS, "is_nothing_wanted": is_nothing_wanted}


def _chosen(desk: Desk, patient: Mapping[str, Any]) -> dict[str, Any]:
    found = desk.api.call("get_patient_notification_preferences", patient_id=patient["id"]).body
    return choices.fields(found)

"""Whose pages these are: the records that an account opens, and the one that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from frontend.area import Area
from frontend.desk import Desk
from frontend.names import Things

area = Area("mine", at="/mine")
_TABS: Final = frozenset({"appointments", "book", "record", "accesses", "messages", "preferences"})


@area.post("/for-whom", "patients.read")
def choose(desk: Desk) -> Any:
    """The record that the pages are about from now on."""
    if desk.form.get("patient_id") in records_of(desk):
        desk.session.set("patient", desk.form["patient_id"])
    tab = desk.form.get("tab", "")
    return desk.go(f"mine.{tab if tab in _TABS else 'appointments'}")


def records_of(desk: Desk) -> Things:
    """The records that this account opens, by id; one whose link is over is not among them."""
    return desk.names.patients(each["patient_id"] for each in desk.person.get("links", ()))


def whose(desk: Desk, patient_id: str = "") -> dict[str, Any]:
    """The records, and the one that the page is about: the one that is named, else the one that was chosen."""
    records = records_of(desk)
    patient = records.get(patient_id) or records.get(desk.own_patient or "") or next(iter(records.values()), None)
    return {"patient": patient, "records": records}


def record_of(desk: Desk, patient: Mapping[str, Any]) -> Mapping[str, Any]:
    """All that the house knows of the person."""
    found: Mapping[str, Any] = desk.api.call("get_patient", patient_id=patient["id"]).body
    return found


def nobody(desk: Desk) -> Any:
    """The account opens no record yet."""
    return desk.page("mine/nobody.html")

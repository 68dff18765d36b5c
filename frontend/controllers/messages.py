"""What was sent to whom: the log of deliveries, one of them with its tries, and sending it again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from frontend.api import Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form, Wrong
from frontend.sayings import N_

area = Area("messages", at="/messages")
_FILTERS: Final = ("status", "channel", "event", "facility_id", "patient_id")
_LOST: Final = "lost"
"""Chosen beside the states: those of them in which nobody got the message."""
_ROWS: Final = 25
_MOVING: Final = frozenset({"queued", "sending"})
_LOOKS: Final = 10
"""How often a page looks by itself what became of a message, so that one that is left open comes to rest."""


@area.get("", "notifications.read")
def deliveries(desk: Desk) -> Any:
    """The log, newest first."""
    form = Form()
    for name in (*_FILTERS, "since", "until"):
        if desk.query.get(name):
            form.values[name] = desk.query[name]
    try:
        query = {**form.picked(_FILTERS), **_days(desk, form), "limit": _ROWS, "cursor": desk.query.get("cursor")}
        if query.get("status") == _LOST:
            query |= {"status": None, "lost": True}
        page = desk.api.call("list_deliveries", query=query, within_s=5).body
    except (Refused, Wrong) as error:
        return desk.again("messages/deliveries.html", error, form=form, page=None, **_readers(desk, []))
    template = "messages/_deliveries.html" if "cursor" in desk.query else "messages/deliveries.html"
    return desk.page(template, form=form, page=page, asked=form.values.to_dict(), **_readers(desk, page["items"]))


@area.get("/<uuid:delivery_id>", "notifications.read")
def show(desk: Desk, delivery_id: str) -> Any:
    """One delivery: what it says, to whom, and each try."""
    delivery = desk.api.call("get_delivery", delivery_id=delivery_id).body
    look = desk.query.get("look", "")
    seen = int(look) if look.isdigit() else 0
    values = {
        "delivery": delivery,
        "form": Form(),
        "next_look": seen + 1 if delivery["status"] in _MOVING and seen < _LOOKS else None,
        **_readers(desk, [delivery]),
    }
    return desk.page("messages/_delivery.html" if desk.is_part else "messages/show.html", **values)


@area.post("/<uuid:delivery_id>/again", "notifications.resend")
def send_again(desk: Desk, delivery_id: str) -> Any:
    """The same words to the same reader, once more."""
    form = Form.sent(desk.form)
    try:
        made = desk.send("resend_delivery", delivery_id=delivery_id).body
    except Refused as error:
        delivery = desk.api.call("get_delivery", delivery_id=delivery_id).body
        values = {"delivery": delivery, "next_look": None, **_readers(desk, [delivery])}
        return desk.again("messages/show.html", error, form=form, **values)
    desk.names.forget()
    desk.said(N_("It is on its way again. This is the new message."))
    return desk.go("messages.show", delivery_id=made["id"])


def _days(desk: Desk, form: Form) -> dict[str, str]:
    """From the beginning of one day to the end of another, by the clocks of the facility."""
    zone = ZoneInfo(desk.words.zone)
    made = {}
    for name, days in (("since", 0), ("until", 1)):
        text = form.text(name)
        if text:
            made[name] = (_day(name, text, zone) + timedelta(days=days)).isoformat()
    return made


def _day(name: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=zone)
    except ValueError:
        raise Wrong({name: "format"}) from None


def _readers(desk: Desk, items: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What those who are written to are called, as far as this person may know it."""
    ids: dict[str, list[str]] = {"patient": [], "account": []}
    for each in items:
        kind, reader = each["addressee"]["kind"], each["addressee"]["id"]
        if reader and kind in ids:
            ids[kind].append(reader)
    return {
        "patients": desk.names.patients(ids["patient"]) if desk.may("patients.read") else {},
        "users": desk.called(ids["account"]),
        "facilities": desk.names.facilities(),
    }

"""The first page: what waits for whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from frontend.area import Area
from frontend.controllers.first_run import begins
from frontend.desk import Desk

area = Area("home")


@area.get("/")
def show(desk: Desk) -> Any:
    """Today, for this person."""
    if desk.is_patient:
        return desk.go("mine.appointments")
    if begins(desk):
        return desk.go("first_run.show")
    return desk.page("home/home.html", **_waiting(desk))


@area.get("/today")
def today(desk: Desk) -> Any:
    """The parts of it that change while one looks."""
    return desk.page("home/_waiting.html", **_waiting(desk))


def _waiting(desk: Desk) -> dict[str, Any]:
    """Appointments of the day and requests, as far as this person sees any."""
    facility = desk.facility
    if facility is None or not desk.may("appointments.read"):
        return {"appointments": [], "requests": [], "day": None}
    now = datetime.now(ZoneInfo(facility["zone"]))
    since = now.replace(hour=0, minute=0, second=0, microsecond=0)
    found = list(
        desk.api.every(
            "list_appointments",
            query={"since": since.isoformat(), "until": (since + timedelta(days=1)).isoformat()},
            facility_id=facility["id"],
        )
    )
    shown = [each for each in found if each["status"] not in {"cancelled", "declined", "entered_in_error"}]
    return {"appointments": sorted(shown, key=lambda each: each["starts_at"]), "requests": [], "day": now.date()}

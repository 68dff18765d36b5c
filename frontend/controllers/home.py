"""The first page: what waits for whom. What somebody may see decides what stands there, not what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers import requests
from frontend.controllers.first_run import begins
from frontend.desk import Desk
from frontend.schedule import GONE, days
from services.kernel.errors import Unavailable

area = Area("home")
_SHOWN: Final = 5
_ROWS: Final = 20
"""A longer day is shown from now on, as far as this; the list of the day has all of it."""
_COUNTED: Final = 100
"""So much is counted; where there is more, that is said."""
_HERE: Final = frozenset({"arrived", "in_progress"})
_LATELY: Final = timedelta(days=7)


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
    shown: dict[str, Any] = {"day": None, "zone": "", "own": None, "asked": None, "left": None, "is_away": False}
    if desk.facility and desk.may("appointments.read"):
        try:
            shown |= _day(desk, ZoneInfo(desk.facility["zone"]))
        except Unavailable:
            shown["is_away"] = True
    return shown | _house(desk) | _trail(desk)


def _day(desk: Desk, zone: ZoneInfo) -> dict[str, Any]:
    """The day of one doctor, or of all; who is next; requests; what is over and not closed."""
    facility, now = desk.facility or {}, datetime.now(zone)
    own = desk.own_doctor
    period = days(now.date(), 1, zone=zone)
    query = {"since": period.start.isoformat(), "until": period.end.isoformat(), "doctor_id": own}
    found = [
        each
        for each in desk.api.every("list_appointments", query=query, facility_id=facility["id"])
        if each["status"] not in GONE and each["status"] != "pending"
    ]
    found.sort(key=lambda each: datetime.fromisoformat(each["starts_at"]))
    shown = _from_now_on(found, now)
    asked = requests.waiting(desk, limit=_COUNTED) if desk.may("appointments.approve") else None
    left = _unresolved(desk, str(facility["id"]), own) if desk.may("appointments.attend") else None
    coming = _next(found, now) if own else None
    several = [
        *shown,
        *([coming] if coming else []),
        *(asked["items"] if asked else [])[:_SHOWN],
        *(left or [])[:_SHOWN],
    ]
    return {
        "day": now.date(),
        "now": now,
        "own": own,
        "appointments": shown,
        "all": len(found),
        "next": coming,
        "here": sum(each["status"] == "arrived" for each in found),
        "asked": asked,
        "left": left,
        "most": _SHOWN,
        "patients": desk.names.patients(each["patient_id"] for each in several),
    }


def _from_now_on(found: list[Mapping[str, Any]], now: datetime) -> list[Mapping[str, Any]]:
    """A short day whole; of a long one those who are here or to come."""
    if len(found) <= _ROWS:
        return found
    return [each for each in found if each["status"] in _HERE or datetime.fromisoformat(each["ends_at"]) > now][:_ROWS]


def _next(found: list[Mapping[str, Any]], now: datetime) -> Mapping[str, Any] | None:
    """Who is called next: the first who is here, else the first who is to come."""
    to_come = [
        each
        for each in found
        if each["status"] == "arrived" or (each["status"] == "booked" and datetime.fromisoformat(each["ends_at"]) > now)
    ]
    return min(to_come, key=lambda each: each["status"] != "arrived", default=None)


def _unresolved(desk: Desk, facility: str, own: str | None) -> list[Mapping[str, Any]]:
    page = desk.api.call("list_unresolved_appointments", query={"limit": _COUNTED}, facility_id=facility).body
    return [each for each in page["items"] if own is None or each["doctor_id"] == own]


def _house(desk: Desk) -> dict[str, Any]:
    """What waits for whoever runs the house."""
    plans = failed = locked = None
    if desk.may("schedules.manage"):
        plans = _asked(desk, "list_plan_changes", {"state": "pending", "limit": 100})
    if desk.may("notifications.read"):
        failed = _undelivered(desk)
    if desk.may("sign_ins.unlock"):
        now = datetime.now(UTC)
        locked = [
            each
            for each in _asked(desk, "list_sign_in_counters", {}) or []
            if each["closed_until"] and datetime.fromisoformat(each["closed_until"]) > now
        ]
    accounts = [each["user_id"] for each in locked or []] + [each["asked_by"] for each in plans or []]
    users = desk.called(accounts)
    return {"plans": plans, "failed": failed, "locked": locked, "users": users}


def _undelivered(desk: Desk) -> int | None:
    """How many messages of late reached nobody."""

    def count() -> int:
        since = (datetime.now(UTC) - _LATELY).isoformat(timespec="seconds")
        query = {"lost": True, "since": since, "limit": _COUNTED}
        return len(desk.api.call("list_deliveries", query=query).body["items"])

    try:
        return desk.names.counted("undelivered", count)
    except (Refused, Unavailable):
        return None


def _trail(desk: Desk) -> dict[str, Any]:
    """The last checks of the trail, for whoever answers for it."""
    checks = None
    if desk.may("audit.read"):
        body = {"operation": "verify_audit_trail"}
        try:
            checks = desk.api.call("search_audit_entries", body=body, query={"limit": _SHOWN}, within_s=5).body["items"]
        except (Refused, Unavailable):
            checks = None
    return {"checks": checks}


def _asked(desk: Desk, operation: str, query: Mapping[str, object]) -> list[Mapping[str, Any]] | None:
    """A list, or None where it cannot be had: the rest of the page stands without it."""
    try:
        found: list[Mapping[str, Any]] = desk.api.call(operation, query=query).body["items"]
    except (Refused, Unavailable):
        return None
    return found

"""The first page: what waits for whom. What somebody may see decides what stands there, not what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers.first_run import begins
from frontend.desk import Desk
from frontend.rows import rows
from frontend.schedule import days
from services.kernel.errors import Unavailable

area = Area("home")
_SHOWN: Final = 5
_ROWS: Final = 20
"""A longer day is shown from now on, as far as this; the list of the day has all of it."""
_COUNTED: Final = 100
"""So much is counted; where there is more, that is said."""
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
    shown: dict[str, Any] = {"day": None, "own": None, "asked": None, "left": None, "is_away": False}
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
    query = {"since": period.start.isoformat(), "until": period.end.isoformat(), "doctor_id": own, "limit": _ROWS}
    found = desk.api.call("get_worklist", query=query, facility_id=facility["id"]).body
    shown, coming, asked, left = (
        found["appointments"],
        found["next"] if own else None,
        found["requests"],
        found["unresolved"],
    )
    waiting = [each for some in (asked, left) if some for each in some["first"]]
    several = [*shown, *([coming] if coming else []), *waiting]
    patients = desk.names.patients(each["patient_id"] for each in several)
    return {
        "day": now.date(),
        "now": now,
        "own": own,
        "rows": rows(desk, shown, patients, zone=zone.key),
        "all": found["total"],
        "next": coming,
        "here": found["arrived"],
        "asked": asked,
        "left": left,
        "patients": patients,
    }


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

"""What follows from a booking, each looked for where it ends: the inbox, the figures, the trail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import psycopg
import urllib3

from tests.system.clinic import Clinic, until
from tests.system.house import Person, RunningHouse

_ENTRIES = """SELECT entry::json ->> 'request_id' FROM entries
              WHERE operation = 'book_appointment' AND outcome = 'success'"""


def messages(house: RunningHouse, kind: str) -> list[dict[str, Any]]:
    """All that the inbox of the house has taken, of one kind."""
    address = f"http://127.0.0.1:{house.port('inbox')}/api/messages?kind={kind}"
    found: list[dict[str, Any]] = urllib3.request("GET", address).json()["items"]
    return found


def mailed(house: RunningHouse, requests: Collection[str]) -> dict[str, int]:
    """How many mails, by what they are called, came of each of these requests."""
    found = {(each["request_id"], each["message_id"]) for each in messages(house, "email")}
    return dict(Counter(request for request, _ in found if request in requests))


def noted(house: RunningHouse, requests: Collection[str]) -> dict[str, int]:
    """How many entries of the trail say that something was booked by each of these requests."""
    url = (house.home / "environ" / "audit" / "DATABASE_URL").read_text(encoding="utf-8").strip()
    with psycopg.connect(url.replace("+psycopg", "")) as database:
        return dict(Counter(each for (each,) in database.execute(_ENTRIES) if each in requests))


def counted(admin: Person, clinic: Clinic, doctor: str) -> dict[str, int]:
    """How many appointments of a doctor the figures count, by status."""
    days = f"first_day={clinic.day(0)}&last_day={clinic.day(0) + timedelta(days=30)}"
    query = f"facility_id={clinic.facility}&{days}&group_by=status&doctor_id={doctor}"
    rows = until(admin, "GET", f"/api/v1/reports/appointments?{query}").expect(200).json["rows"]
    return {each["status"]: each["appointments"] for each in rows}

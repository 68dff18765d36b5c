"""What takes data out of the house, tried once each."""

from __future__ import annotations

from datetime import timedelta

from tests.system.clinic import Clinic
from tests.system.house import Person, Reply


def exports(by: Person, clinic: Clinic) -> list[Reply]:
    """The figures of a clinic as files, and a part of the trail."""
    first, last = clinic.day(0), clinic.day(0) + timedelta(days=1)
    days = f"facility_id={clinic.facility}&first_day={first}&last_day={last}"
    return [
        by.get(f"/api/v1/reports/appointments/export?{days}&group_by=status"),
        by.get(f"/api/v1/reports/attendance/export?{days}"),
        by.post("/api/v1/audit-entries/export", {"action": "export"}, key=None),
    ]

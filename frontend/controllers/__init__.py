"""Controllers: one file for each area of the web UI. Each function reads what was asked, asks the API, and answers."""

from __future__ import annotations

from frontend.controllers import (
    account,
    booking,
    calendar,
    closures,
    doctors,
    entry,
    home,
    lists,
    patients,
    plans,
    requests,
    schedules,
)

AREAS = (
    entry.area,
    home.area,
    account.area,
    patients.area,
    booking.area,
    calendar.area,
    requests.area,
    doctors.area,
    schedules.area,
    plans.area,
    lists.area,
    closures.area,
)

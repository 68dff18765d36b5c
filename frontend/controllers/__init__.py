"""Controllers: one file for each area of the web UI. Each function reads what was asked, asks the API, and answers."""

from __future__ import annotations

from frontend.controllers import (
    account,
    booking,
    closures,
    doctors,
    entry,
    history,
    home,
    lists,
    mine,
    patients,
    plans,
    schedules,
)

AREAS = (
    entry.area,
    home.area,
    account.area,
    patients.area,
    history.area,
    booking.area,
    mine.area,
    doctors.area,
    schedules.area,
    plans.area,
    lists.area,
    closures.area,
)

"""Controllers: one file for each area of the web UI. Each function reads what was asked, asks the API, and answers."""

from __future__ import annotations

from frontend.controllers import account, booking, closures, doctors, entry, home, lists, patients, plans, schedules

AREAS = (
    entry.area,
    home.area,
    account.area,
    patients.area,
    booking.area,
    doctors.area,
    schedules.area,
    plans.area,
    lists.area,
    closures.area,
)

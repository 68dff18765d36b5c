"""Controllers: one file for each area of the web UI. Each function reads what was asked, asks the API, and answers."""

from __future__ import annotations

from frontend.controllers import (
    account,
    booking,
    closures,
    components,
    correspondence,
    doctors,
    entry,
    home,
    inbox,
    lists,
    messages,
    patients,
    plans,
    reports,
    schedules,
    wording,
)

AREAS = (
    entry.area,
    home.area,
    account.area,
    patients.area,
    booking.area,
    messages.area,
    correspondence.area,
    wording.area,
    inbox.area,
    reports.area,
    components.area,
    doctors.area,
    schedules.area,
    plans.area,
    lists.area,
    closures.area,
)

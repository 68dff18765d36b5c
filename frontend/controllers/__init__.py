"""Controllers: one file for each area of the web UI. Each function reads what was asked, asks the API, and answers."""

from __future__ import annotations

from frontend.controllers import (
    account,
    booking,
    components,
    correspondence,
    entry,
    home,
    inbox,
    messages,
    patients,
    reports,
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
)

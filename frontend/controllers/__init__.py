"""Controllers: one file for each area of the web UI. Each function reads what was asked, asks the API, and answers."""

from __future__ import annotations

from frontend.controllers import account, booking, entry, history, home, mine, patients

AREAS = (entry.area, home.area, account.area, patients.area, history.area, booking.area, mine.area)

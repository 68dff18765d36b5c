"""Controllers: one file for each area of the web UI. Each function reads what was asked, asks the API, and answers."""

from __future__ import annotations

from frontend.controllers import account, booking, calendar, entry, home, patients, requests

AREAS = (entry.area, home.area, account.area, patients.area, booking.area, calendar.area, requests.area)

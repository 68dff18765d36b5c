"""Controllers: one file for each area of the web UI. Each function reads what was asked, asks the API, and answers."""

from __future__ import annotations

from frontend.controllers import (
    account,
    booking,
    calendar,
    closures,
    components,
    correspondence,
    doctors,
    entry,
    first_run,
    history,
    home,
    inbox,
    kept,
    links,
    lists,
    messages,
    mine,
    patients,
    people,
    places,
    plans,
    programs,
    reports,
    requests,
    roles,
    schedules,
    standing,
    step,
    trail,
    wording,
)

AREAS = (
    *(entry.area, step.area, kept.area, home.area, account.area, patients.area, standing.area, history.area),
    *(booking.area, calendar.area, requests.area, plans.area),
    *(mine.area, inbox.area, messages.area, correspondence.area, wording.area, reports.area),
    *(doctors.area, schedules.area, lists.area, closures.area, components.area),
    *(first_run.area, links.area, people.area, places.area, programs.area, roles.area, trail.area),
)

"""Where one can go: the areas in the order of the day, each shown to whom its page is open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import flask

from frontend.area import may_open
from frontend.desk import Desk
from frontend.sayings import N_


@dataclass(frozen=True)
class Link:
    """One area. under: endpoints that belong to it beside its own. is_own: only for a doctor, about the own work."""

    endpoint: str
    title: str
    icon: str
    under: Sequence[str] = ()
    is_own: bool = False


@dataclass(frozen=True)
class Group:
    """Areas that belong together."""

    title: str
    links: Sequence[Link]


_OF_A_DOCTOR = tuple(
    f"schedules.{each}"
    for each in ("hours", "add", "send_add", "change", "send_change", "end", "leave", "send_leave", "remove_leave")
)
_STAFF = (
    Group("", (Link("home.show", N_("Today"), "house"),)),
    Group(
        N_("Appointments"),
        (
            Link("patients.search", N_("Patients"), "people"),
            Link("booking.free", N_("Book"), "calendar-plus"),
            Link("calendar.show", N_("Calendar"), "calendar-week"),
            Link("requests.show", N_("Requests"), "inbox"),
        ),
    ),
    Group(
        N_("My work"),
        (
            Link("schedules.my_hours", N_("My hours"), "clock", is_own=True),
            Link("schedules.my_leave", N_("My leave"), "calendar-x", is_own=True),
        ),
    ),
    Group(
        N_("House"),
        (
            Link("doctors.list_all", N_("Doctors"), "person-badge", under=_OF_A_DOCTOR),
            Link("lists.specializations", N_("Lists"), "card-list"),
            Link("closures.show", N_("Closures"), "door-open"),
            Link("messages.deliveries", N_("Messages"), "envelope"),
            Link("wording.list_all", N_("Message texts"), "chat-dots"),
            Link("reports.appointments", N_("Reports"), "bar-chart"),
        ),
    ),
    Group(
        N_("Administration"),
        (
            Link("places.show", N_("Facilities"), "building"),
            Link("people.list_all", N_("Users"), "person-circle"),
            Link("roles.list_all", N_("Roles"), "key"),
            Link("programs.list_all", N_("Programs"), "gear"),
            Link("trail.search", N_("Audit"), "shield-check"),
        ),
    ),
)
_PATIENT = (
    Group(
        "",
        (
            Link("mine.appointments", N_("My appointments"), "calendar-check"),
            Link("mine.book", N_("Book"), "calendar-plus"),
            Link("mine.record", N_("My record"), "file-earmark-text"),
            Link("mine.accesses", N_("Who opened my record"), "eye"),
            Link("mine.messages", N_("Messages"), "envelope"),
        ),
    ),
)


def navigation(desk: Desk) -> list[Group]:
    """What this person sees at the side of every page."""
    under = _pages(frozenset(flask.current_app.view_functions))
    made = []
    for group in _PATIENT if desk.is_patient else _STAFF:
        links = [each for each in group.links if each.endpoint in under and _is_shown(each, desk)]
        if links:
            title = desk.words.gettext(group.title) if group.title else ""
            made.append(Group(title, [_named(each, under, desk) for each in links]))
    return made


def _is_shown(link: Link, desk: Desk) -> bool:
    return may_open(link.endpoint, desk) and (not link.is_own or desk.own_doctor is not None)


def _named(link: Link, under: Mapping[str, Sequence[str]], desk: Desk) -> Link:
    return Link(link.endpoint, desk.words.gettext(link.title), link.icon, under[link.endpoint])


@lru_cache(maxsize=4)
def _pages(endpoints: frozenset[str]) -> dict[str, Sequence[str]]:
    """By link that there is, the pages that mark it: all of its area, unless the area has several."""
    links = [each for group in (*_STAFF, *_PATIENT) for each in group.links]
    several = Counter(_area(each.endpoint) for each in links)
    found: dict[str, Sequence[str]] = {}
    for link in links:
        if link.endpoint in endpoints:
            area = _area(link.endpoint)
            own = [link.endpoint] if several[area] > 1 else sorted(each for each in endpoints if _area(each) == area)
            found[link.endpoint] = [*own, *link.under]
    return found


def _area(endpoint: str) -> str:
    return endpoint.partition(".")[0]

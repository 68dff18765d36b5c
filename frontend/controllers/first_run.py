"""The first steps of a new house: from the first password to the first users, each of which can be left and resumed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from frontend.api import LIST_S, Refused
from frontend.area import Area, may_open
from frontend.controllers.places import create
from frontend.controllers.roles import titles
from frontend.desk import Desk
from frontend.forms import Form
from frontend.sayings import N_
from frontend.zones import zones

area = Area("first_run", at="/first-steps")
STEPS: Final = ("password", "facility", "location", "mail", "people")
DRAFT: Final = "first_run"
_NEEDS: Final = ("facilities.manage", "users.manage", "users.read", "roles.assign", "notifications.test")
_NEXT: Final = (
    (
        "doctors.list_all",
        N_("Doctors"),
        N_("Their profiles, when they see patients, and when they are away"),
        "person-badge",
    ),
    ("people.list_all", N_("Users"), N_("Everybody else who works here"), "person-circle"),
    ("roles.list_all", N_("Roles"), N_("Roles of your own, and which ones want a second factor"), "key"),
    ("messages.deliveries", N_("Messages"), N_("What patients are told, and when"), "envelope"),
    ("account.show", N_("Your account"), N_("A second factor for yourself, first of all"), "shield-lock"),
)


@dataclass(frozen=True)
class House:
    """How far a house is. users: people beside the first one. is_mail_seen: a test message went out. later: put off."""

    facilities: int = 0
    locations: int = 0
    users: int = 0
    is_mail_seen: bool = False
    must_change_password: bool = False
    later: frozenset[str] = frozenset()


def is_new(*, permissions: Collection[str], facilities: int, is_left: bool) -> bool:
    """Whether somebody who signs in is led through the first steps: they may take them, and there is no facility."""
    return facilities == 0 and not is_left and set(_NEEDS) <= set(permissions)


def states(house: House) -> Mapping[str, str]:
    """`done`, `later` or `open` for each step, in their order."""
    done = {
        "password": not house.must_change_password,
        "facility": house.facilities > 0,
        "location": house.locations > 0,
        "mail": house.is_mail_seen,
        "people": house.users > 0,
    }
    return {step: "done" if done[step] else "later" if step in house.later else "open" for step in STEPS}


def upcoming(found: Mapping[str, str]) -> str | None:
    """The step that comes next: the first that is open; None when all are done or put off."""
    return next((step for step, state in found.items() if state == "open"), None)


def begins(desk: Desk) -> bool:
    """Whether the first page of this person is the first of these."""
    if not desk.may(*_NEEDS):
        return False
    is_left = desk.session.get("first_run") == "left"
    found = len(desk.names.facilities())
    return is_new(permissions=desk.person.get("permissions", ()), facilities=found, is_left=is_left)


@area.get("", *_NEEDS)
def show(desk: Desk) -> Any:
    """All steps, how each stands, and what comes next."""
    desk.session.set("first_run", "on")
    found = states(_house(desk))
    say = desk.words.gettext
    links = [(name, say(title), say(text), icon) for name, title, text, icon in _NEXT if may_open(name, desk)]
    return desk.page("first_run/show.html", states=found, upcoming=upcoming(found), links=links)


@area.get("/facility", *_NEEDS)
def facility(desk: Desk) -> Any:
    """The facility and its clocks."""
    return desk.page("first_run/facility.html", form=Form(), **_facility(desk))


@area.post("/facility", *_NEEDS)
def send_facility(desk: Desk) -> Any:
    """The first facility."""
    form = Form.sent(desk.form)
    try:
        made = create(desk, "facilities", form)
    except Refused as error:
        return desk.again("first_run/facility.html", error, form=form, **_facility(desk))
    desk.said("%(name)s is there.", name=made["name"])
    return _onward(desk)


@area.get("/location", *_NEEDS)
def location(desk: Desk) -> Any:
    """The first place in it where patients are seen."""
    if desk.facility is None:
        return desk.go("first_run.facility")
    return desk.page("first_run/location.html", form=Form(), **_location(desk))


@area.post("/location", *_NEEDS)
def send_location(desk: Desk) -> Any:
    """The first location."""
    form = Form.sent(desk.form)
    if desk.facility is None:
        return desk.go("first_run.facility")
    try:
        made = create(desk, "locations", form, facility_id=str(desk.facility["id"]))
    except Refused as error:
        return desk.again("first_run/location.html", error, form=form, **_location(desk))
    desk.said("%(name)s is there.", name=made["name"])
    return _onward(desk)


@area.get("/mail", *_NEEDS)
def mail(desk: Desk) -> Any:
    """Whether mail leaves the house."""
    form = Form()
    form.values["to"] = str(desk.person.get("email") or "")
    return desk.page("first_run/mail.html", form=form, result=None)


@area.post("/mail", *_NEEDS)
def send_mail(desk: Desk) -> Any:
    """One message, now, and what came of it."""
    form = Form.sent(desk.form)
    body = {"channel": "email", "to": form.value("to").strip(), "language": desk.words.language}
    try:
        result = desk.api.call("send_test_message", body=body, within_s=LIST_S).body
    except Refused as error:
        return desk.again("first_run/mail.html", error, form=form, result=None)
    if result["status"] in {"sent", "delivered"}:
        _keep(desk, done={"mail"})
    return desk.page("first_run/mail.html", form=form, result=result)


@area.get("/people", *_NEEDS)
def people(desk: Desk) -> Any:
    """Who else works here."""
    return desk.page("first_run/people.html", accounts=_staff(desk), titles=titles(desk))


@area.post("/<any(facility, location, mail, people):step>/later", *_NEEDS)
def later(desk: Desk, step: str) -> Any:
    """Not now."""
    _keep(desk, later={step})
    return _onward(desk)


@area.post("/leave", *_NEEDS)
def leave(desk: Desk) -> Any:
    """To the ordinary pages; the steps wait under Facilities."""
    desk.session.set("first_run", "left")
    desk.said("You find the first steps again under Facilities.", "info")
    return desk.go("home.show")


def _onward(desk: Desk) -> Any:
    """To the step that comes next, or to the end."""
    following = upcoming(states(_house(desk)))
    endpoints = {"password": "account.password", **{step: f"first_run.{step}" for step in STEPS[1:]}}
    return desk.go(endpoints[following] if following else "first_run.show")


def _house(desk: Desk) -> House:
    kept = _kept(desk)
    desk.names.forget()  # another process may have changed them
    return House(
        facilities=len(desk.names.facilities()),
        locations=len(desk.names.locations()),
        users=max(0, len(_staff(desk)) - 1),
        is_mail_seen="mail" in kept.get("done", ()),
        must_change_password=bool(desk.person.get("must_change_password")),
        later=frozenset(kept.get("later", ())),
    )


def _staff(desk: Desk) -> list[Mapping[str, Any]]:
    """Accounts of people who work here."""
    accounts = desk.names.accounts().values()
    return [each for each in accounts if each["kind"] == "person" and each["roles"] != ["patient"]]


def _kept(desk: Desk) -> Mapping[str, Sequence[str]]:
    """What cannot be seen in the house itself, kept like a draft, so that it outlives a sign-out."""
    draft = desk.sessions.draft(str(desk.person["id"]), DRAFT)
    found: Mapping[str, Sequence[str]] = draft["values"] if draft else {}
    return found


def _keep(desk: Desk, **more: set[str]) -> None:
    kept = _kept(desk)
    merged = {name: sorted({*kept.get(name, ()), *more.get(name, ())}) for name in ("done", "later")}
    desk.sessions.keep_draft(str(desk.person["id"]), DRAFT, merged)


def _facility(desk: Desk) -> dict[str, Any]:
    known = desk.names.facilities()
    return {"kind": "facilities", "zones": zones(desk.words.language), "known": list(known.values())}


def _location(desk: Desk) -> dict[str, Any]:
    known = list(desk.names.locations().values())
    return {"kind": "locations", "zones": zones(desk.words.language), "known": known, "facility": desk.facility}

"""The journey: one appointment through the whole house, as the people who take part in it would go.

`make demo` plays it at the gateway of a running house and prints each step with what came back. A step that brings
something else than it must ends it: what is printed has been checked.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

from standalone import demo, demo_schedules, people, state
from standalone.demo import Place
from standalone.keys import Secrets
from standalone.layout import Layout
from standalone.trouble import Trouble
from standalone.visitor import Refused, Reply, Visitor

ZONE = "Europe/Lisbon"
LANGUAGE = "de"
WAITS_S = 30.0
"""How long a message or a figure may be on its way."""
KINDS = ("email", "sms", "push")
NO_QUIET_HOURS = {
    "quiet_hours": None,
    "from_name": None,
    "language": None,
    "channels": [*KINDS, "in_app"],
    "may_name_details": False,
}

Show = Callable[[int, str, Sequence[str]], None]


@dataclass
class Journey:
    """What has been done so far, and what came back.

    made: answers by what they are about. requests: the request id of each act. told: the messages after each act, by
    kind.
    """

    place: Place
    inbox: Visitor
    admin: Visitor
    desk: Visitor
    mark: str = field(default_factory=lambda: secrets.token_hex(3))
    made: dict[str, Any] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def ask(
        self,
        who: Visitor,
        method: str,
        path: str,
        body: object | None = None,
        *,
        act: str = "",
        version: int | None = None,
    ) -> Any:
        """One request, which becomes a line of the step; an act is remembered by its name."""
        key = str(uuid4()) if method == "POST" else None
        reply: Reply = who.send(method, path, body, key=key, version=version)
        self.lines.append(f"{method} {path.partition('?')[0]}  →  {reply.status}")
        if act:
            self.made[act], self.requests[act] = reply.body, reply.request_id
        return reply.body

    def say(self, text: str) -> None:
        """One more line of the step."""
        self.lines.append(text)

    @property
    def facility(self) -> str:
        """The address of what belongs to the facility of this journey."""
        return f"/api/v1/facilities/{self.made['facility']['id']}"


def play_at(layout: Layout, *, today: date, show: Show) -> Journey:
    """Go through the house that runs in these folders.

    Raises:  Trouble: it does not run, or as play.
    """
    known = state.read(layout.state)
    if not known.is_healthy:
        raise Trouble(f"The house in {layout.home} does not run, or not all of it. See: make up, make status")
    gateway, inbox = urlsplit(known.url), urlsplit(known.inbox_url)
    authority = layout.secrets / "tls" / "ca.pem" if gateway.scheme == "https" else None
    host, port = gateway.hostname or "", gateway.port or 0
    place = Place(host, port, authority, layout.home / "demo.json", Secrets(layout.secrets), today)
    reader = Visitor(host=inbox.hostname or "", port=inbox.port or 0)
    try:
        return play(place, inbox=reader, show=show)
    finally:
        reader.close()


def play(place: Place, *, inbox: Visitor, show: Show) -> Journey:
    """Go the whole way, and show each step once it is done.

    Raises:  Trouble: a step was refused, or brought something else than it must.
    """
    with demo.visiting(place) as admin, demo.visiting(place) as desk:
        journey = Journey(place, inbox, admin, desk)
        for number, (title, step) in enumerate(STEPS.items(), start=1):
            journey.lines = []
            try:
                step(journey)
            except (Refused, Missed) as error:
                raise Trouble(f"Step {number}, “{title}”: {error}") from error
            show(number, title, journey.lines)
    return journey


class Missed(Exception):
    """A step brought something else than it must."""


def _require(holds: object, what: str) -> None:
    if not holds:
        raise Missed(what)


# ---- the house is made ready ----------------------------------------------------------------------------------------


def sign_in(journey: Journey) -> None:
    """The super admin."""
    demo.sign_in_super_admin(journey.admin, place=journey.place)
    account = journey.ask(journey.admin, "GET", "/api/v1/account")
    journey.say(f"{account['username']}, with the role {', '.join(account['roles'])}")


def open_facility(journey: Journey) -> None:
    """A facility whose clocks are not those of the patient's language, a location, and no quiet hours there."""
    body = {"name": f"Clinic {journey.mark}", "zone": ZONE}
    facility = journey.ask(journey.admin, "POST", "/api/v1/facilities", body, act="facility")
    body = {"facility_id": facility["id"], "name": f"Pavilion {journey.mark}"}
    journey.ask(journey.admin, "POST", "/api/v1/locations", body, act="location")
    # Played at night too, text messages and pushes must not wait for the morning.
    journey.ask(journey.admin, "PUT", f"{journey.facility}/notification-settings", NO_QUIET_HOURS, version=1)
    journey.say(f"{facility['name']} in the zone {facility['zone']}")


def hire_doctor(journey: Journey) -> None:
    """A doctor with a specialization, an account, and hours on every day of the week."""
    admin = journey.admin
    name = f"Dermatology {journey.mark}"
    special = journey.ask(admin, "POST", "/api/v1/specializations", {"name": name}, act="specialization")
    body = {"name": f"Consultation {journey.mark}", "minutes": 30, "color": "#2f6fab", "audience": "everyone"}
    journey.ask(admin, "POST", "/api/v1/appointment-types", body, act="type")
    account = _account(journey, "doctor")
    who = demo_schedules.Doctor("Inês", "Valadares", "Dr.", name, (("08:00", "18:00"),))
    profile = demo_schedules.profile(who, licence=f"J-{journey.mark}", specialization=special["id"])
    doctor = journey.ask(admin, "POST", "/api/v1/doctors", {**profile, "user_id": account["id"]}, act="doctor")
    places = {"facility": journey.made["facility"]["id"], "location": journey.made["location"]["id"]}
    demo_schedules.add_hours(admin, doctor["id"], who, **places, key=lambda *_: str(uuid4()), weekdays=range(1, 8))
    journey.say(f"{who.title} {who.given_name} {who.family_name}, {name}: 08:00 to 18:00 on every day of the week")


def hire_receptionist(journey: Journey) -> None:
    """A receptionist, who signs in and chooses a password."""
    account = _account(journey, "receptionist", visitor=journey.desk)
    journey.say(f"{account['username']} has signed in")


def _account(journey: Journey, role: str, *, visitor: Visitor | None = None) -> Mapping[str, Any]:
    username, password = f"{role}.{journey.mark}", journey.place.secrets.typed("demo-password")
    body = {"username": username, "display_name": f"Journey {role}", "roles": [role]}
    account: Mapping[str, Any] = journey.ask(journey.admin, "POST", "/api/v1/users", body, act=f"{role}_account")
    if visitor is not None:
        visitor.sign_in(username, account["one_time_password"])
        change = {"current_password": account["one_time_password"], "new_password": password}
        visitor.post("/api/v1/account/password", change)
        visitor.sign_in(username, password)
    return account


# ---- a patient comes -------------------------------------------------------------------------------------------------


def register_patient(journey: Journey) -> None:
    """A patient who reads German, with a mail address, a mobile phone and a browser that takes pushes."""
    today = journey.place.today
    (person,) = people.invented(1, seed=int(journey.mark, 16), today=today)
    emails = [{"address": f"journey.{journey.mark}@example.org", "use": "home"}]
    body = {**person.registration, "emails": emails, "language": LANGUAGE, "contact_preference": None}
    patient = journey.ask(journey.desk, "POST", "/api/v1/patients", body, act="patient")
    key = journey.desk.get("/api/v1/push-key")["key"]
    subscription = journey.inbox.post("/push/subscriptions", {"applicationServerKey": key})
    journey.made["browser"] = subscription["endpoint"].rpartition("/")[2]
    path = f"/api/v1/patients/{patient['id']}/push-subscriptions"
    journey.ask(journey.desk, "POST", path, {name: subscription[name] for name in ("endpoint", "keys")})
    journey.say(f"record number {patient['mrn']}, language {patient['language']}")


def find_and_book(journey: Journey) -> None:
    """Free time is shown, and its second place is booked."""
    free = _free(journey)
    _require(len(free) > 4, "free time is shown")
    journey.say(f"free: {', '.join(each['starts_at'] for each in free[:4])} … ({len(free)} places), {free[0]['zone']}")
    booked = _book(journey, free[1]["starts_at"], act="booked")
    journey.say(f"booked {booked['starts_at']} in {booked['zone']}, version {booked['version']}")


def _free(journey: Journey) -> list[dict[str, Any]]:
    begins = journey.place.today + timedelta(days=2)
    asked = {
        "doctor_id": journey.made["doctor"]["id"],
        "appointment_type_id": journey.made["type"]["id"],
        "since": f"{begins.isoformat()}T00:00:00Z",
        "until": f"{(begins + timedelta(days=2)).isoformat()}T00:00:00Z",
        "limit": 200,
    }
    found = journey.ask(journey.desk, "GET", f"{journey.facility}/free-places?{urlencode(asked)}")
    return list(found["items"])


def _book(journey: Journey, start: str, *, act: str) -> Mapping[str, Any]:
    body = {
        "patient_id": journey.made["patient"]["id"],
        "doctor_id": journey.made["doctor"]["id"],
        "appointment_type_id": journey.made["type"]["id"],
        "starts_at": start,
        "reason": "A mole that has changed",
    }
    booked: Mapping[str, Any] = journey.ask(journey.desk, "POST", f"{journey.facility}/appointments", body, act=act)
    return booked


def _change(journey: Journey, verb: str, body: Mapping[str, Any], *, act: str, of: str) -> Mapping[str, Any]:
    before = journey.made[of]
    path = f"{journey.facility}/appointments/{before['id']}/{verb}"
    after: Mapping[str, Any] = journey.ask(journey.desk, "POST", path, body, act=act, version=before["version"])
    return after


def read_confirmation(journey: Journey) -> None:
    """The confirmation has come on every way, in German, by Lisbon's clock, with an entry for the calendar."""
    mail = _messages(journey, "booked")["email"]
    _require_calendar(journey, mail, method="REQUEST", act="booked")


def move(journey: Journey) -> None:
    """Two places later."""
    start = _free(journey)[2]["starts_at"]
    moved = _change(journey, "reschedule", {"starts_at": start}, act="moved", of="booked")
    journey.say(f"moved from {journey.made['booked']['starts_at']} to {moved['starts_at']}, version {moved['version']}")


def read_change(journey: Journey) -> None:
    """The change has come, for the same entry in the calendar."""
    mail = _messages(journey, "moved")["email"]
    _require_calendar(journey, mail, method="REQUEST", act="moved")


def cancel(journey: Journey) -> None:
    """The patient has called."""
    cancelled = _change(journey, "cancel", {"reason_code": "patient_request"}, act="cancelled", of="moved")
    _require(cancelled["status"] == "cancelled", "the appointment is cancelled")
    journey.say(f"cancelled, version {cancelled['version']}; the place is free again")


def read_cancellation(journey: Journey) -> None:
    """The cancellation has come, and takes the entry out of the calendar."""
    mail = _messages(journey, "cancelled")["email"]
    _require_calendar(journey, mail, method="CANCEL", act="cancelled")


def book_again(journey: Journey) -> None:
    """Another appointment, and its confirmation."""
    booked = _book(journey, _free(journey)[3]["starts_at"], act="again")
    journey.say(f"booked {booked['starts_at']}")
    mail = _messages(journey, "again")["email"]
    _require_calendar(journey, mail, method="REQUEST", act="again")


def _messages(journey: Journey, act: str) -> dict[str, Any]:
    """The messages that came of an act: one on each way, no more."""
    request_id, browser = journey.requests[act], journey.made["browser"]
    known = {each["push"]["number"] for each in journey.told.values()}
    found: list[dict[str, Any]] = []

    def all_there() -> bool:
        items = journey.inbox.get("/api/messages?limit=200")["items"]
        # A push service is told nothing but what the browser shows, so a push is known by where it went.
        found[:] = [
            each
            for each in items
            if each.get("request_id") == request_id or (each["to"] == [browser] and each["number"] not in known)
        ]
        return {each["kind"] for each in found} >= set(KINDS)

    _wait(all_there, what=f"e-mail, text message and push after {act}")
    _require(len(found) == len(KINDS), "one message on each way")
    told = {each["kind"]: each for each in found}
    journey.told[act] = told
    journey.say(f"e-mail  {told['email']['subject']}")
    for line in filter(None, told["email"]["text"].splitlines()):
        journey.say(f"        {line}")
    journey.say(f"SMS     {told['sms']['text']}")
    journey.say(f"push    {told['push']['subject']}: {told['push']['text']}")
    return told


def _require_calendar(journey: Journey, mail: Mapping[str, Any], *, method: str, act: str) -> None:
    entry, appointment = mail["invitation"], journey.made[act]
    earlier = [each["email"]["invitation"] for name, each in journey.told.items() if name != act]
    same = [int(each["sequence"]) for each in earlier if each["uid"] == entry["uid"]]
    start = datetime.fromisoformat(appointment["starts_at"])
    _require(entry["method"] == method, f"the calendar is told {method}")
    _require(entry["uid"].startswith(appointment["id"]), "the entry is that of the appointment")
    _require(all(each < int(entry["sequence"]) for each in same), "the sequence grows")
    _require(_moment(entry["start"]) == start, "the entry has the time of the appointment")
    _require(mail["language"] == LANGUAGE, "the mail is in the language of the patient")
    _require(f"{start:%H:%M}" in mail["text"], "the mail has the time on the clock of the clinic")
    journey.say(f"calendar  METHOD {entry['method']}  UID {entry['uid']}  SEQUENCE {entry['sequence']}")


def _moment(start: str) -> datetime:
    """DTSTART as a calendar reads it (RFC 5545 §3.3.5): in UTC, or on the clock of a zone."""
    zone, _, clock = start.rpartition(":")
    at = datetime.strptime(clock.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - the zone is said beside it
    return at.replace(tzinfo=UTC if clock.endswith("Z") else ZoneInfo(zone.removeprefix("TZID=")))


# ---- what is left of it ----------------------------------------------------------------------------------------------


def read_report(journey: Journey) -> None:
    """Counts by day, doctor and status: one cancelled, one booked."""
    rows: list[Mapping[str, Any]] = []

    def counted() -> bool:
        rows[:] = _report(journey, journey.place.today)
        return {each["status"]: each["appointments"] for each in rows} == {"cancelled": 1, "booked": 1}

    _wait(counted, what="the report counts one booked and one cancelled appointment")
    for row in rows:
        journey.say(f"{row['day']}  {row['doctor_name']}  {row['status']}: {row['appointments']}")


def _report(journey: Journey, today: date) -> list[Mapping[str, Any]]:
    asked = {
        "facility_id": journey.made["facility"]["id"],
        "first_day": today.isoformat(),
        "last_day": (today + timedelta(days=7)).isoformat(),
        "group_by": ["day", "doctor", "status"],
    }
    found = journey.ask(journey.admin, "GET", f"/api/v1/reports/appointments?{urlencode(asked, doseq=True)}")
    return list(found["rows"])


def read_trail(journey: Journey) -> None:
    """The trail names who did what with this record and who saw it, and it is whole."""
    wanted = {journey.requests[each] for each in ("patient", "booked", "moved", "cancelled", "again")}
    entries: list[Mapping[str, Any]] = []

    def written() -> bool:
        body = {"patient_id": journey.made["patient"]["id"]}
        found = journey.ask(journey.admin, "POST", "/api/v1/audit-entries/search?limit=200", body)
        entries[:] = found["items"]
        return wanted <= {each["request_id"] for each in entries}

    _wait(written, what="the trail has every act")
    names = {each: journey.admin.get(f"/api/v1/users/{each}")["username"] for each in {e["actor"] for e in entries}}
    for each in reversed(entries):
        what = f"{names[each['actor']]}  {each['operation']} ({each['action']})"
        journey.say(f"{each['at'][:19]}  {what}  request {each['request_id']}")
    whole = journey.ask(journey.admin, "POST", "/api/v1/audit-trail/verifications", {})
    _require(whole["whole"], "the trail is whole")
    journey.say(f"the trail is whole: {whole['checked_entries']} entries checked")


def _wait(is_so: Callable[[], bool], *, what: str) -> None:
    ends = time.monotonic() + WAITS_S
    while not is_so():
        _require(time.monotonic() < ends, f"not within {WAITS_S:.0f} s: {what}")
        time.sleep(0.2)


STEPS: dict[str, Callable[[Journey], None]] = {
    "The super admin signs in": sign_in,
    "A facility is opened, with its zone": open_facility,
    "A doctor is taken on, with a specialization and weekly sessions": hire_doctor,
    "A receptionist is taken on": hire_receptionist,
    "The receptionist registers a patient": register_patient,
    "Free time is shown, and an appointment booked": find_and_book,
    "The patient reads the confirmation": read_confirmation,
    "The appointment is moved": move,
    "The patient reads of the change": read_change,
    "The appointment is cancelled": cancel,
    "The patient reads of the cancellation": read_cancellation,
    "Another appointment is booked": book_again,
    "The report counts": read_report,
    "The trail knows who did and saw what": read_trail,
}

"""Loads a demo through the gateway, as people would: a facility, one account per role, invented patients.

It is safe to run again after being cut off anywhere: every request has an Idempotency-Key made from the house and the
thing, and a house that has its demo is left alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from standalone import demo_patient, demo_schedules, people
from standalone.house import House
from standalone.keys import Secrets
from standalone.layout import write_private
from standalone.servers.ports import HOST
from standalone.trouble import Trouble
from standalone.visitor import Refused, Visitor

PATIENTS, SEED = 60, 20
SUPER_ADMIN = "admin"
ZONE = "Europe/Berlin"
PHONE = "+49 30 23125 000"  # of those that the German regulator keeps for fiction
LOCATIONS = ("Main building", "Garden wing")
DEPARTMENTS = ("Emergency", "Internal medicine", "Paediatrics", "Pharmacy")
SUPER_ADMIN_ROLE = "super_admin"  # is there already, and not for a password that is shown on a screen


@dataclass(frozen=True)
class Place:
    """Where the house is, what it keeps, and what is needed to know it from others."""

    host: str
    port: int
    authority: Path | None
    file: Path
    secrets: Secrets
    today: date


@dataclass
class Shown:
    """What is shown at the end: role and user name of each demo account, and the password of all of them."""

    accounts: dict[str, str] = field(default_factory=dict)
    password: str = ""


def place_of(house: House) -> Place:
    """What the demo has to know of a house."""
    authority = house.layout.secrets / "tls" / "ca.pem" if house.settings.has_tls else None
    host = "localhost" if authority else HOST
    file = house.layout.home / "demo.json"
    return Place(host, house.places.port("gateway"), authority, file, house.secrets, datetime.now(UTC).date())


def load(place: Place, *, say: Callable[[str], None]) -> Shown:
    """Load what is not there yet; the sign-ins to show.

    Raises:  Trouble: the house refused something.
    """
    progress = _Progress(place.file, today=place.today)
    shown = Shown({role: _account(role) for role in progress["roles"] or ()}, place.secrets.typed("demo-password"))
    if progress["complete"]:
        return shown
    try:
        _load_house(place, shown=shown, progress=progress, say=say)
        patients = _load_patients(place, shown=shown, progress=progress, say=say)
        _load_schedules(place, patients, shown=shown, progress=progress, say=say)
    except Refused as error:
        raise Trouble(
            f"The demo could not be loaded: {error}. Try again with make up, or go without: INFIRMARY_DEMO=0"
        ) from error
    progress["complete"] = True
    return shown


def _is_for_demo(role: Mapping[str, Any]) -> bool:
    return bool(role["assignable"]) and role["name"] != SUPER_ADMIN_ROLE


def _account(role: str) -> str:
    return f"demo.{role.replace('_', '-')}"


class _Progress:
    """How far the demo has come, kept at each step with the key of this house's requests."""

    def __init__(self, file: Path, *, today: date) -> None:
        self._file = file
        self._kept: dict[str, Any] = {"complete": False, "day": today.isoformat()}
        if file.exists():
            self._kept |= json.loads(file.read_text(encoding="utf-8"))

    def __getitem__(self, name: str) -> Any:
        return self._kept.get(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self._kept[name] = value
        write_private(self._file, json.dumps(self._kept) + "\n")


def _key(*parts: object) -> str:
    """The same key for the same thing, however often the demo is loaded."""
    return hashlib.sha256("/".join(map(str, ("demo", SEED, *parts))).encode()).hexdigest()[:40]


@contextmanager
def visiting(place: Place) -> Iterator[Visitor]:
    """A client of the house, who hangs up at the end."""
    visitor = Visitor(host=place.host, port=place.port, authority=place.authority)
    try:
        yield visitor
    finally:
        visitor.close()


def _load_house(place: Place, *, shown: Shown, progress: _Progress, say: Callable[[str], None]) -> None:
    with visiting(place) as admin:
        sign_in_super_admin(admin, place=place)
        hospital = {"name": "Demo Hospital", "zone": ZONE, "phone": PHONE}
        facility = admin.post("/api/v1/facilities", hospital, key=_key("facility"))["id"]
        places = [
            admin.post("/api/v1/locations", {"facility_id": facility, "name": name}, key=_key("location", name))["id"]
            for name in LOCATIONS
        ]
        for number, name in enumerate(DEPARTMENTS):
            body = {"facility_id": facility, "location_id": places[number % len(places)], "name": name}
            admin.post("/api/v1/departments", body, key=_key("department", name))
        say(f"demo: one facility, {len(LOCATIONS)} locations, {len(DEPARTMENTS)} departments")
        progress["places"] = {"facility": facility, "locations": places}
        progress["roles"] = [each["name"] for each in admin.get("/api/v1/roles")["items"] if _is_for_demo(each)]
        shown.accounts = {role: _account(role) for role in progress["roles"]}
        for role, username in shown.accounts.items():
            _ensure_account(admin, place=place, role=role, username=username, shown=shown)
        say(f"demo: {len(shown.accounts)} accounts, one per role")


def sign_in_super_admin(admin: Visitor, *, place: Place) -> None:
    """The first time with the one-time password, which is changed for one that is kept beside it.

    The new one is written down before it is asked for, so that no moment of being cut off locks everybody out.
    """
    first, chosen = place.secrets.typed("super-admin"), place.secrets.typed("super-admin-changed")
    try:
        admin.sign_in(SUPER_ADMIN, chosen)
    except Refused as error:
        if error.status != 401:
            raise
        admin.sign_in(SUPER_ADMIN, first)
        admin.post("/api/v1/account/password", {"current_password": first, "new_password": chosen})
        admin.sign_in(SUPER_ADMIN, chosen)


def _ensure_account(admin: Visitor, *, place: Place, role: str, username: str, shown: Shown) -> None:
    body = {"username": username, "display_name": f"Demo {role.replace('_', ' ')}", "roles": [role]}
    made = admin.post("/api/v1/users", body, key=_key("user", username))
    first = made["one_time_password"]
    with visiting(place) as person:
        if first is None:  # made by a start that was cut off: its password was shown once, and may have been changed
            if _signs_in(person, username, shown.password):
                return
            key = _key("password", made["id"], uuid4())
            first = admin.post(f"/api/v1/users/{made['id']}/password", None, key=key)["one_time_password"]
        person.sign_in(username, first)
        person.post("/api/v1/account/password", {"current_password": first, "new_password": shown.password})


def _signs_in(person: Visitor, username: str, password: str) -> bool:
    try:
        person.sign_in(username, password)
    except Refused as error:
        if error.status == 401:
            return False
        raise
    return True


def _load_patients(place: Place, *, shown: Shown, progress: _Progress, say: Callable[[str], None]) -> list[str]:
    registered = []
    day = date.fromisoformat(progress["day"])
    progress["day"] = progress["day"]  # from the first request on, another day would mean other people
    everybody = list(people.invented(PATIENTS, seed=SEED, today=day))
    with visiting(place) as reception, visiting(place) as ward, visiting(place) as patient_at_home:
        reception.sign_in(shown.accounts["receptionist"], shown.password)
        ward.sign_in(shown.accounts["nurse"], shown.password)
        for person in everybody:
            patient = reception.post("/api/v1/patients", person.registration, key=_key("patient", person.number))
            registered.append(patient["id"])
            _write_history(ward, patient["id"], person=person)
            if (person.number + 1) % 20 == 0:
                say(f"demo: {person.number + 1} of {PATIENTS} invented patients")
        own = demo_patient.chosen(everybody, today=day)
        progress["own_record"] = registered[own.number]
        patient_at_home.sign_in(shown.accounts[demo_patient.ROLE], shown.password)
        demo_patient.link(reception, patient_at_home, own, record=registered[own.number])
    return registered


def _load_schedules(
    place: Place, patients: list[str], *, shown: Shown, progress: _Progress, say: Callable[[str], None]
) -> None:
    begins = datetime.combine(date.fromisoformat(progress["day"]), time(0), UTC) + timedelta(days=1)
    with visiting(place) as admin, visiting(place) as reception, visiting(place) as doctor:
        sign_in_super_admin(admin, place=place)
        reception.sign_in(shown.accounts["receptionist"], shown.password)
        doctor.sign_in(shown.accounts["doctor"], shown.password)
        account = doctor.get("/api/v1/account")["id"]
        places = progress["places"]
        clinic = demo_schedules.set_up(admin, **places, account=account, key=_key)
        say(f"demo: {len(clinic.doctors)} doctors with their hours")
        count = demo_schedules.fill(reception, clinic, patients=patients, day=begins, key=_key)
        say(f"demo: {count} appointments in the coming week")
    with visiting(place) as patient:
        patient.sign_in(shown.accounts[demo_patient.ROLE], shown.password)
        if progress["own_places"] is None:  # chosen before they are asked for: the same again after being cut off
            progress["own_places"] = demo_schedules.last_free(patient, clinic, day=begins)
        demo_patient.book(patient, clinic, record=progress["own_record"], places=progress["own_places"], key=_key)
    say("demo: the patient's own record, with an appointment and a request")


def _write_history(ward: Visitor, patient_id: str, *, person: people.Person) -> None:
    base = f"/api/v1/patients/{patient_id}"
    entries: list[tuple[str, Mapping[str, Any] | None]] = []
    if person.allergies is not None and not person.allergies:
        entries.append(("allergy-statement/none-known", None))
    entries += [("allergies", each) for each in person.allergies or ()]
    entries += [("problems", each) for each in person.problems]
    for number, (kind, body) in enumerate(entries):
        ward.post(f"{base}/{kind}", body, key=_key("entry", person.number, number))

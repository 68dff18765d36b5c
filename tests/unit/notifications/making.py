"""Things that the unit tests of notifications make: an appointment, what happens to it, and who is told."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.notifications.model import planning
from services.notifications.model.deliveries import Claimed, Delivery, Outcome, Result
from services.notifications.model.happening import Appointment, Happening
from services.notifications.model.people import Address, Contact, Doctor, Reader
from services.notifications.model.planning import Known
from services.notifications.model.rendering import Facts
from services.notifications.model.settings import FacilitySettings
from services.notifications.model.words import Status, Topic, Way

_numbers = itertools.count(1)
ORGANIZER = "house@example.org"


def new_id() -> UUID:
    """Another id each time."""
    return UUID(int=next(_numbers))


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Berlin
START = datetime(2026, 3, 9, 8, 30, tzinfo=UTC)
FACILITY, PATIENT, DOCTOR, ACCOUNT, APPOINTMENT = (new_id() for _ in range(5))
FACTS = Facts(facility="Northgate Hospital", place="Building A", doctor="Dr. Zoe Example")
KEY = b"the key of a number"


def happening(topic: Topic = Topic.BOOKED, *, at: datetime = AT, **given: Any) -> Happening:
    """What has happened to an appointment in Berlin."""
    made = {
        "id": APPOINTMENT, "version": 1, "facility_id": FACILITY, "location_id": new_id(), "patient_id": PATIENT,
        "doctor_id": DOCTOR, "type_id": new_id(), "starts_at": START, "ends_at": START + timedelta(minutes=30),
        "zone": "Europe/Berlin",
    }  # fmt: skip
    return Happening(id=new_id(), topic=topic, at=at, appointment=Appointment(**made | given))


def contact(**given: Any) -> Contact:
    """A patient who can be reached by all ways."""
    made = {
        "patient_id": PATIENT, "name": "Ada Example", "standing": "active", "language": "en",
        "email": "ada@example.org", "phone": "+49305550101",
    }  # fmt: skip
    return Contact(**made | given)


def patient(*, browsers: int = 1, **given: Any) -> Reader:
    """A patient as a reader."""
    devices = tuple(Address(to=f'{{"endpoint": "https://push.example/{n}"}}', device=str(n)) for n in range(browsers))
    return planning.patient_reader(contact(**given), key=KEY, devices=devices)


def doctor() -> Reader:
    """The doctor as a reader."""
    made = Doctor(id=DOCTOR, name="Dr. Zoe Example", account_id=ACCOUNT)
    return planning.staff_reader(made, account_id=ACCOUNT, devices=())


def known(**given: Any) -> Known:
    """What is known where nobody has chosen anything, by day and by night."""
    settings = FacilitySettings(facility_id=FACILITY, quiet_hours=None)
    return Known(**{"settings": settings, "ways": frozenset(Way), **given})


def plan(what: Happening | None = None, reader: Reader | None = None, *, at: datetime = AT, **given: Any):
    """The deliveries that follow."""
    return planning.plan(
        what or happening(),
        reader or patient(),
        known=known(**given),
        facts=FACTS,
        organizer=ORGANIZER,
        at=at,
        request_id="a request",
        new_id=new_id,
    )


def by_way(deliveries: list[Delivery]) -> dict[str, str]:
    """Where each delivery stands and why, by channel."""
    return {each.way.value: each.reason or each.status.value for each in deliveries}


def claimed(**given: Any) -> Claimed:
    """A text message in hand for the first time."""
    delivery = next(each for each in plan() if each.way is Way.SMS)
    in_hand = {"status": Status.SENDING, "tries": 1}
    ours = {name: given.pop(name) for name in list(given) if name in Delivery.__dataclass_fields__}
    return Claimed(delivery=dataclasses.replace(delivery, **in_hand | ours), **given)


def outcome(result: Result, code: str | None = None) -> Outcome:
    """What became of an attempt."""
    return Outcome(result=result, code=code)

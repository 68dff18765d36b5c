"""Things that the tests of notifications make: events, deliveries, channels, and a look into the store."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg
from psycopg.rows import dict_row

from services.chassis import bus
from services.chassis.bus.group import Entry
from services.chassis.bus.handling import Result
from services.chassis.call import Call
from services.chassis.service import Service, new_id, now
from services.chassis.testing import Got, House
from services.kernel.access import Actor
from services.notifications.model.channels import Accepted, Outgoing
from tests.integration.notifications.hospital import OPENAPI, Hospital

TABLES = (
    "deliveries", "attempts", "messages", "preferences", "templates", "facility_settings", "record_versions",
    "sms_stops", "push_subscriptions", "outbox", "inbox", "idempotency",
)  # fmt: skip
REPLY_SECRET = "what house and gateway share in these tests"
SCHEMAS = bus.EventSchemas(OPENAPI)
ALL_DAY = {
    "quiet_hours": None, "from_name": None, "language": None, "channels": ["email", "sms", "push", "in_app"],
    "may_name_details": False,
}  # fmt: skip
TYPES = {"booked": "booked", "moved": "rescheduled", "cancelled": "cancelled", "declined": "declined"}


def environ(postgres_url: str, redis_url: str, hospital: Hospital, **more: str) -> dict[str, str]:
    """The settings of the service under test; no way out of the house but those that are added."""
    peers = ("IDENTITY_URL", "PATIENTS_URL", "DOCTORS_URL", "APPOINTMENTS_URL")
    return {
        "DATABASE_URL": postgres_url, "BUS_URL": redis_url, "SERVICE_SECRET": "not used here",
        "CONTACT_KEY": "a key that keeps numbers without the numbers", "SMS_REPLY_SECRET": REPLY_SECRET,
        "SMTP_FROM": "house@example.org", **dict.fromkeys(peers, hospital.url), **more,
    }  # fmt: skip


def empty(postgres_url: str) -> None:
    """Forget everything, past foreign keys."""
    with psycopg.connect(postgres_url) as admin:
        admin.execute("SET LOCAL session_replication_role = replica")
        for table in TABLES:
            admin.execute(f"DELETE FROM {table}".encode())


def rows(house: House, query: str, *values: Any) -> list[dict[str, Any]]:
    """What a query of the test's own finds."""
    url = house.service.settings.database_url.get_secret_value()
    with psycopg.connect(url, row_factory=dict_row) as admin:
        found = admin.execute(query.encode(), values)
        return found.fetchall() if found.description else []


def done(got: Got, status: int = 200) -> Any:
    """The body of an answer with this status."""
    assert got.status == status, got.raw
    return got.body


class Fake:
    """A channel that takes everything and remembers it; `answers` are given first, errors among them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.got: list[Outgoing] = []
        self.answers: list[Exception] = []

    def send(self, message: Outgoing) -> Accepted:
        if self.answers:
            raise self.answers.pop(0)
        self.got.append(message)
        return Accepted(reference=f"{self.name}-{len(self.got)}")

    def close(self) -> None:
        pass


def envelope(hospital: Hospital, patient_id: str, event: str = "booked", **given: Any) -> dict[str, Any]:
    """An event about an appointment in a week; members of the envelope are given with a leading `_`."""
    start = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=7)
    data = {
        "facility_id": hospital.facility, "patient_id": patient_id, "doctor_id": hospital.doctor,
        "appointment_type_id": hospital.type, "status": "booked", "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(minutes=30)).isoformat(), "zone": "Europe/Berlin",
        "location_id": hospital.location,
    }  # fmt: skip
    if event == "moved":
        data["previous_starts_at"] = (start - timedelta(days=1)).isoformat()
    if event == "cancelled":
        data |= {"late": False, "status": "cancelled"}
    head = {
        "specversion": "1.0", "id": str(new_id()), "type": f"appointments.{TYPES[event]}.v1",
        "source": "/infirmary/appointments", "subject": str(new_id()), "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json", "schemaversion": 1, "subjectversion": 1, "requestid": "a-request",
    }  # fmt: skip
    own = {name[1:]: value for name, value in given.items() if name.startswith("_")}
    data |= {name: value for name, value in given.items() if not name.startswith("_")}
    return {**head, **own, "data": {name: value for name, value in data.items() if value is not None}}


def tell(service: Service, event: dict[str, Any]) -> Result:
    """Let the service handle an event, as its consumer does."""
    return _handling(service, event).handle(_entry(event))


def tell_together(service: Service, *events: dict[str, Any]) -> list[Result]:
    """Let the service handle several of one stream at once, as its consumer does with what a read brings."""
    return _handling(service, events[0]).handle_together([_entry(each) for each in events])


def _handling(service: Service, event: dict[str, Any]) -> bus.Handling:
    stream = "events." + event["type"].partition(".")[0]
    subscription = next(each for each in service.subscriptions if each.stream == stream)
    return bus.Handling(subscription, group=service.name, schemas=SCHEMAS, clock=now, new_id=new_id)


def _entry(event: dict[str, Any]) -> Entry:
    return Entry(id="1-1", fields={"event": orjson.dumps(event).decode()}, attempt=1)


def told(house: House, event: dict[str, Any]) -> None:
    """Let the service handle an event, and see that it did."""
    result = tell(house.service, event)
    assert result.outcome.value == "handled", result


def happened(house: House, hospital: Hospital, patient_id: str, event: str = "booked", **given: Any) -> dict[str, Any]:
    """Something has happened to an appointment, and was heard of."""
    made = envelope(hospital, patient_id, event, **given)
    told(house, made)
    return made


def patients_event(kind: str, patient_id: str) -> dict[str, Any]:
    """That a patient has died, or that the record is out of use."""
    return {
        "specversion": "1.0", "id": str(new_id()), "type": f"patients.{kind}.v1", "source": "/infirmary/patients",
        "subject": patient_id, "time": datetime.now(UTC).isoformat(), "datacontenttype": "application/json",
        "schemaversion": 1, "subjectversion": 2, "requestid": "a-request", "data": {},
    }  # fmt: skip


def states(house: House, **only: str) -> list[tuple[str, str]]:
    """Channel and state, with the reason where there is one, of every delivery to patients, in order."""
    where = " AND ".join(["kind = 'patient'", *(f"{name} = %s" for name in only)])
    found = rows(house, f"SELECT way, status, reason FROM deliveries WHERE {where} ORDER BY way, id", *only.values())
    return [(each["way"], each["reason"] or each["status"]) for each in found]


def make_due(house: House) -> None:
    """What waits for its next attempt or for the morning is due now."""
    rows(house, "UPDATE deliveries SET due_at = now() - interval '1 second' WHERE due_at IS NOT NULL")


def copies(house: House, count: int, *, way: str = "sms") -> None:
    """Copies of a message that waits on one channel, each about an appointment of its own."""
    names = [each["column_name"] for each in rows(house, _COLUMNS)]
    fresh = {"id": "gen_random_uuid()", "event_id": "gen_random_uuid()", "appointment_id": "gen_random_uuid()"}
    values = ", ".join(fresh.get(name, name) for name in names)
    one = "(SELECT * FROM deliveries WHERE way = %s AND status = 'queued' LIMIT 1) AS one"
    query = f"INSERT INTO deliveries ({', '.join(names)}) SELECT {values} FROM {one}, generate_series(1, %s)"
    rows(house, query, way, count)


_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = 'deliveries'"


def empty_deliveries(house: House) -> None:
    """Forget what was planned and sent, and keep what people have chosen."""
    rows(house, "TRUNCATE deliveries, attempts, messages")


def job_call() -> Call:
    """One run of a job."""
    return Call(
        id=new_id(), operation="job:test", actor=Actor(subject="service:notifications"), at=now(), request_id="x"
    )


@contextmanager
def sending(service: Service, *ways: str) -> Iterator[None]:
    """The parts that send run meanwhile, those of some channels or all."""
    stop = threading.Event()
    parts = [part for name, part in service.parts.items() if not ways or name.removeprefix("send ") in ways]
    threads = [threading.Thread(target=part, args=(stop,)) for part in parts]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads)


def is_quiet(house: House) -> bool:
    """Whether nothing is due and nothing under way."""
    found = rows(house, "SELECT count(*) AS due FROM deliveries WHERE due_at <= now() OR status = 'sending'")
    return bool(found[0]["due"] == 0)


def by_channel(fakes: Sequence[Fake]) -> dict[str, int]:
    """How many messages each channel has taken."""
    return {each.name: len(each.got) for each in fakes}

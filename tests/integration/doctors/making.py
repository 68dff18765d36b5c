"""Things that the tests of the doctors make: bodies, records, and a look into the store."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg
from psycopg.rows import dict_row

from services.chassis.call import Call
from services.chassis.service import new_id, now
from services.chassis.testing import Got, House
from services.kernel.access import Actor
from tests.integration.doctors.identity import Identity

NOBODY = "01939c3e-0000-7000-8000-0000000000ff"
PLANNER = "01939c3e-0000-7000-8000-00000000000a"
TABLES = (
    "specializations", "appointment_types", "resources", "doctors", "claims", "photos", "type_minutes", "places",
    "sessions", "leave", "closures", "plans", "plan_changes", "record_versions", "outbox", "inbox", "idempotency",
)  # fmt: skip
_numbers = itertools.count(1)


def empty(postgres_url: str) -> None:
    """Forget every record, past the triggers that keep the history and past foreign keys."""
    with psycopg.connect(postgres_url) as admin:
        admin.execute("SET LOCAL session_replication_role = replica")
        for table in TABLES:
            admin.execute(f"DELETE FROM {table}".encode())


def rows(house: House, table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    url = house.service.settings.database_url.get_secret_value()
    with psycopg.connect(url, row_factory=dict_row) as admin:
        return admin.execute(f"SELECT * FROM {table} ORDER BY 1, 2".encode()).fetchall()


def sent(house: House, prefix: str = "doctors.") -> list[dict[str, Any]]:
    """Every envelope in the outbox whose type begins so, in its order."""
    found = sorted(rows(house, "outbox"), key=lambda row: row["position"])
    return [orjson.loads(row["event"]) for row in found if row["type"].startswith(prefix)]


def types(house: House) -> list[str]:
    """The types of the events in the outbox, in their order."""
    return [each["type"] for each in sent(house)]


def entries(house: House) -> list[dict[str, Any]]:
    """What every audit entry in the outbox says."""
    return [each["data"] for each in sent(house, "audit.")]


def done(got: Got, status: int = 201) -> Any:
    """The body of an answer with this status."""
    assert got.status == status, got.raw
    return got.body


def profile(**given: Any) -> dict[str, Any]:
    """A doctor as somebody who keeps profiles would send it."""
    number = f"BE-{next(_numbers):05d}"
    made = {"family_name": "Example", "given_name": "Ada", "licence": {"number": number, "authority": "Chamber"}}
    return made | given


def doctor(house: House, **given: Any) -> dict[str, Any]:
    """A doctor."""
    return dict(done(house.call("create_doctor", body=profile(**given))))


def specialization(house: House, name: str) -> str:
    """A specialization."""
    return str(done(house.call("create_specialization", body={"name": name}))["id"])


def appointment_type(house: House, name: str, **given: Any) -> dict[str, Any]:
    """An appointment type."""
    body = {"name": name, "minutes": 30, "color": "#2f6fab", "audience": "everyone"} | given
    return dict(done(house.call("create_appointment_type", body=body)))


@dataclass(frozen=True)
class Site:
    """A facility with one location."""

    facility: str
    location: str

    def hours(self, **given: Any) -> dict[str, Any]:
        """Weekly hours here."""
        made = {"weekday": 1, "starts": "09:00", "ends": "12:00", "slot_minutes": 15, "valid_from": "2026-01-05"}
        return {"facility_id": self.facility, "location_id": self.location} | made | given


def site(identity: Identity, zone: str = "Europe/Berlin") -> Site:
    """A new facility with one location."""
    facility = identity.facility(zone)
    return Site(facility, identity.location(facility, zone))


def session(house: House, doctor_id: str, at: Site, **given: Any) -> dict[str, Any]:
    """Weekly hours that are in force."""
    return dict(done(house.call("add_doctor_session", doctor_id=doctor_id, body=at.hours(**given))))


def coming(days: float = 7, hours: float = 8) -> dict[str, str]:
    """A time ahead, as moments."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    return {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=hours)).isoformat()}


def plan(house: House, doctor_id: str, at: Site) -> dict[str, Any]:
    """The plan in force."""
    return dict(done(house.call("get_doctor_plan", doctor_id=doctor_id, query={"facility_id": at.facility}), 200))


def call(*, later_s: float = 0) -> Call:
    """A run of a job, now or later."""
    actor = Actor(subject="service:doctors", roles=frozenset({"service"}))
    at = now() + timedelta(seconds=later_s)
    return Call(id=new_id(), operation="job:test", actor=actor, at=at, request_id="job")


def run(house: House, name: str, *, later_s: float = 0) -> None:
    """Run a job of the service once."""
    (job,) = [each for each in house.service.jobs if each.name == name]
    job.run(call(later_s=later_s))

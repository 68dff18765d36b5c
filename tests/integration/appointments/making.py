"""What the tests of the booking desk make: plans, bodies, a peer that speaks for patients and doctors."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from services.appointments import app
from services.appointments.repository.auditing import Auditor, Violation
from services.appointments.repository.carrying import Carrier
from services.appointments.repository.journal import Journal
from services.appointments.repository.records import Records
from services.appointments.repository.scripts import load
from services.appointments.schema.keys import Keys
from services.chassis import redis, sql
from services.chassis.call import Call
from services.chassis.scripts import Script
from services.chassis.service import new_id, now
from services.chassis.testing import Got, House
from services.kernel.access import Actor
from tests.integration.chassis.peer import Connection, Peer

CLERK = "00000000-0000-7000-8000-000000000001"
OTHER = "00000000-0000-7000-8000-000000000002"
BERLIN = ZoneInfo("Europe/Berlin")
WINDOW = timedelta(days=30)


def fresh() -> str:
    """An id that nobody has."""
    return str(uuid.uuid4())


def monday(weeks: int = 1) -> date:
    """A Monday ahead."""
    today = datetime.now(BERLIN).date()
    return today + timedelta(days=7 * weeks - today.weekday())


def at(day: date, clock: str, zone: ZoneInfo = BERLIN) -> str:
    """A time on the clock of a zone, as RFC 3339."""
    hour, minute = map(int, clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).isoformat()


def session(**more: Any) -> dict[str, Any]:
    """A session on every weekday at nine, of places of half an hour."""
    made: dict[str, Any] = {
        "id": fresh(),
        "location_id": fresh(),
        "zone": "Europe/Berlin",
        "resource_ids": [],
        "weekday": 1,
        "starts": "09:00",
        "ends": "17:00",
        "slot_minutes": 30,
        "capacity": 1,
        "max_bookings": None,
        "valid_from": "2020-01-01",
        "valid_to": None,
        "appointment_type_ids": [],
    }
    return made | more


@dataclass
class World:
    """What patients and doctors would say: plans by doctor, and how records stand."""

    facility: str = field(default_factory=fresh)
    type: str = field(default_factory=fresh)
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    standings: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_away: bool = False

    def doctor(self, *sessions: dict[str, Any], doctor: str | None = None, **more: Any) -> str:
        """A doctor with sessions; every weekday when none are given. The plan is known here, and not applied yet."""
        id_ = doctor or fresh()
        known = self.plans.get(id_, {"version": 0})
        self.plans[id_] = {
            "doctor_id": id_,
            "facility_id": self.facility,
            "zone": "Europe/Berlin",
            "active": True,
            "licence_expires_on": None,
            "specialization_ids": [],
            "max_per_day": None,
            "facility_version": 0,
            "closures": [],
            "facility_closures": [],
            "appointment_types": [{"id": self.type, "minutes": 30, "audience": "everyone", "specialization_ids": []}],
            "sessions": list(sessions) or [session(weekday=day) for day in range(1, 8)],
            **more,
            "version": known["version"] + 1,
        }
        return id_

    def answer(self, connection: Connection) -> None:
        """One request, answered as the contracts of patients, doctors and identity say."""
        parts = urlsplit(connection.request.target)
        words = parts.path.split("/")
        self.asked.append(parts.path)
        if self.is_away:
            connection.answer(503, {"code": "unavailable"})
        elif words[3] == "patients":
            standing = self.standings.get(words[4], "active")
            connection.answer(*((404, {}) if standing == "unknown" else (200, {"standing": standing})))
        elif words[3:] == ["facilities", words[-1]]:
            connection.answer(200, {"id": words[-1]})
        elif words[3] == "doctors":
            plan = self.plans.get(words[4])
            connection.answer(*((404, {}) if plan is None else (200, plan)))
        else:
            wanted = parse_qs(parts.query)["specialization_id"][0]
            items = [each for each in self.plans.values() if wanted in each["specialization_ids"]]
            connection.answer(200, {"items": items, "next_cursor": None})


@dataclass
class Booking:
    """The booking desk under test, its world, and the parts of it that tests look into."""

    house: House
    world: World
    environ: dict[str, str]
    records: Records
    journal: Journal
    carrier: Carrier
    auditor: Auditor

    def apply(self, doctor: str, *, clashes: str = "refuse", change: str | None = None) -> Got:
        """Make the plan that the world knows of a doctor the one of now."""
        plan = self.world.plans[doctor]
        body = {"version": plan["version"], "change_id": change or fresh(), "clashes": clashes, "doctor": plan}
        return self.call("apply_plan", body=body, plan_id=doctor)

    def close(self, *closures: dict[str, Any], version: int, clashes: str = "refuse") -> Got:
        """Apply closures of the facility."""
        body = {"version": version, "change_id": fresh(), "clashes": clashes, "closures": list(closures)}
        return self.call("apply_plan", body=body, plan_id=self.world.facility)

    def doctor(self, *sessions: dict[str, Any], **more: Any) -> str:
        """A doctor whose plan is applied."""
        made = self.world.doctor(*sessions, **more)
        got = self.apply(made)
        assert got.status == 200, got.body
        return made

    def call(self, operation: str, **more: Any) -> Got:
        """An operation in the facility."""
        if "{facility_id}" in self.house.contract.operations[operation].path:
            more.setdefault("facility_id", self.world.facility)
        return self.house.call(operation, **more)

    def book(self, doctor: str, start: str, *, patient: str | None = None, **more: Any) -> Got:
        """Book; a new patient when none is given."""
        key, role, subject = more.pop("key", None), more.pop("role", "super_admin"), more.pop("subject", CLERK)
        body = self.wish(doctor, start, patient=patient, **more)
        return self.call("book_appointment", body=body, key=key, role=role, subject=subject)

    def wish(self, doctor: str, start: str, *, patient: str | None = None, **more: Any) -> dict[str, Any]:
        """The body of a booking or a request; a new patient when none is given."""
        wanted = {"patient_id": patient or fresh(), "doctor_id": doctor, "appointment_type_id": self.world.type}
        return {**wanted, "starts_at": start, **more}

    def booked(self, doctor: str, start: str, **more: Any) -> dict[str, Any]:
        """A booking that stands."""
        got = self.book(doctor, start, **more)
        assert got.status == 201, got.body
        return got.body

    def act(self, operation: str, appointment: dict[str, Any], body: Any = None, **more: Any) -> Got:
        """Something done to an appointment, from the version that is known."""
        version = more.pop("version", appointment["version"])
        return self.call(operation, appointment_id=appointment["id"], body=body, version=version, **more)

    def request(self, doctor: str, start: str, *, patient: str | None = None, **more: Any) -> Got:
        """Ask for an appointment; a new patient when none is given."""
        key = more.pop("key", None)
        body = {
            "patient_id": patient or fresh(),
            "doctor_id": doctor,
            "appointment_type_id": self.world.type,
            "starts_at": start,
            **more,
        }
        return self.call("request_appointment", body=body, key=key)

    def hold(self, doctor: str, start: str, *, subject: str = CLERK, key: str | None = None, **more: Any) -> Got:
        """Keep a place."""
        body = {"doctor_id": doctor, "appointment_type_id": self.world.type, "starts_at": start, **more}
        return self.call("hold_place", body=body, subject=subject, key=key)

    def is_over(self, hold: str) -> bool:
        """Whether a hold has ended by the clock of the store."""
        end: Any = self.records.connection.hget(Keys(uuid.UUID(self.world.facility)).record(uuid.UUID(hold)), "u")
        seconds, micros = self.records.connection.time()
        return end is None or int(end) <= seconds * 1000 + micros // 1000

    def free(self, doctor: str, day: date, *, zone: ZoneInfo = BERLIN) -> list[str]:
        """The starts that are free on a day."""
        since, until = at(day, "00:00", zone), at(day + timedelta(days=1), "00:00", zone)
        query = {"doctor_id": doctor, "appointment_type_id": self.world.type, "since": since, "until": until}
        got = self.call("find_free_places", query={**query, "limit": 200})
        assert got.status == 200, got.body
        return [each["starts_at"] for each in got.body["items"]]

    def read(self, appointment: dict[str, Any]) -> Got:
        """The appointment as it is now."""
        return self.call("get_appointment", appointment_id=appointment["id"])

    def listed(self, since: str, until: str, **more: Any) -> list[dict[str, Any]]:
        """All appointments of a period, page by page."""
        found: list[dict[str, Any]] = []
        query = {"since": since, "until": until, "limit": 100, **more}
        while True:
            got = insist(lambda: self.call("list_appointments", query=query))
            assert got.status == 200, got.body
            found += got.body["items"]
            if got.body["next_cursor"] is None:
                return found
            query["cursor"] = got.body["next_cursor"]

    def carry(self) -> None:
        """Carry what has happened into the journal."""
        self.carrier.carry(a_call("job"))

    def violations(self) -> list[Violation]:
        """All invariants that are broken."""
        return self.auditor.look(a_call("look"))

    def size(self) -> int:
        """How many keys the facility has in Redis, for `nothing was written`."""
        tag = uuid.UUID(self.world.facility).hex
        return sum(1 for _ in self.records.connection.scan_iter(match=f"{{{tag}}}:*"))


def a_call(operation: str, *, at: datetime | None = None) -> Call:
    """A call of a job."""
    id_ = new_id()
    return Call(id=id_, operation=operation, actor=Actor(subject="test"), at=at or now(), request_id=str(id_))


@contextmanager
def opened(
    postgres_url: str,
    redis_url: str,
    *,
    bus_url: str | None = None,
    texts: Mapping[str, Script] | None = None,
    **settings: str,
) -> Iterator[Booking]:
    """A migrated booking desk with a world of its own; `settings` as in the environment, `texts` for other scripts."""

    def answer(connection: Connection) -> None:
        desk.world.answer(connection)

    peer = Peer(answer)
    environ = {
        "DATABASE_URL": postgres_url,
        "BUS_URL": bus_url or redis_url,
        "RECORDS_URL": redis_url,
        "IDENTITY_URL": peer.url,
        "SERVICE_SECRET": "not used here",
        "PATIENTS_URL": peer.url,
        "DOCTORS_URL": peer.url,
        **settings,
    }
    service = app.service(environ, texts=texts)
    service.migrate()
    house = House(service)
    engine = sql.engine(postgres_url, name="look", pool=4)
    journal = Journal(sql.Database(engine, service="appointments", clock=now, new_id=new_id))
    nodes = settings.get("RECORDS_CLUSTER")
    connection = redis.client(redis_url, timeout_s=5) if nodes is None else redis.cluster(nodes, timeout_s=5)
    records = Records(connection, service="appointments", clock=now, new_id=new_id, is_new=journal.is_new, texts=load())
    window = timedelta(days=int(settings.get("WINDOW_DAYS", WINDOW.days)))
    carrier = Carrier(records, journal, window=window, clock=now)
    desk = Booking(house, World(), environ, records, journal, carrier, Auditor(records, journal))
    try:
        yield desk
    finally:
        house.close()
        connection.close()
        engine.dispose()
        peer.stop()


def together(count: int, run: Callable[[int], Any]) -> list[Any]:
    """Run something so many times at once, each in a thread of its own."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def insist(run: Callable[[], Got], *, times: int = 20) -> Got:
    """Do it again while the answer is to come back later, as a client does; for what is no test of that."""
    got = run()
    while got.status == 503 and times:
        time.sleep(0.05)
        got, times = run(), times - 1
    return got


def utc(text: str) -> datetime:
    """A moment of an answer, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def plain(value: Any) -> str:
    """JSON, for comparing answers."""
    return json.dumps(value, sort_keys=True)

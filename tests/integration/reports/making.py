"""Reports for the tests: the owners of what is counted, what happens there, readers, and a look into the store."""

from __future__ import annotations

import contextlib
import io
import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import psycopg
from psycopg.rows import dict_row

from services.chassis import bus, redis
from services.chassis.outbox import Outgoing
from services.chassis.relay import publish
from services.chassis.service import new_id, now
from services.chassis.testing import Got, House
from services.kernel.identifiers import uuid7
from tests.integration.chassis.listening import QUICK
from tests.integration.reports.owners import Owners
from tests.waiting import wait_for

ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")
SIDES = ("appointments", "doctors", "specializations")
_AFTER = {
    "pending": ("booked", "declined", "cancelled"),
    "booked": ("arrived", "cancelled", "no_show", "booked"),
    "arrived": ("in_progress", "booked", "cancelled"),
    "in_progress": ("completed",),
    "completed": ("entered_in_error",),
    "cancelled": ("entered_in_error",),
}
_TOLD = {
    "pending": "requested",
    "cancelled": "cancelled",
    "declined": "declined",
    "entered_in_error": "entered_in_error",
}


@dataclass
class Reports:
    """The reports under test, the services that own what is counted, and the bus between them."""

    house: House
    owners: Owners
    bus: redis.Client
    url: str
    told: list[Outgoing] = field(default_factory=list)

    # ---- what happens ------------------------------------------------------------------------------------------------

    def facility(self) -> str:
        """A facility."""
        return self._owned("facilities", {"name": "Somewhere", "zone": "Europe/Berlin", "active": True})

    def specialization(self, name: str) -> str:
        """A specialization, told on the bus."""
        made = self._owned("specializations", {"name": name, "active": True})
        self.tell("doctors", "doctors.specialization_changed.v1", made, version=1, active=True)
        return made

    def doctor(self, *specializations: str, name: str = "Example", account: str | None = None) -> str:
        """A doctor, told on the bus."""
        made = self._owned(
            "doctors",
            {
                "family_name": name,
                "given_name": "Ada",
                "title": "Dr.",
                "user_id": account,
                "specialization_ids": [*specializations],
                "active": True,
            },
        )
        self.tell("doctors", "doctors.created.v1", made, version=1)
        return made

    def change_doctor(self, doctor: str, **change: Any) -> None:
        """Another version of a doctor, told on the bus."""
        now_is = self.owners.doctors[doctor]
        self.owners.doctors[doctor] = {**now_is, **change, "version": now_is["version"] + 1}
        self.tell("doctors", "doctors.changed.v1", doctor, version=now_is["version"] + 1, fields=[*change])

    def appointment(self, facility: str, doctor: str, starts: str, **more: Any) -> dict[str, Any]:
        """An appointment as `appointments` states it, at a time on the clock of its zone, told on the bus."""
        zone = more.pop("zone", "Europe/Berlin")
        start = datetime.fromisoformat(starts).replace(tzinfo=ZoneInfo(zone))
        state = {
            "id": str(new_id()),
            "facility_id": facility,
            "doctor_id": doctor,
            "location_id": str(new_id()),
            "appointment_type_id": str(new_id()),
            "status": "booked",
            "starts_at": start.isoformat(),
            "ends_at": (start + timedelta(minutes=30)).isoformat(),
            "zone": zone,
            "late_cancelled": False,
            "changed_at": _stamp(now()),
            "version": 1,
            **more,
        }
        return self.keep(state)

    def keep(self, state: dict[str, Any], *, kind: str | None = None) -> dict[str, Any]:
        """A version of an appointment: its owner states it from now on, and its event is told."""
        self.owners.appointments[state["id"]] = state
        self.publish(event_of(state, kind=kind))
        return state

    def change(self, state: dict[str, Any], **change: Any) -> dict[str, Any]:
        """The next version of an appointment."""
        fresh = {**state, **change, "version": state["version"] + 1, "changed_at": _stamp(now())}
        return self.keep(fresh, kind="rescheduled" if "starts_at" in change else None)

    def tell(self, source: str, kind: str, subject: str, *, version: int, **data: Any) -> None:
        """One event on the bus."""
        self.publish(envelope(source, kind, subject, version=version, at=now(), data=data))

    def publish(self, *events: Outgoing) -> None:
        """Put events on their streams, and remember them as the outbox of their owner does."""
        self.told += events
        publish(self.bus, events)

    def republish(self, *, rounds: int = 1) -> None:
        """Put everything on the streams again, in its order."""
        for _ in range(rounds):
            publish(self.bus, self.told)

    # ---- who follows it ----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self, *, consumers: int = 1) -> Iterator[None]:
        """So many workers read, each in the threads of a consumer."""
        stop, threads = threading.Event(), []
        schemas = bus.EventSchemas(self.house.service.settings.openapi_dir)
        reader = redis.client(self.url, timeout_s=QUICK.block_s + 2)
        for number in range(consumers):
            for each in self.house.service.subscriptions:
                handling = bus.Handling(each, group="reports", schemas=schemas, clock=now, new_id=new_id)
                group = bus.Group(self.bus, stream=each.stream, name="reports")
                consumer = bus.Consumer(group, handling, reader=reader, name=f"worker{number}", timing=QUICK)
                threads += [threading.Thread(target=part, args=(stop,)) for part in (consumer.read, consumer.retry)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
            reader.close()

    def follow(self, *, consumers: int = 1) -> None:
        """Read all that was told."""
        with self.reading(consumers=consumers):
            self.wait_until_read()

    def wait_until_read(self, *, within_s: float = 60) -> None:
        """Until nothing waits."""
        streams = [each.stream for each in self.house.service.subscriptions]
        wait_for(lambda: not any(self.waits(each) for each in streams), within_s=within_s, what="all events are read")

    def waits(self, stream: str) -> int:
        """How many entries of a stream the reader has not finished."""
        groups = self.bus.xinfo_groups(stream) if self.bus.exists(stream) else []
        for group in groups:
            if group["name"] == "reports":
                unread = self.bus.xrange(stream, f"({group['last-delivered-id']}", "+", count=1)
                return int(group["pending"]) + len(unread)
        return int(self.bus.xlen(stream))

    def run(self, name: str, **call: Any) -> None:
        """Run a job once."""
        from services.chassis.call import by_hand

        (job,) = [each for each in self.house.service.jobs if each.name == name]
        job.run(by_hand(f"job:{name}", id=new_id(), at=call.get("at", now())))

    def command(self, name: str) -> tuple[int, list[str]]:
        """A command as its operator runs it: the exit code, and what it said."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = self.house.service.commands[name].run([])
        return code, said.getvalue().splitlines()

    def digest(self) -> str:
        """What `infirmary reports digest` says."""
        code, lines = self.command("digest")
        assert (code, len(lines)) == (0, 1), lines
        return lines[0]

    # ---- what is asked -----------------------------------------------------------------------------------------------

    def ask(self, operation: str = "count_appointments", **more: Any) -> Got:
        """A report."""
        role, subject = more.pop("role", "admin"), more.pop("subject", str(new_id()))
        query = {"first_day": "2026-01-01", "last_day": "2026-12-31", **more}
        return self.house.call(operation, role=role, subject=subject, query=query)

    def report(self, operation: str = "count_appointments", **more: Any) -> dict[str, Any]:
        """A report that is given."""
        got = self.ask(operation, **more)
        assert got.status == 200, got.body
        return dict(got.body)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        address = self.house.service.settings.database_url.get_secret_value()
        with psycopg.connect(address, row_factory=dict_row) as admin:
            return admin.execute(f"SELECT * FROM {table} ORDER BY 1".encode()).fetchall()

    def exports(self) -> list[dict[str, Any]]:
        """What the audit entries of this service say of exports."""
        found = [orjson.loads(each["event"])["data"] for each in self.rows("outbox")]
        return [each for each in found if each["action"] == "export"]

    def _owned(self, kind: str, body: dict[str, Any]) -> str:
        id_ = str(new_id())
        getattr(self.owners, kind)[id_] = {"id": id_, "version": 1, **body}
        return id_


def empty(postgres_url: str) -> None:
    """A database as after its migration."""
    tables = [f"{name}_{side}" for name in SIDES for side in (0, 1)]
    with psycopg.connect(postgres_url) as admin:
        admin.execute(f"TRUNCATE {', '.join([*tables, 'looks', 'outbox', 'inbox', 'idempotency'])}".encode())
        admin.execute("UPDATE sides SET live = 0, filling = NULL, begun = 0")


def event_of(state: dict[str, Any], *, kind: str | None = None) -> Outgoing:
    """The event that tells a version of an appointment."""
    type_ = kind or _TOLD.get(state["status"], "booked" if state["status"] == "booked" else "status_changed")
    names = (
        "facility_id", "doctor_id", "appointment_type_id", "status", "starts_at", "ends_at", "zone", "location_id",
    )  # fmt: skip
    data = {name: state[name] for name in names} | {"patient_id": str(new_id())}
    if type_ == "cancelled":
        data["late"] = state["late_cancelled"]
    if type_ == "rescheduled":
        data["previous_starts_at"] = state["starts_at"]
    at = datetime.fromisoformat(state["changed_at"])
    return envelope("appointments", f"appointments.{type_}.v1", state["id"], version=state["version"], at=at, data=data)


def envelope(source: str, kind: str, subject: str, *, version: int, at: datetime, data: dict[str, Any]) -> Outgoing:
    """An event as its service sends it."""
    id_ = new_id()
    body = {
        "specversion": "1.0",
        "id": str(id_),
        "type": kind,
        "source": f"/infirmary/{source}",
        "subject": subject,
        "time": _stamp(at),
        "datacontenttype": "application/json",
        "schemaversion": 1,
        "subjectversion": version,
        "data": data,
    }
    return Outgoing(id=id_, stream=f"events.{source}", type=kind, event=orjson.dumps(body).decode())


def histories(
    chance: random.Random, *, count: int, facilities: Sequence[str], doctors: Sequence[str]
) -> list[list[dict[str, Any]]]:
    """Random lives of appointments: every version of each, from the first to the last."""
    return [_life(chance, facilities, doctors) for _ in range(count)]


def _life(chance: random.Random, facilities: Sequence[str], doctors: Sequence[str]) -> list[dict[str, Any]]:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(86_400))
    state = {
        "id": str(uuid7(at, chance.randbytes(10))),
        "facility_id": chance.choice(facilities),
        "appointment_type_id": str(uuid7(at, chance.randbytes(10))),
        "status": chance.choice(("pending", "booked", "booked")),
        "late_cancelled": False,
        "changed_at": _stamp(at),
        "version": 1,
        **_place(chance, doctors),
    }
    versions = [state]
    while chance.random() < 0.75 and state["status"] in _AFTER:
        status = chance.choice(_AFTER[state["status"]])
        at += timedelta(seconds=1)
        state = {**state, "status": status, "version": state["version"] + 1, "changed_at": _stamp(at)}
        if status == versions[-1]["status"] == "booked":
            state |= _place(chance, doctors)
        if status == "cancelled" and versions[-1]["status"] != "pending":
            state["late_cancelled"] = chance.random() < 0.5
        versions.append(state)
    return versions


def _place(chance: random.Random, doctors: Sequence[str]) -> dict[str, Any]:
    zone = chance.choice(ZONES)
    # Within a few days around changes of clocks, and at any hour: days differ by zone there.
    day = chance.choice(
        (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 6, 30, tzinfo=UTC))
    )
    start = (day + timedelta(minutes=chance.randrange(3 * 1440))).astimezone(ZoneInfo(zone))
    end = (start.astimezone(UTC) + timedelta(minutes=30)).astimezone(ZoneInfo(zone))
    return {
        "doctor_id": chance.choice(doctors),
        "location_id": str(uuid7(day, chance.randbytes(10))),
        "starts_at": start.isoformat(),
        "ends_at": end.isoformat(),
        "zone": zone,
    }


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

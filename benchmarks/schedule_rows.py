"""Appointments of a whole hospital as rows of the journal, and a plan for every doctor."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from services.appointments import model
from services.appointments.repository import packing
from tests.integration.appointments.making import World, session

PLACES, OPENS, DOCTORS_OF_ONE, BOOKED = 24, 8, 25, 0.6
PAST_FROM, PAST_DAYS, EACH_PATIENT = 31, 700, 8
_COPY = b"COPY appointments (id, facility_id, patient_id, doctor_id, status, late_cancelled, starts_at, ends_at, version, in_records, record) FROM STDIN"  # noqa: E501 - one statement
_IN_A_ROW = ("id", "patient_id", "doctor_id", "location_id", "session_id", "starts_at", "ends_at", "status")


@dataclass
class Hospital:
    """One facility with so many doctors, each with twenty-four places of half an hour on every day."""

    doctors: int
    world: World = field(default_factory=World)
    specialization: str = ""

    def __post_init__(self) -> None:
        """Make the plans; each twenty-five doctors share a specialization."""
        for number in range(self.doctors):
            if number % DOCTORS_OF_ONE == 0:
                self.specialization = str(uuid.uuid4())
            hours = {"starts": f"{OPENS:02d}:00", "ends": f"{OPENS + PLACES // 2:02d}:00", "zone": "UTC"}
            days = [session(weekday=day, **hours) for day in range(1, 8)]
            self.world.doctor(*days, zone="UTC", specialization_ids=[self.specialization])

    @property
    def names(self) -> list[str]:
        """The doctors."""
        return list(self.world.plans)

    def write_plans(self, url: str) -> None:
        """Write into the journal that every plan was applied, and that the facility has a stream."""
        plans = [(self.world.facility, uuid.UUID(each).hex) for each in self.names]
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO positions VALUES (%s, '0-0')", (self.world.facility,))
            cursor.executemany("INSERT INTO plans VALUES (%s, %s, 1, '[]')", plans)

    def write_appointments(self, url: str, *, days: int, past: int) -> tuple[int, int]:
        """Write what is booked in the coming days, and what is over; how many of each."""
        counts = []
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            for lines in (self._ahead(days), self._over(past)):
                count = 0
                with cursor.copy(_COPY) as copy:
                    for line in lines:
                        copy.write(line)
                        count += 1
                counts.append(count)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ANALYZE appointments")
        return counts[0], counts[1]

    def _ahead(self, days: int) -> Iterator[str]:
        chance = random.Random(7)  # noqa: S311 - the same hospital each time
        patients = _ids(chance, max(1, int(self.doctors * days * PLACES * BOOKED) // EACH_PATIENT))
        today, rows, number = datetime.now(UTC).date(), _Rows(self.world, chance, status="booked"), 0
        for day in (today + timedelta(days=ahead) for ahead in range(1, days + 1)):
            for doctor in self.names:
                for place in range(PLACES):
                    if chance.random() < BOOKED:
                        yield rows.line(doctor, patients[number % len(patients)], day, place)
                        number += 1

    def _over(self, count: int) -> Iterator[str]:
        """Completed appointments from before the live window: the journal alone has them."""
        chance = random.Random(8)  # noqa: S311 - as above
        patients = _ids(chance, max(1, count // EACH_PATIENT))
        rows = _Rows(self.world, chance, status="completed")
        first, names = datetime.now(UTC).date() - timedelta(days=PAST_FROM), self.names
        for number in range(count):
            turn, place = divmod(number, PLACES)
            day = first - timedelta(days=turn // len(names) % PAST_DAYS)
            yield rows.line(names[turn % len(names)], patients[number % len(patients)], day, place)


class _Rows:
    """Lines for COPY, from one real record in which ids and times are put."""

    def __init__(self, world: World, chance: random.Random, *, status: str) -> None:
        self._plans, self._chance = world.plans, chance
        self._sessions = {
            name: {each["weekday"]: (each["id"], each["location_id"]) for each in plan["sessions"]}
            for name, plan in world.plans.items()
        }
        in_records = "t" if status == "booked" else "f"
        self._line = (
            f"%(id)s\t{world.facility}\t%(patient_id)s\t%(doctor_id)s\t{status}\tf\t%(starts_at)s\t%(ends_at)s\t1"
            f"\t{in_records}\t{_pattern(world, status)}\n"
        )

    def line(self, doctor: str, patient: str, day: date, place: int) -> str:
        """One row."""
        session_id, location_id = self._sessions[doctor][day.isoweekday()]
        start, end = OPENS * 60 + place * 30, OPENS * 60 + (place + 1) * 30
        return self._line % {
            "id": uuid.UUID(int=self._chance.getrandbits(128)),
            "patient_id": patient,
            "doctor_id": doctor,
            "location_id": location_id,
            "session_id": session_id,
            "starts_at": f"{day}T{start // 60:02d}:{start % 60:02d}:00Z",
            "ends_at": f"{day}T{end // 60:02d}:{end % 60:02d}:00Z",
        }


def _pattern(world: World, status: str) -> str:
    """A record as the service writes it, with a name in place of each value that differs."""
    at, ids = datetime.now(UTC), {name: uuid.uuid4() for name in _IN_A_ROW if name.endswith("id")}
    start = datetime(2001, 1, 1, 9, tzinfo=UTC)
    appointment = model.Appointment(
        facility_id=uuid.UUID(world.facility),
        appointment_type_id=uuid.UUID(world.type),
        resource_ids=(),
        status=model.Status(status),
        starts_at=start,
        ends_at=start + timedelta(minutes=30),
        zone="UTC",
        created_at=at,
        created_by=str(uuid.uuid4()),
        changed_at=at,
        changed_by=str(uuid.uuid4()),
        seat=1,
        reason="Follow-up",
        **ids,
    )
    text = packing.packed(packing.to_plain(appointment)).decode()
    times = {"starts_at": "2001-01-01T09:00:00Z", "ends_at": "2001-01-01T09:30:00Z"}
    values: dict[str, Any] = {**ids, **times}
    for name, value in values.items():
        text = text.replace(f'"{value}"', f'"%({name})s"', 1)
    return text


def _ids(chance: random.Random, count: int) -> list[str]:
    return [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(count)]

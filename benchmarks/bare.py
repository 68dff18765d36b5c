"""Bare Flask on granian with a Redis of its own: what `bare_flask` needs, and a load of bookings for it.

The argument of the script is taken from the service's own repository, which is given a script that only listens.
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import redis

from benchmarks import load
from benchmarks.sample import names
from services.appointments import model, view
from services.appointments.repository import scripts
from services.appointments.repository.records import Records
from services.appointments.schema.keys import Keys, digest
from services.chassis.call import Call, IdempotencyKey
from services.kernel.access import Actor
from standalone.servers.redis import DURABLE
from tests.integration.appointments.making import World, session
from tests.places import free_port
from tests.stores import Own

ROOT = Path(__file__).resolve().parents[1]
_DOCTORS, _DAYS, _READY_S = 64, 60, 20.0
# Long ago, so that no number and no time of it stands in a booking of today.
_SAMPLE_START = datetime(2001, 9, 3, 10, tzinfo=UTC)


@dataclass
class _Listening:
    """A script that runs nowhere and keeps what it was to be run with."""

    keys: Sequence[str] = ()
    argument: bytes = b""

    def run(self, _connection: Any, *, keys: Sequence[str], arguments: Sequence[Any]) -> tuple[str, str]:
        """Keep it."""
        self.keys, self.argument = keys, arguments[0]
        return "ok", "[201,null]"


@dataclass
class Bare:
    """Bare Flask, running.

    pids: by name. threads: of granian, in its one worker.
    """

    port: int
    world: World
    threads: int
    pids: dict[str, int] = field(default_factory=dict)

    def requests(self, count: int) -> list[bytes]:
        """So many bookings, each of a place and a patient of its own."""
        doctors = sorted(self.world.plans)
        first = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0) + timedelta(days=2)
        found = []
        for number in range(min(count, _DOCTORS * _DAYS * 32)):
            turn, doctor = divmod(number, _DOCTORS)
            start = first + timedelta(days=turn % _DAYS, minutes=30 * (turn // _DAYS))
            body = {
                "patient_id": str(uuid.uuid4()),
                "doctor_id": doctors[doctor],
                "appointment_type_id": self.world.type,
                "starts_at": start.isoformat(),
            }
            found.append(load.encoded("POST", "/bookings", orjson.dumps(body), {}))
        return found


@contextmanager
def running(folder: Path, *, threads: int) -> Iterator[Bare]:
    """Start both, and end both whatever happens."""
    (folder / "redis").mkdir(parents=True)
    store = Own("redis", folder / "redis", **{**DURABLE, "maxmemory": "2gb"})
    store.start()
    server: subprocess.Popen[bytes] | None = None
    try:
        world = _world()
        _prepare(store.url, world, folder)
        bare = Bare(free_port(), world, threads)
        server = _granian(bare, folder, store.url)
        bare.pids = {"bare flask": server.pid, "bare redis": _pid_of(store.url)}
        yield bare
    finally:
        if server is not None:
            server.terminate()
            server.wait(20)
        store.kill()


def _world() -> World:
    world = World()
    for _ in range(_DOCTORS):
        hours = {"starts": "06:00", "ends": "22:00", "zone": "UTC", "valid_from": "2000-01-01"}
        world.doctor(*[session(weekday=day, **hours) for day in range(1, 8)], zone="UTC")
    return world


def _prepare(url: str, world: World, folder: Path) -> None:
    facility = uuid.UUID(world.facility)
    keys = Keys(facility)
    connection = redis.Redis.from_url(url)
    connection.set(keys.origin, "here")
    connection.hset(keys.plans, mapping={uuid.UUID(each).hex: "1" for each in world.plans})
    (folder / "place.lua").write_text(scripts.text("place"), encoding="utf-8")
    (folder / "sample.json").write_bytes(orjson.dumps(_sample(world, connection)))
    connection.close()


def _sample(world: World, connection: Any) -> dict[str, Any]:
    """Keys and argument of a real booking, in lines, and the ids and times that stand in them."""
    doctor, patient, appointment = (uuid.UUID(each) for each in (min(world.plans), str(uuid.uuid4()), _v7()))
    plan = model.read_plan({**world.plans[str(doctor)], "facility_version": 0})
    at, key = _SAMPLE_START - timedelta(days=9, seconds=77), str(uuid.uuid4())
    actor = Actor(subject=_v7(), session=_v7(), roles=frozenset({"receptionist"}))
    call = Call(
        id=uuid.uuid4(), operation="book_appointment", action="create", actor=actor, at=at, request_id=_v7(),
        source="127.0.0.1", key=IdempotencyKey(actor.subject, key, bytes(32)),
    )  # fmt: skip
    body = {"patient_id": str(patient), "starts_at": _SAMPLE_START.isoformat()}
    spot = model.find_spot(plan, body, type_id=uuid.UUID(world.type), house=model.House(), at=at, actor=actor)
    step = model.book(body, spot, appointment_id=appointment, at=at, actor=actor, house=model.House())
    call.audit(patient=patient, record=appointment, version=1)
    heard: Any = _Listening()
    records = Records(
        connection, service="appointments", clock=lambda: at, new_id=uuid.uuid4, is_new=lambda _: True,
        texts={"place": heard},
    )  # fmt: skip
    records.commit(call, step, answer=view.appointment(step.after), status=201)
    first = int(_SAMPLE_START.timestamp()) // 60
    found = names(appointment=str(appointment), patient=str(patient), doctor=str(doctor), first=first)
    return {
        "text": "\n".join([*heard.keys, heard.argument.decode()]),
        "names": [*found[:-1], digest(actor.subject, key)],
    }


def _v7() -> str:
    return f"01939c3e-{uuid.uuid4()!s:.4}-7{uuid.uuid4().hex[:3]}-8{uuid.uuid4().hex[:3]}-{uuid.uuid4().hex[:12]}"


def _granian(bare: Bare, folder: Path, url: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(bare.port),
        "--workers", "1", "--blocking-threads", str(bare.threads), "--no-ws", "--http", "1",
        "benchmarks.bare_flask:app",
    ]  # fmt: skip
    environ = {"BARE_FOLDER": str(folder), "BARE_REDIS_URL": url, "PATH": "/usr/bin:/bin"}
    log = folder / "granian.log"
    with log.open("wb") as out:
        server = subprocess.Popen(  # noqa: S603 - fixed words and our own paths
            command, cwd=ROOT, env=environ, stdout=out, stderr=out
        )
    ends = time.monotonic() + _READY_S
    while time.monotonic() < ends and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{bare.port}/", timeout=1)
        except urllib.error.HTTPError:
            return server  # it answers, if only that there is no such page
        except OSError:
            time.sleep(0.1)
    server.terminate()
    raise RuntimeError(f"bare Flask did not start: {log.read_text(errors='replace')[-600:]}")


def _pid_of(url: str) -> int:
    connection = redis.Redis.from_url(url)
    found: Any = connection.info("server")
    connection.close()
    return int(found["process_id"])

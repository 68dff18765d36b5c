"""What the schedules of a large hospital take: memory, rebuilding, searches and bookings, beside an empty one.

    python -m benchmarks.bench_schedule [--doctors 500] [--days 90] [--past 1000000]

Sixty of a hundred places are booked. The rows are copied into the journal's tables, and the records are filled from it
as after a loss. What is measured is the whole application in this process on servers of its own; patients and doctors
answer over real sockets from another process. What counts is the ratio to the empty hospital in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import redis

from benchmarks import inside, peers
from benchmarks.inside import Sent
from benchmarks.schedule_rows import BOOKED, DOCTORS_OF_ONE, PLACES, Hospital
from benchmarks.terminal import say
from tests.integration.appointments import making
from tests.integration.appointments.making import Booking
from tests.stores import Own

DOCTORS, DAYS, PAST = 500, 90, 1_000_000
ONES, WIDE, WARM = 200, 25, 5
Figures = Mapping[str, Sequence[float]]


def main() -> int:
    """Print the figures; the exit code."""
    parser = argparse.ArgumentParser(prog="bench_schedule", description="Schedules of a large hospital.")
    parser.add_argument("--doctors", type=int, default=DOCTORS)
    parser.add_argument("--days", type=int, default=DAYS, help="ahead that are booked")
    parser.add_argument("--past", type=int, default=PAST, help="appointments that are over")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        postgres, store = _servers(Path(folder))
        try:
            postgres.start()
            store.start()
            _run(postgres.url, store.url, given)
        finally:
            postgres.kill()
            store.kill()
    say(f"all of it took {time.monotonic() - began:.0f} s")
    return 0


def _servers(folder: Path) -> tuple[Own, Own]:
    for name in ("postgres", "redis"):
        (folder / name).mkdir()
    # Nothing that lies in this journal is worth a disk's patience; the records keep their own durable settings.
    postgres = Own("postgres", folder / "postgres", fsync="off", max_wal_size="8GB", shared_buffers="512MB")
    return postgres, Own("redis", folder / "redis", maxmemory="8gb")


def _run(server: str, records: str, given: argparse.Namespace) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("CREATE DATABASE schedule TEMPLATE template0")
    url = f"{server.rpartition('/')[0]}/schedule"
    empty, full = Hospital(min(given.doctors, DOCTORS_OF_ONE)), Hospital(given.doctors)
    with (
        peers.speaking({**empty.world.plans, **full.world.plans}) as peer,
        making.opened(url, records, PATIENTS_URL=peer, DOCTORS_URL=peer) as desk,
    ):
        empty.write_plans(url)
        desk.carrier.rebuild(making.a_call("rebuild"), say=lambda _: None)
        without = dict(_measured(desk, empty))
        _fill(desk, full, url, records, given)
        _show(dict(_measured(desk, full)), without)


def _fill(desk: Booking, hospital: Hospital, url: str, records: str, given: argparse.Namespace) -> None:
    started = time.monotonic()
    hospital.write_plans(url)
    ahead, over = hospital.write_appointments(url, days=given.days, past=given.past)
    say(
        f"{given.doctors} doctors, {given.days} days of {PLACES} places, {BOOKED:.0%} booked: {ahead} appointments "
        f"ahead, {over} over; copied into the journal in {time.monotonic() - started:.0f} s "
        "(without their versions, which nothing here reads)"
    )
    before, started = _memory(records), time.monotonic()
    desk.carrier.rebuild(making.a_call("rebuild"), say=lambda _: None)
    took, grown = time.monotonic() - started, _memory(records) - before
    say(f"rebuild of the records: {took:.1f} s, {ahead / took:.0f} appointments/s")
    say(f"Redis: {grown / max(1, ahead):.0f} bytes per appointment, {grown / 2**20:.0f} MiB for all of them")


def _memory(url: str) -> int:
    connection = redis.Redis.from_url(url)
    found: Any = connection.info("memory")
    connection.close()
    return int(found["used_memory"])


def _measured(desk: Booking, hospital: Hospital) -> Iterator[tuple[str, list[float]]]:
    """Seconds of each kind of request, by its name."""
    app, path = desk.house.web.app, f"/api/v1/facilities/{hospital.world.facility}"
    names = hospital.names
    one = [names[number % len(names)] for number in range(ONES + WARM)]

    def timed(requests: Sequence[Sent], wanted: int = 200) -> list[float]:
        return inside.seconds(app, requests, wanted=wanted)[WARM:]

    searches = [_search(path, hospital, days=7, doctor_id=each) for each in one]
    yield "free places, a doctor, 7 days", timed(searches)
    wide = _search(path, hospital, days=14, specialization_id=hospital.specialization)
    yield f"free places, {min(DOCTORS_OF_ONE, len(names))} doctors, 14 days", timed([wide] * (WIDE + WARM))
    places = {each: inside.answer(app, _search(path, hospital, days=7, doctor_id=each))["items"] for each in set(one)}
    yield "booking", timed([_booking(path, hospital, places[each]) for each in one], 201)
    yield "a doctor's day", timed([_day(path, each) for each in one])


def _search(path: str, hospital: Hospital, *, days: int, **of: str) -> Sent:
    since = _midnight() + timedelta(days=1)
    asked = {
        **of,
        "appointment_type_id": hospital.world.type,
        "since": since.isoformat(),
        "until": (since + timedelta(days=days)).isoformat(),
        "limit": 50,
    }
    return Sent("GET", f"{path}/free-places", urlencode(asked))


def _booking(path: str, hospital: Hospital, places: list[dict[str, Any]]) -> Sent:
    """One for somebody new, at a place that nobody has yet."""
    place = places.pop()
    body = {
        "patient_id": str(uuid.uuid4()),
        "doctor_id": place["doctor_id"],
        "appointment_type_id": hospital.world.type,
        "starts_at": place["starts_at"],
    }
    return Sent("POST", f"{path}/appointments", body=body)


def _day(path: str, doctor: str) -> Sent:
    since = _midnight() + timedelta(days=3)
    asked = {"since": since.isoformat(), "until": (since + timedelta(days=1)).isoformat(), "doctor_id": doctor}
    return Sent("GET", f"{path}/appointments", urlencode(asked))


def _midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _show(full: Figures, empty: Figures) -> None:
    say(f"{'':<36} {'p50':>8} {'p99':>8}     {'empty: p50':>10} {'p99':>8}    {'ratio of p50':>12}")
    for name, taken in full.items():
        mine, theirs = _shares(taken), _shares(empty[name])
        shown = f"{mine[0]:8.1f} {mine[1]:8.1f} ms  {theirs[0]:10.1f} {theirs[1]:8.1f} ms {mine[0] / theirs[0]:12.2f}"
        say(f"{name:<36} {shown}")


def _shares(taken: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in milliseconds."""
    return statistics.median(taken) * 1000, statistics.quantiles(taken, n=100, method="inclusive")[98] * 1000


if __name__ == "__main__":
    raise SystemExit(main())

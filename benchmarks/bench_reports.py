"""How long reports over a year of a facility take, and how much memory and time a rebuild takes.

    python -m benchmarks.bench_reports [--rows 1000000] [--rebuilt 50000]

The rows are made by SQL: one facility has a tenth of them, one has the rest, all in one year. Prints for each report
the time that PostgreSQL says in EXPLAIN ANALYZE, the kind of scan, and the ratio to counting the same rows in the table
without the index; then the whole request, in ratio to a report of one day. A rebuild is run by its command in a process
of its own, over a tenth of the appointments and over all of them: memory that grows with them would show.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.terminal import say
from services.chassis import sql
from services.chassis.service import new_id
from services.chassis.testing import House
from services.reports import app, model, schema
from services.reports.repository import SqlFigures
from tests import stores
from tests.integration.reports.owners import Owners

ROOT = Path(__file__).resolve().parents[1]
LARGE, SMALL = (str(uuid.UUID(int=n)) for n in (1, 2))
YEAR = {"first_day": "2026-01-01", "last_day": "2026-12-31"}
DAY = {"first_day": "2026-06-15", "last_day": "2026-06-15"}
DOCTORS, SPECIALIZATIONS, ROUNDS = 400, 40, 7
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "year, total": ("count_appointments", {}),
    "year by status": ("count_appointments", {"group_by": ["status"]}),
    "year by doctor": ("count_appointments", {"group_by": ["doctor"]}),
    "year by specialization": ("count_appointments", {"group_by": ["specialization"]}),
    "year by day and status": ("count_appointments", {"group_by": ["day", "status"]}),
    "year of one doctor by day": ("count_appointments", {"group_by": ["day"], "doctor_id": [str(uuid.UUID(int=1007))]}),
    "year, rates by doctor": ("get_attendance_rates", {"group_by": ["doctor"]}),
    "year by day and doctor, file": (
        "export_appointment_counts",
        {"group_by": ["day", "doctor"], "last_day": "2026-06-30"},
    ),
}
_ROWS = """
INSERT INTO appointments_0
SELECT gen_random_uuid(), CASE WHEN n % 10 = 0 THEN :small ELSE :large END::uuid,
       lpad(to_hex(1000 + (n * 7919) % :doctors), 32, '0')::uuid, gen_random_uuid(), gen_random_uuid(),
       (ARRAY['completed', 'completed', 'completed', 'completed', 'booked', 'cancelled', 'no_show', 'arrived'])
       [1 + (n * 31) % 8],
       at, at + interval '30 minutes', 'Europe/Berlin', (at AT TIME ZONE 'Europe/Berlin')::date, n % 16 = 5, at, 3
FROM (SELECT n, timestamptz '2026-01-01 08:00:00+01' + (n * 104729) % 364 * interval '1 day'
             + n % 16 * interval '30 minutes' AS at
      FROM generate_series(1::bigint, :rows) AS n) AS made
"""
_DOCTORS = """
INSERT INTO doctors_0
SELECT lpad(to_hex(1000 + n), 32, '0')::uuid, 'Dr. Number ' || n, NULL,
       ARRAY[lpad(to_hex(9000 + n % :kinds), 32, '0'), lpad(to_hex(9000 + (n * 3 + 1) % :kinds), 32, '0')]::uuid[], 1
FROM generate_series(0, :doctors - 1) AS n
"""
_KINDS = """
INSERT INTO specializations_0
SELECT lpad(to_hex(9000 + n), 32, '0')::uuid, 'Specialization ' || n, false, 1 FROM generate_series(0, :kinds - 1) AS n
"""

# The most that the process itself has used: what getrusage says of a child begins with the size of its parent.
_MEASURED = """
from services.chassis.cli import main

from benchmarks.terminal import say
code = main(["reports", "rebuild"])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
raise SystemExit(code)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rebuilt", type=int, default=50_000)
    given = parser.parse_args()
    owners = Owners()
    owners.facilities |= {each: {"id": each} for each in (LARGE, SMALL)}
    try:
        with database() as url:
            reports(url, owners, rows=given.rows)
        for count in (given.rebuilt // 10, given.rebuilt):
            with database() as url:
                rebuild(url, owners, count=count)
    finally:
        owners.peer.stop()


@contextmanager
def database() -> Iterator[str]:
    """A migrated database, which goes afterwards."""
    with stores.databases(stores.address("postgres"), f"bench_{secrets.token_hex(4)}") as make:
        url = make()
        sql.migrate(url, app.MIGRATIONS)
        yield url


def environ(url: str, owners: Owners) -> dict[str, str]:
    """The settings of the reports."""
    peers = dict.fromkeys(("IDENTITY_URL", "APPOINTMENTS_URL", "DOCTORS_URL"), owners.url)
    return {"DATABASE_URL": url, "BUS_URL": "redis://127.0.0.1:9", "SERVICE_SECRET": "not used here", **peers}


def reports(url: str, owners: Owners, *, rows: int) -> None:
    """A year of reports."""
    engine = sql.engine(url, name="bench", pool=1, statement_s=600)
    numbers = {"rows": rows, "small": SMALL, "large": LARGE, "doctors": DOCTORS, "kinds": SPECIALIZATIONS}
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for text in (_ROWS, _DOCTORS, _KINDS):
            wanted = {name: value for name, value in numbers.items() if f":{name}" in text}
            connection.execute(sa.text(text), wanted)
        connection.exec_driver_sql("VACUUM ANALYZE")
        say(f"{rows:,} appointments, nine tenths of them at one facility, in one year; {DOCTORS} doctors")
        base = statistics.median(_bare(connection) for _ in range(ROUNDS))
        for name, (operation, asked) in KINDS.items():
            measures = model.OUTCOMES if operation == "get_attendance_rates" else model.COUNTS
            taken, scan = _explained(connection, _asked(asked), measures)
            say(f"  {name:<30} {taken:7.0f} ms, {taken / base:5.2f} x a count without the index; {scan}")
    engine.dispose()
    _whole(url, owners)


def _bare(connection: sa.Connection) -> float:
    """The time of counting a year of a facility by reading the table."""
    for way in ("indexscan", "bitmapscan", "indexonlyscan"):
        connection.exec_driver_sql(f"SET enable_{way} = off")
    table = schema.SIDES[0].appointments.c
    year = table.day.between(*map(date.fromisoformat, YEAR.values()))
    taken, _ = _explain(connection, sa.select(sa.func.count()).where(table.facility_id == uuid.UUID(LARGE), year))
    connection.exec_driver_sql("RESET ALL")
    return taken


def _asked(more: Mapping[str, Any]) -> model.Asked:
    given = {**YEAR, **more}
    return model.asked(
        LARGE, given["first_day"], given["last_day"], groups=given.get("group_by"), doctors=given.get("doctor_id")
    )


def _explained(connection: sa.Connection, asked: model.Asked, measures: tuple[model.Measure, ...]) -> tuple[float, str]:
    """The median time of the query of a report, and how it reads the appointments."""
    figures = SqlFigures(connection, schema.SIDES[0])
    grouped = figures._grouped(asked, measures)  # noqa: SLF001 - the query itself is what is measured
    query = figures._named(grouped, asked, [each.name for each in measures], has_names=True)  # noqa: SLF001
    found = [_explain(connection, query) for _ in range(ROUNDS)]
    return statistics.median(taken for taken, _ in found), found[-1][1]


def _explain(connection: sa.Connection, query: sa.Select[Any]) -> tuple[float, str]:
    compiled = query.compile(connection.engine, compile_kwargs={"render_postcompile": True})
    text = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled}"
    plan = connection.exec_driver_sql(text, compiled.params).scalar_one()[0]
    return plan["Execution Time"], _scan(plan["Plan"])


def _scan(node: Mapping[str, Any]) -> str:
    if str(node.get("Relation Name", "")).startswith("appointments"):
        return f"{node['Node Type']} ({node.get('Index Name', 'no index')})"
    return next((found for each in node.get("Plans", []) if (found := _scan(each))), "")


def _whole(url: str, owners: Owners) -> None:
    """Whole requests through the web application."""
    house = House(app.service(environ(url, owners)))

    def ask(operation: str, **query: Any) -> Callable[[], float]:
        def run() -> float:
            started = time.perf_counter()
            got = house.call(
                operation, role="admin", subject=str(new_id()), query={"facility_id": LARGE, **YEAR, **query}
            )
            if got.status != 200:
                raise RuntimeError(got.raw[:300])
            return time.perf_counter() - started

        return run

    one_day = ask("count_appointments", **DAY)
    base = statistics.median(one_day() for _ in range(ROUNDS))
    say(f"whole requests; one day takes {base * 1000:.0f} ms")
    for name, (operation, asked) in KINDS.items():
        run = ask(operation, **asked)
        taken = statistics.median(run() for _ in range(ROUNDS))
        say(f"  {name:<30} {taken * 1000:7.0f} ms, {taken / base:5.1f} x a day")
    house.close()


def rebuild(url: str, owners: Owners, *, count: int) -> None:
    """One rebuild, by its command, in a process of its own."""
    owners.appointments.clear()
    for n in range(count):
        id_ = str(uuid.UUID(int=n + 1))
        start = f"2026-{1 + n % 12:02}-{1 + n % 28:02}T09:00:00+01:00"
        owners.appointments[id_] = {
            "id": id_, "facility_id": LARGE if n % 10 else SMALL, "doctor_id": id_, "location_id": id_,
            "appointment_type_id": id_, "status": "completed", "starts_at": start, "ends_at": start, "version": 2,
            "zone": "Europe/Berlin", "late_cancelled": False, "changed_at": "2026-01-01T08:00:00.000Z",
        }  # fmt: skip
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    started = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _MEASURED],
        cwd=ROOT,
        env={**kept, **environ(url, owners)},
        capture_output=True,
        text=True,
        check=False,
    )
    taken = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(done.stderr)
    *_, counts, _, highest = done.stdout.splitlines()
    speed = f"{taken:.1f} s, {count / taken:,.0f} a second"
    say(f"rebuild of {count:,}: {speed}, at most {int(highest) // 1024} MiB; {counts}")


if __name__ == "__main__":
    main()

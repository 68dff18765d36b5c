"""How long a patient search takes in a hospital of a given size, and how much longer than reading one row.

    python -m benchmarks.bench_patient_search [patients]

Prints for each kind of search its median and 95th percentile through the whole web application, and their ratio to
reading one patient by id on the same machine in the same run; absolute times only show the order.
"""

from __future__ import annotations

import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from services.chassis.testing import House
from services.patients import app
from tests import stores
from tests.integration.patients import crowd, making

_ROUNDS = 20


@contextmanager
def town(number: int) -> Iterator[House]:
    """The patients with so many records, in a database that goes afterwards."""
    server = stores.address("postgres")
    name = f"bench_{secrets.token_hex(4)}"
    url = f"{server.rpartition('/')[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
    service = app.service(making.environ(url, "redis://127.0.0.1:9"))
    service.migrate()
    crowd.settle(url, crowd.people(number))
    house = House(service)
    try:
        yield house
    finally:
        house.close()
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def times(act: Callable[[], object], *, rounds: int) -> list[float]:
    """Seconds of each of some runs."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        act()
        taken.append(time.perf_counter() - start)
    return taken


def p95(taken: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]


def searched(house: House, *, rounds: int) -> dict[str, list[float]]:
    """Seconds of every search of every kind; each must be answered."""

    def ask(body: dict[str, object]) -> None:
        got = house.call("search_patients", body=body)
        if got.status != 200:
            raise RuntimeError(f"{got.status} for {body}")

    return {
        kind: [each for body in bodies for each in times(lambda body=body: ask(body), rounds=rounds)]
        for kind, bodies in crowd.SEARCHES.items()
    }


def main() -> int:
    """Print the table."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with town(number) as house:
        one = house.call("search_patients", body={"text": "smith"}).body["items"][0]["patient"]["id"]
        read = statistics.median(times(lambda: house.call("get_patient", patient_id=one), rounds=100))
        sys.stdout.write(f"{number} patients; reading one by id: 1.0 ({read * 1000:.1f} ms)\n")
        for kind, taken in searched(house, rounds=_ROUNDS).items():
            middle, high = statistics.median(taken), p95(taken)
            shown = f"median {middle / read:6.1f}  p95 {high / read:6.1f}  ({high * 1000:.0f} ms)"
            sys.stdout.write(f"{kind:<16} {shown}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

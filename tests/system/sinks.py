"""All that leaves the stores of the services of a house: logs, bus, outboxes, spans and metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pymongo
import redis
import urllib3

from standalone import needs
from tests.system.house import RunningHouse

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@contextmanager
def bus_of(house: RunningHouse) -> Iterator[redis.Redis]:
    """The bus, as notifications sees it."""
    url = (house.home / "environ" / "notifications" / "BUS_URL").read_text(encoding="utf-8").strip()
    with redis.Redis.from_url(url, decode_responses=True) as bus:
        yield bus


def events(house: RunningHouse) -> list[str]:
    """All that services have told, as it stands in their outboxes: streams are cut once everybody has read."""
    found: list[str] = []
    for service in needs.services():
        url = (house.home / "environ" / service / "DATABASE_URL").read_text(encoding="utf-8").strip()
        if url.startswith("mongodb"):
            with pymongo.MongoClient(url) as client:
                found += [each["event"] for each in client.get_default_database()["outbox"].find()]
            continue
        with psycopg.connect(url.replace("+psycopg", "")) as database:
            found += [each for (each,) in database.execute("SELECT event FROM outbox")]
    return found


def told(house: RunningHouse, spans: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Every place, and the text that is there."""
    for log in (house.home / "logs").iterdir():
        yield f"log {log.name}", log.read_text(encoding="utf-8", errors="replace")
    with bus_of(house) as bus:
        for name in bus.scan_iter(count=1000):
            kept = bus.xrange(name) if bus.type(name) == "stream" else name
            yield f"bus {name}", json.dumps(kept, ensure_ascii=False)
    yield "outboxes", "\n".join(events(house))
    for span in list(spans):
        yield f"span {span.name}", str(span)
    for name, port in house.ports().items():
        yield f"metrics of {name}", _metrics(port)


def _metrics(port: int) -> str:
    """With exemplars, where there are any."""
    try:
        address = f"http://127.0.0.1:{port}/metrics"
        got = urllib3.request("GET", address, headers={"accept": OPENMETRICS}, timeout=5, retries=False)
    except urllib3.exceptions.HTTPError:
        return ""
    return got.data.decode(errors="replace") if got.status == 200 else ""

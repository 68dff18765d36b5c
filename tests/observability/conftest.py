"""A house that is watched while people work in it and things go wrong, and what was seen meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.features import NIGHTLY
from tests.observability.faults import FAULTS, LONG_FAULTS
from tests.observability.load import Load, begun
from tests.observability.scraping import Prometheus, scraping
from tests.system.collector import collecting
from tests.system.house import COMES_UP_S, RunningHouse
from tests.waiting import wait_for

QUIET_S, BETWEEN_S = (120.0, 5.0) if NIGHTLY else (20.0, 2.0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the house and for all that happens in it."""
    for item in items:
        if "watched" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(COMES_UP_S + 240 + 2 * QUIET_S))


@dataclass
class Watched:
    """What was seen. start, end: seconds of the clock that Prometheus goes by."""

    house: RunningHouse
    prometheus: Prometheus
    load: Load
    spans: list[Any]
    start: float = 0.0
    end: float = 0.0
    faults: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """People work; then one fault after another happens while they go on."""
    folder = tmp_path_factory.mktemp("watched")
    with collecting() as (collector, spans):
        house = RunningHouse(folder / "house", collector=collector, watched=True)
        try:
            house.up()
            with scraping(house, folder / "prometheus") as prometheus:
                load = begun(house)
                seen = Watched(house, prometheus, load, spans, start=time.time())
                happens(seen)
                yield seen
        finally:
            house.down()


def happens(seen: Watched) -> None:
    """The whole story."""
    stop = threading.Event()
    people = threading.Thread(target=seen.load.run, args=(stop,))
    people.start()
    try:
        time.sleep(QUIET_S)  # how long people work is the load itself
        for name, fault in {**FAULTS, **(LONG_FAULTS if NIGHTLY else {})}.items():
            fault(seen.load)
            seen.faults.append(name)
            time.sleep(BETWEEN_S)
    finally:
        stop.set()
        people.join()
    seen.end = time.time()
    count = 'sum(infirmary_booking_attempts_total{result="booked"})'
    known: list[float] = []

    def is_still() -> bool:
        known.append(seen.prometheus.value(count))
        return len(known) > 2 and len(set(known[-3:])) == 1

    wait_for(is_still, step_s=1, what="the last scrape has everything")

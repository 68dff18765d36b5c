"""A house that is watched while people work in it and things go wrong, and what was seen meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from standalone.monitoring import Target
from tests.features import NIGHTLY
from tests.observability import beside, faults, traced
from tests.observability.load import Load, begun
from tests.observability.oncall import OnCall
from tests.observability.scene import Scene
from tests.observability.scraping import Prometheus, scraping
from tests.system.collector import collecting
from tests.system.house import COMES_UP_S, RunningHouse, hire
from tests.waiting import wait_for

# How long people work before the first store is away and after the last fault: ten minutes in all at night.
QUIET_S, BETWEEN_S, AFTER_S = (240.0, 5.0, 240.0) if NIGHTLY else (2.0, 1.0, 10.0)
FIRST = "stores"  # the track that waits: what is away disturbs the others
LONGEST_S = 300.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the house and for all that happens in it."""
    for item in items:
        if "watched" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(COMES_UP_S + LONGEST_S + QUIET_S + AFTER_S))


@dataclass
class Watched:
    """What was seen.

    start, end: seconds of the clock that Prometheus goes by. faults: when each began; failed: what did not come of it.
    bookings: the traces of some; told: the spans that there were of them before anything went wrong.
    """

    house: RunningHouse
    prometheus: Prometheus
    load: Load
    spans: list[Any]
    on_call: OnCall
    start: float = 0.0
    end: float = 0.0
    faults: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    bookings: set[str] = field(default_factory=set)
    told: list[Any] = field(default_factory=list)


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """People work; then one fault after another happens while they go on."""
    folder = tmp_path_factory.mktemp("watched")
    with collecting() as (collector, spans), beside.standing(folder / "beside") as aside:
        house = RunningHouse(folder / "house", collector=collector, watched=True)
        try:
            house.up()
            more = [Target(beside.NAME, "web", aside.port)]
            with scraping(house, folder / "prometheus", beside=more) as prometheus:
                load = begun(house)
                seen = Watched(house, prometheus, load, spans, OnCall(house, prometheus), start=time.time())
                happens(seen, Scene(house, load, prometheus, aside))
                yield seen
        finally:
            house.down()


def happens(seen: Watched, scene: Scene) -> None:
    """The whole story."""
    stop, home = threading.Event(), threading.Event()
    people = threading.Thread(target=seen.load.run, args=(stop,))
    on_call = threading.Thread(target=seen.on_call.watch, args=(home,))
    desks = [hire(seen.load.admin, "receptionist") for _ in range(3)]
    people.start()
    on_call.start()
    try:
        seen.bookings = traced.booked(seen.load, desks)
        seen.told = traced.settled(seen.spans, seen.bookings)  # who is killed takes a second of spans along
        with ThreadPoolExecutor(len(faults.TRACKS)) as tracks:
            running = [tracks.submit(_track, seen, scene, name, track) for name, track in faults.TRACKS.items()]
        for each in running:
            each.result()
        time.sleep(AFTER_S)  # a panel wants ten points after the last fault
    finally:
        stop.set()
        people.join()
        home.set()
        on_call.join()
    seen.end = time.time()
    count = 'sum(infirmary_booking_attempts_total{result="booked"})'
    known: list[float] = []

    def is_still() -> bool:
        known.append(seen.prometheus.value(count))
        return len(known) > 2 and len(set(known[-3:])) == 1

    wait_for(is_still, step_s=1, what="the last scrape has everything")


def _track(seen: Watched, scene: Scene, name: str, track: Mapping[str, faults.Fault]) -> None:
    """Faults that come one after the other, while those of other tracks come too."""
    if name == FIRST:
        time.sleep(QUIET_S)  # how long people work is the load itself
    for fault, happen in track.items():
        if fault in faults.AT_NIGHT and not NIGHTLY:
            continue
        seen.faults[fault] = time.time()
        try:
            happen(scene)
        except Exception as error:
            seen.failed[fault] = repr(error)
        time.sleep(BETWEEN_S)

"""Nobody is woken for nothing: an hour of healthy work, and every service is started anew in it."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from standalone import needs, state
from tests.observability.load import begun
from tests.observability.scraping import Prometheus
from tests.system.house import COMES_UP_S, RunningHouse
from tests.waiting import wait_for

MINUTES = 60
PAGES = 'ALERTS{alertstate="firing", severity="page"}'


@pytest.mark.nightly
@pytest.mark.target("E-06")
@pytest.mark.timeout(COMES_UP_S + 90 * MINUTES)
def test_an_hour_of_healthy_work_and_a_rolling_restart_wake_nobody(tmp_path: Path, figure):
    """With the rules as they are, in the Prometheus of the house; of each service two processes take turns."""
    scale = ",".join(f"{name}=2" for name in needs.programs())
    house = RunningHouse(tmp_path / "house", scale=scale, watched=True)
    try:
        house.up()
        own = Prometheus(f"http://127.0.0.1:{house.port('prometheus')}")
        load, stop, start = begun(house, doctors=MINUTES // 5), threading.Event(), time.time()
        people = threading.Thread(target=load.run, args=(stop,))
        people.start()
        try:
            time.sleep(MINUTES * 30)  # half of it in peace
            restarted = roll(house)
            time.sleep(max(0.0, start + MINUTES * 60 - time.time()))  # how long it lasts is what is tested
        finally:
            stop.set()
            people.join()
        found = own.ask("query_range", query=PAGES, start=start, end=time.time(), step=15)["result"]
        assert [each["metric"] for each in found] == []
        figure("bookings meanwhile", load.booked["201"], "bookings")
        figure("processes that were started anew", restarted, "processes")
    finally:
        house.down()


def roll(house: RunningHouse) -> int:
    """Every process of every service is told to stop, one after the other; how many that were."""
    names = [each.name for each in processes(house) if each.kind in {"web", "worker"}]
    for name in names:
        (old,) = [each for each in processes(house) if each.name == name]
        os.kill(old.pid, signal.SIGTERM)
        wait_for(lambda name=name, old=old: is_anew(house, name, old.pid), within_s=90, what=f"{name} is back")
    return len(names)


def is_anew(house: RunningHouse, name: str, old: int) -> bool:
    """Whether another process has taken its place, and answers."""
    return any(each.name == name and each.pid != old and each.health == state.READY for each in processes(house))


def processes(house: RunningHouse) -> list[state.ProcessState]:
    return list(state.read(house.home / "run" / "state.json").processes)

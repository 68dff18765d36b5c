"""Metrics grow with what a house does, not with whom it does it for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.observability.conftest import Watched
from tests.observability.load import Load
from tests.system.clinic import registered, until
from tests.system.house import Person, add_user, sign_in, word
from tests.waiting import wait_for

AT_ONCE = 4
EVERYTHING = 'count({__name__=~".+", __name__!~"ALERTS.*"})'


def patients(load: Load, count: int) -> None:
    """So many are registered, and looked for."""
    for patient in registered(load.desk, count):
        until(load.nurse, "GET", f"/api/v1/patients/{patient}").expect(200)


def wrong(load: Load, count: int) -> None:
    """So many addresses that do not exist, at the gateway and behind it."""
    for number in range(count):
        path = f"/api/v1/{word()}/{number}"
        assert until(load.desk, "GET", path).status == 404
        assert load.inside.send("GET", path, token=load.desk.token).status == 404


def users(load: Load, count: int) -> None:
    """So many accounts, and a sign-in of each."""
    for _ in range(count):
        _, person = add_user(load.admin, "nurse")
        wait_for(lambda person=person: signs_in(person), within_s=60, what="somebody signs in")


def signs_in(person: Person) -> bool:
    return sign_in(person.client, person.username, password=person.password).status == 201


@pytest.mark.target("E-11")
@pytest.mark.timeout(7200)
def test_many_patients_users_and_wrong_addresses_add_no_series(watched: Watched, rounds, figure):
    """After each of these kinds of work has been done by a few."""
    load, prometheus = watched.load, watched.prometheus
    counts = {
        patients: rounds(full=10_000, short=200),
        wrong: rounds(full=1_000, short=100),
        users: rounds(full=500, short=10),
    }
    for kind in counts:
        kind(load, 2)
    seen = 'sum(http_server_request_duration_seconds_count{job="patients", http_request_method="_OTHER"})'
    before = settled(watched, prometheus.value(seen))
    with ThreadPoolExecutor(len(counts)) as people:
        list(people.map(lambda kind: kind(load, counts[kind]), counts))
    after = settled(watched, prometheus.value(seen))
    figure("growth of series", 100 * (after - before) / before, "%")
    assert after <= before * 1.01


def settled(watched: Watched, count: float) -> float:
    """How many series there are, once the last requests have been scraped."""
    watched.load.inside.send("GET", f"/api/v1/{word()}", token=watched.load.desk.token)
    query = 'sum(http_server_request_duration_seconds_count{job="patients", http_request_method="_OTHER"})'
    wait_for(lambda: watched.prometheus.value(query) > count, what="the last scrape")
    return watched.prometheus.value(EVERYTHING)

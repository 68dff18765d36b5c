"""Searching among a hundred thousand patients."""

from __future__ import annotations

import statistics
import time

import pytest

from tests.integration.patients import crowd, making

PATIENTS, COPIES, ROUNDS = 100_000, 10, 10
SLOWEST_S = 0.5


@pytest.fixture(scope="module")
def town(migrated, postgres_url):
    making.empty(postgres_url)
    crowd.settle(postgres_url, crowd.people(PATIENTS // COPIES), copies=COPIES)
    assert making.count(postgres_url) == PATIENTS
    yield migrated
    making.empty(postgres_url)


@pytest.mark.row("PAT-04")
@pytest.mark.timeout(240)
def test_any_search_among_a_hundred_thousand_is_answered_in_half_a_second(town, record_property):
    john = making.registered(town, family_name="Smith", given_name="John", phones=[{"number": "(555) 010-1234"}])
    taken = []
    for bodies in crowd.SEARCHES.values():
        for body in bodies * ROUNDS:
            start = time.perf_counter()
            got = town.call("search_patients", body=body)
            taken.append(time.perf_counter() - start)
            assert got.status == 200
    p95 = statistics.quantiles(taken, n=20, method="inclusive")[-1]
    record_property("p95_ms", round(p95 * 1000))
    assert p95 < SLOWEST_S
    found = town.call("search_patients", body={"text": "jhon smit"}).body["items"]
    assert {(hit["patient"]["given_name"], hit["patient"]["family_name"]) for hit in found[:5]} == {("John", "Smith")}
    scores = [hit["score"] for hit in found]
    assert scores == sorted(scores, reverse=True)
    assert making.found(town, phone="+1 (555) 010-1234") == making.found(town, phone="5550101234") == [john["id"]]
    for search in ({"name": "smi"}, {"mrn": john["mrn"]}, {"text": "smith 1984-11-05"}):
        assert town.call("search_patients", body=search).status == 200
    assert making.found(town, mrn=john["mrn"]) == [john["id"]]

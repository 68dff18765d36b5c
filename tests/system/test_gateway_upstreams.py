"""Instances that fail, fall silent, are not ready or die: what a client sees of it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time

import pytest

from gateway import config
from tests.system import edge
from tests.waiting import within

RESET = (0, {}, b"")


def failing(status):
    return lambda _: (status, {"retry-after": "7"}, b"{}")


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    with edge.running(tmp_path_factory.mktemp("gateway"), ejection_failures=1_000) as running:
        yield running


@pytest.fixture
def one(calm):
    """One instance of each service, as if it had just come up."""
    for (upstream,) in calm.upstreams.values():
        upstream.answer, upstream.ready = upstream.usual, True
        upstream.requests.clear()
    return calm


@pytest.fixture
def two(tmp_path):
    with edge.running(tmp_path, counts={"patients": 2}, ejection_failures=3) as running:
        yield running


@pytest.mark.parametrize("answer", [failing(503), lambda _: RESET])
def test_a_read_is_tried_twice(one, answer):
    one.only("patients").answer = answer
    assert one.send("GET", edge.PATIENT, token=edge.token()).status == 503
    assert len(one.only("patients").requests) == 2


@pytest.mark.parametrize("answer", [failing(503), lambda _: RESET])
@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "0b9a3c1e-6f0c"}])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/v1/patients"), ("PATCH", edge.PATIENT), ("POST", "/api/v1/patients/search")]
)
def test_a_write_is_sent_once_whatever_happens(one, method, path, headers, answer):
    one.only("patients").answer = answer
    assert one.send(method, path, token=edge.token(), body=b"{}", headers=headers).status == 503
    assert len(one.only("patients").requests) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 409, 412, 422, 429, 500, 504])
def test_other_answers_are_passed_on_without_another_try(one, status):
    one.only("patients").answer = failing(status)
    answer = one.send("GET", edge.PATIENT, token=edge.token())
    assert (answer.status, answer.headers["retry-after"]) == (status, "7")
    assert len(one.only("patients").requests) == 1


def test_a_client_cannot_ask_for_more_tries(one):
    one.only("patients").answer = failing(503)
    said = {
        "x-envoy-max-retries": "20",
        "x-envoy-retry-on": "5xx,gateway-error",
        "x-envoy-hedge-on-per-try-timeout": "true",
    }
    one.send("GET", edge.PATIENT, token=edge.token(), headers=said)
    assert len(one.only("patients").requests) == 2


def test_a_connection_that_breaks_is_503_with_a_time_to_come_back(one):
    one.only("patients").answer = lambda _: RESET
    answer = one.send("POST", "/api/v1/patients", token=edge.token(), body=b"{}")
    assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "unavailable", "1")


def test_a_service_that_is_away_is_503_with_a_time_to_come_back_and_does_not_concern_the_others(tmp_path):
    with edge.running(tmp_path) as gateway:
        gateway.upstreams["patients"].pop().stop()
        answer = gateway.send("GET", edge.PATIENT, token=edge.token())
        assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "unavailable", "1")
        assert gateway.send("GET", f"{edge.PATIENT}/allergies", token=edge.token()).status == 200


def test_no_answer_in_time_is_504(tmp_path):
    with edge.running(tmp_path, route_timeout_s=0.6) as gateway:
        let_go = threading.Event()
        gateway.only("patients").answer = lambda _: (let_go.wait(10), 200, {}, b"{}")[1:]
        answer = gateway.send("POST", "/api/v1/patients", token=edge.token(), body=b"{}")
        let_go.set()
        assert (answer.status, answer.json["code"]) == (504, "timeout")
        assert gateway.only("patients").requests[0].headers["x-deadline-ms"] == "350"


def test_a_read_that_one_instance_refuses_is_answered_by_the_other(two):
    bad, good = two.upstreams["patients"]
    bad.answer = failing(503)
    assert [two.send("GET", edge.PATIENT, token=edge.token()).status for _ in range(10)] == [200] * 10
    assert good.requests


def test_an_instance_that_fails_its_requests_is_left_out_although_it_says_it_is_ready(two):
    """Three failures in a row put it out; half of the instances at most."""
    bad, _ = two.upstreams["patients"]
    bad.answer = failing(500)

    def settled():
        return {two.send("PATCH", edge.PATIENT, token=edge.token(), body=b"{}").status for _ in range(4)} == {200}

    # Which of the two gets a request is chance, so four good answers alone do not show that one of them was put out.
    assert within(10, lambda: settled() and len(bad.requests) >= 3)
    assert len(bad.requests) <= 8
    put_out = len(bad.requests)
    time.sleep(1)  # several rounds of health checks, which the instance passes
    assert settled()
    assert len(bad.requests) == put_out


def test_the_last_instance_is_never_left_out(one):
    one.only("patients").answer = failing(500)
    assert {one.send("PATCH", edge.PATIENT, token=edge.token(), body=b"{}").status for _ in range(20)} == {500}


def test_an_instance_that_is_not_ready_gets_nothing_until_it_is(two):
    resting, other = two.upstreams["patients"]
    resting.ready = False

    def only_other():
        resting.requests.clear()
        other.requests.clear()
        for _ in range(6):
            two.send("GET", edge.PATIENT, token=edge.token())
        return not resting.requests and len(other.requests) == 6

    assert within(10, only_other)
    resting.ready = True
    assert within(10, lambda: not only_other())


def test_when_nobody_is_ready_the_services_themselves_say_so(one):
    """And an instance that has come back is found by the next request, not by the next health check."""
    one.only("patients").ready = False
    time.sleep(1)
    assert one.send("GET", edge.PATIENT, token=edge.token()).status == 200


def test_the_gateway_stands_up_again_after_a_kill(tmp_path):
    with edge.running(tmp_path) as gateway:
        assert gateway.send("GET", edge.PATIENT, token=edge.token()).status == 200
        os.kill(gateway.process.pid, signal.SIGKILL)
        gateway.process.wait()
        command = [edge.ENVOY, *config.arguments(tmp_path / "envoy.yaml", concurrency=1)]
        with (tmp_path / "stdout").open("ab") as out, (tmp_path / "stderr").open("ab") as err:
            gateway.process = subprocess.Popen(command, stdout=out, stderr=err)

        def serves():
            try:
                return gateway.send("GET", edge.PATIENT, token=edge.token()).status == 200
            except OSError:
                return False

        assert within(5, serves)

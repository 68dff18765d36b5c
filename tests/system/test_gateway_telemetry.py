"""What the gateway tells about requests: enough to find one, and nothing about whom it was."""

from __future__ import annotations

import pytest

from tests.system import edge
from tests.system.collector import collecting
from tests.waiting import within

SECRET = "Ada-Example-1984"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A gateway that has seen every kind of request, its answers, and then its log and all its output."""
    folder = tmp_path_factory.mktemp("gateway")
    answers = {}
    with edge.running(folder, user_burst=3, user_per_s=1) as gateway:
        mine = edge.token("user-1")
        query = f"?name={SECRET}"
        answers["read"] = gateway.send("GET", edge.PATIENT + query, token=mine)
        answers["write"] = gateway.send("POST", "/api/v1/patients", token=mine, body=f'{{"n": "{SECRET}"}}'.encode())
        answers["public"] = gateway.send("POST", f"/api/v1/sessions{query}", body=f'{{"p": "{SECRET}"}}'.encode())
        answers["unsigned"] = gateway.send("GET", edge.PATIENT + query, token="not-a-token")
        answers["lost"] = gateway.send("GET", f"/api/v1/{SECRET}{query}")
        answers["refused"] = gateway.send("GET", f"{edge.PATIENT}%2f{SECRET}{query}")
        said = {"user-agent": SECRET, "referer": SECRET, "cookie": SECRET, "x-anything": SECRET, "host": SECRET}
        answers["headers"] = gateway.send("GET", edge.PATIENT, token=edge.token("user-2"), headers=said)
        answers["many"] = [gateway.send("GET", edge.PATIENT, token=mine) for _ in range(6)][-1]
        gateway.send("GET", "/gateway/healthz")
        seen = {request.headers["x-request-id"] for request in gateway.only("patients").asked()}
        lines = {line["request_id"]: line for line in gateway.log()}
    everything = (folder / "stdout").read_text() + (folder / "stderr").read_text()
    return {"answers": answers, "lines": lines, "everything": everything, "token": mine, "seen": seen}


def line(told, kind):
    return told["lines"][told["answers"][kind].headers["x-request-id"]]


@pytest.mark.parametrize(
    ("kind", "route", "status"),
    [
        ("read", "patients.get_patient", 200),
        ("write", "patients.register_patient", 200),
        ("public", "identity.sign_in", 200),
        ("unsigned", "patients.get_patient", 401),
        ("lost", "gateway.not_found", 404),
        ("refused", None, 400),
        ("many", "patients.get_patient", 429),
    ],
)
def test_every_request_has_a_line_with_its_route_and_status(told, kind, route, status):
    found = line(told, kind)
    assert (found["http.route"], found["http.response.status_code"]) == (route, status)
    assert (found["event"], found["service"], found["client.address"]) == ("gateway.request", "gateway", "127.0.0.1")


def test_the_id_of_the_answer_is_that_of_the_log_and_of_the_service(told):
    for kind in ("read", "write", "headers"):
        assert line(told, kind)["request_id"] in told["seen"]


def test_a_line_names_the_account_once_its_token_counts(told):
    assert line(told, "read")["user.id"] == "user-1"
    assert line(told, "many")["user.id"] == "user-1"
    assert line(told, "unsigned")["user.id"] is None
    assert line(told, "public")["user.id"] is None


def test_a_line_says_where_the_request_went_and_how_long_it_took(told):
    found = line(told, "read")
    assert (found["upstream.service"], found["upstream.attempts"]) == ("patients", 1)
    assert found["duration_ms"] >= found["upstream.first_byte_ms"] >= 0
    assert found["http.response.body.size"] == len(told["answers"]["read"].body)


def test_nothing_that_a_client_sent_is_in_any_output(told):
    """No path, query, body, header or token: only names of ours, the method, sizes and the address."""
    assert SECRET not in told["everything"]
    assert edge.PATIENT not in told["everything"]
    assert told["token"].split(".")[1] not in told["everything"]
    assert told["token"].split(".")[2] not in told["everything"]
    assert "not-a-token" not in told["everything"]


def test_health_checks_are_not_logged(told):
    assert not [each for each in told["lines"].values() if "health" in str(each["http.route"])]
    assert len(told["lines"]) == 13


@pytest.fixture
def collector():
    with collecting() as (endpoint, spans):
        yield endpoint, spans


def test_spans_go_to_the_collector_under_the_name_of_the_route_and_without_anything_sent(tmp_path, collector):
    endpoint, spans = collector
    outside = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    with edge.running(tmp_path, otlp_endpoint=endpoint) as gateway:
        said = {"traceparent": outside, "user-agent": SECRET, "host": SECRET}
        answer = gateway.send("GET", f"{edge.PATIENT}?name={SECRET}", token=edge.token(), headers=said)
        passed_on = gateway.only("patients").requests[0].headers["traceparent"].split("-")
        assert within(15, lambda: bool(spans))
        lines = gateway.log()
    (span,) = [each for each in spans if each.name == "patients.get_patient"]
    assert SECRET.encode() not in span.SerializeToString()
    assert edge.PATIENT.encode() not in span.SerializeToString()
    assert span.trace_id.hex() == passed_on[1] == lines[0]["trace_id"]
    assert passed_on[1] not in outside
    assert answer.headers["traceparent"] is None


def test_a_trace_of_ours_goes_on_where_the_caller_is_trusted(tmp_path, collector):
    endpoint, spans = collector
    with edge.running(tmp_path, otlp_endpoint=endpoint, trusts_traces=True) as gateway:
        said = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        gateway.send("GET", edge.PATIENT, token=edge.token(), headers=said)
        assert within(15, lambda: bool(spans))
    assert spans[0].trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"


def test_no_trace_without_a_collector(tmp_path):
    with edge.running(tmp_path) as gateway:
        gateway.send("GET", edge.PATIENT, token=edge.token())
        assert gateway.only("patients").requests[0].headers["traceparent"] is None


def test_a_collector_that_is_away_costs_nothing(tmp_path):
    with edge.running(tmp_path, otlp_endpoint=f"http://127.0.0.1:{edge.free_port()}") as gateway:
        assert {gateway.send("GET", edge.PATIENT, token=edge.token()).status for _ in range(5)} == {200}


def test_the_inner_listener_has_metrics_and_probes_and_nothing_else_of_the_admin_port(tmp_path):
    with edge.running(tmp_path) as gateway:
        gateway.send("GET", edge.PATIENT, token=edge.token())

        def inner(path, method="GET"):
            return gateway.send(method, path, port=gateway.metrics_port)

        assert within(10, lambda: b"upstream_rq_time_count" in inner("/metrics").body)  # merged every five seconds
        metrics = inner("/metrics").body.decode()
        for name in ("upstream_rq_total", "upstream_rq_time_count", "circuit_breakers_default_remaining_rq",
                     "upstream_cx_active", "membership_healthy"):  # fmt: skip
            assert f'envoy_cluster_{name}{{envoy_cluster_name="patients"}}' in metrics
        assert "envoy_http_downstream_rq_total" in metrics
        assert (inner("/healthz").status, inner("/readyz").status) == (200, 200)
        for path in ("/config_dump", "/quitquitquit", "/stats", "/certs", "/", "/metrics/../config_dump", "/logging"):
            assert {inner(path).status, inner(path, method="POST").status} <= {400, 404}
        assert inner("/metrics", method="POST").status == 404
        assert gateway.process.poll() is None

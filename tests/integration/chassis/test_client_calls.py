"""Calls to another service over real sockets: what is sent, what comes back, and what faults do."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY, generate_latest

from services.chassis import deadline, logs
from services.kernel.errors import Unavailable
from tests.integration.chassis.peer import Behaviour, Connection, always, in_turn


def test_it_sends_what_the_contract_says_and_gives_back_status_body_and_headers(serve, connect) -> None:
    peer = serve(always(200, {"id": "7"}, headers={"ETag": '"3"'}))
    reply = connect(peer.url).call(
        "get_thing", path={"thing_id": "7"}, query={"with": ["a", "b"], "all": True, "no": None}
    )
    assert (reply.status, reply.body, reply.headers["etag"], reply.is_success) == (200, {"id": "7"}, '"3"', True)
    assert (peer.requests[0].method, peer.requests[0].target) == ("GET", "/api/v1/things/7?with=a&with=b&all=true")


def test_it_passes_on_token_key_version_request_id_and_what_time_remains(serve, connect) -> None:
    peer = serve(always(201, {}))
    with logs.bound(request_id="r-1"), deadline.within(1.5):
        connect(peer.url).call("add_thing", body={"name": "Ада"}, token="t-1", key="k-1234567", version=4)
    headers = peer.requests[0].headers
    assert headers["authorization"] == "Bearer t-1"
    assert headers["idempotency-key"] == "k-1234567"
    assert headers["if-match"] == '"4"'
    assert headers["x-request-id"] == "r-1"
    assert 1000 < int(headers["x-deadline-ms"]) <= 1500
    assert peer.requests[0].body == '{"name":"Ада"}'.encode()


def test_the_deadline_is_two_seconds_where_more_remains(serve, connect) -> None:
    peer = serve(always(200, {}))
    with deadline.within(10):
        connect(peer.url).call("list_things")
    assert 1500 < int(peer.requests[0].headers["x-deadline-ms"]) <= 2000


def test_the_caller_may_give_a_call_more_time_or_less(serve, connect) -> None:
    peer = serve(always(200, {}))
    client = connect(peer.url)
    with deadline.within(10):
        client.call("list_things", within_s=5.0)
        client.call("list_things", within_s=0.5)
    longer, shorter = (int(request.headers["x-deadline-ms"]) for request in peer.requests)
    assert 4000 < longer <= 5000
    assert 0 < shorter <= 500


def test_whoever_stands_between_people_and_services_says_for_whom_it_asks(serve, connect) -> None:
    peer = serve(always(200, {}))
    client = connect(peer.url)
    client.call("list_things", source="203.0.113.7")
    client.call("list_things")
    assert peer.requests[0].headers["x-forwarded-for"] == "203.0.113.7"
    assert "x-forwarded-for" not in peer.requests[1].headers


def test_an_answer_that_is_not_json_is_handed_on_as_it_came(serve, connect) -> None:
    def plain(connection: Connection) -> None:
        connection.answer(200, b"%PDF-1.7", headers={"content-type": "application/pdf"})

    reply = connect(serve(plain).url).call("get_thing", path={"thing_id": "7"})
    assert (reply.body, reply.raw) == (None, b"%PDF-1.7")


def test_the_trace_goes_on_in_the_peer(serve, connect) -> None:
    peer = serve(always(200, {}))
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("outer") as span:
        connect(peer.url).call("list_things")
        ours = trace.format_trace_id(span.get_span_context().trace_id)
    assert peer.requests[0].headers["traceparent"].split("-")[1] == ours


@pytest.mark.parametrize("hostile", ["../admin", "a/b", "a?x=1", "a#b", "a%2fb", "ü\r\nX: y", "{thing_id}", "a b"])
def test_a_path_parameter_stays_one_segment_of_the_path(serve, connect, hostile: str) -> None:
    peer = serve(always(200, {}))
    connect(peer.url).call("get_thing", path={"thing_id": hostile})
    sent = peer.requests[0].target.removeprefix("/api/v1/things/")
    assert not set(sent) & set("/?#{} \r\n")
    assert peer.requests[0].target.startswith("/api/v1/things/")
    assert "x" not in peer.requests[0].headers


@pytest.mark.parametrize(
    "path", [{}, {"thing_id": ""}, {"thing_id": ".."}, {"thing_id": "."}, {"other": "1", "thing_id": "1"}]
)
def test_a_path_that_cannot_be_right_is_not_sent(serve, connect, path: dict[str, str]) -> None:
    peer = serve(always(200, {}))
    with pytest.raises(ValueError, match="parameter"):
        connect(peer.url).call("get_thing", path=path)
    assert peer.requests == []


def test_an_operation_of_no_contract_is_a_mistake_of_ours(serve, connect) -> None:
    with pytest.raises(LookupError):
        connect(serve(always(200)).url).call("get_nothing")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422, 429])
def test_a_4xx_comes_back_as_it_is_and_is_never_tried_again(serve, connect, status: int) -> None:
    peer = serve(always(status, {"code": "no"}, headers={"content-type": "application/problem+json"}))
    client = connect(peer.url)
    reply = client.call("get_thing", path={"thing_id": "1"})
    assert (reply.status, reply.body, reply.is_success) == (status, {"code": "no"}, False)
    for _ in range(30):
        client.call("add_thing", body={}, key="k-1234567")
    assert len(peer.requests) == 31, "each was sent once, and the breaker let all through"


@pytest.mark.parametrize(
    ("call", "tries"),
    [
        ({"operation_id": "list_things"}, 2),
        ({"operation_id": "add_thing", "body": {}, "key": "k-1234567"}, 2),
        ({"operation_id": "add_thing", "body": {}}, 1),
        ({"operation_id": "put_thing", "path": {"thing_id": "1"}, "body": {}, "version": 1}, 1),
    ],
)
@pytest.mark.parametrize("fault", ["503", "reset", "cut"])
def test_one_more_try_for_reads_and_keyed_posts_only(serve, connect, call: dict, tries: int, fault: str) -> None:
    def cut(connection: Connection) -> None:
        connection.socket.sendall(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
        connection.reset()

    peer = serve({"503": always(503, {}), "reset": Connection.reset, "cut": cut}[fault])
    with pytest.raises(Unavailable):
        connect(peer.url).call(**call)
    assert len(peer.requests) == tries
    assert len({request.body for request in peer.requests}) == 1
    assert len({request.headers.get("idempotency-key") for request in peer.requests}) == 1


@pytest.mark.parametrize("fault", [always(503, {}), Connection.reset])
def test_a_fault_that_passes_is_not_seen(serve, connect, fault: Behaviour) -> None:
    peer = serve(in_turn(fault, always(200, {"id": "1"})))
    assert connect(peer.url).call("list_things").body == {"id": "1"}
    assert len(peer.requests) == 2


@pytest.mark.parametrize(("sent", "seconds"), [("7", 7), ("0", 1), ("999999", 1), ("3600", 60), ("soon", 1)])
def test_a_busy_peer_says_when_to_come_back(serve, connect, sent: str, seconds: int) -> None:
    peer = serve(always(503, {}, headers={"retry-after": sent}))
    with pytest.raises(Unavailable) as busy:
        connect(peer.url).call("add_thing", body={})
    assert busy.value.retry_after_s == seconds


@pytest.mark.parametrize(
    "answer",
    [
        always(200, b"{not json"),
        always(200, b'{"a": NaN}'),
        always(301, headers={"location": "http://127.0.0.1:1/elsewhere"}),
        lambda connection: connection.socket.sendall(b"SSH-2.0-OpenSSH\r\n\r\n") or connection.reset(),
    ],
)
def test_an_answer_that_is_none_counts_as_none(serve, connect, answer: Behaviour) -> None:
    with pytest.raises(Unavailable):
        connect(serve(answer).url).call("add_thing", body={})


def test_an_answer_without_a_body_is_fine(serve, connect) -> None:
    reply = connect(serve(always(204)).url).call("put_thing", path={"thing_id": "1"}, body={})
    assert (reply.status, reply.body) == (204, None)


def test_an_answer_larger_than_eight_megabytes_is_not_read_to_its_end(serve, connect) -> None:
    peer = serve(always(200, b'"' + b"x" * (9 * 1024 * 1024) + b'"'))
    with pytest.raises(Unavailable):
        connect(peer.url).call("add_thing", body={})


def test_connections_are_kept_and_those_that_the_peer_closed_are_not_used(serve, connect) -> None:
    def once(connection: Connection) -> None:
        connection.answer(200, {})
        connection.keep = False

    peer = serve(in_turn(always(200, {}), always(200, {}), once, always(200, {})))
    client = connect(peer.url)
    for _ in range(3):
        client.call("add_thing", body={})
    assert peer.connections == 1
    time.sleep(0.1)
    client.call("add_thing", body={})
    assert peer.connections == 2


@pytest.fixture
def loud_logs() -> Iterator[None]:
    """Logs as a process has them, at their loudest; afterwards as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.set_up("test", level="debug")
    root.setLevel(logging.DEBUG)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.target("C-16")
def test_nothing_of_addresses_tokens_and_bodies_is_said_in_metrics_and_logs(serve, connect, capfd, loud_logs) -> None:
    client = connect(serve(in_turn(always(200, {"name": "canary-1"}), Connection.reset)).url)
    client.call("get_thing", path={"thing_id": "canary-2"}, query={"q": "canary-3"}, token="canary-4")
    with pytest.raises(Unavailable) as gone:
        client.call("add_thing", body={"name": "canary-5"}, token="canary-4", key="canary-6-key")
    said = capfd.readouterr()
    everything = said.out + said.err + generate_latest().decode() + repr(gone.value) + str(gone.value)
    assert "canary" not in everything


def test_a_span_holds_the_route_and_never_the_address(serve, connect) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    client = connect(serve(in_turn(always(503, {}), always(200, {}))).url, tracer=provider.get_tracer("test"))
    client.call("get_thing", path={"thing_id": "canary"}, query={"q": "canary"})
    failed, passed = exporter.get_finished_spans()
    assert (passed.name, passed.kind) == ("GET /api/v1/things/{thing_id}", SpanKind.CLIENT)
    assert dict(passed.attributes or {}) == {
        "http.request.method": "GET",
        "url.template": "/api/v1/things/{thing_id}",
        "server.address": "peer",
        "http.response.status_code": 200,
    }
    assert dict(failed.attributes or {})["error.type"] == "503"
    assert not failed.status.is_ok
    assert not failed.events
    assert "canary" not in failed.to_json() + passed.to_json()


def test_each_try_is_measured_under_the_route_of_the_contract(serve, connect) -> None:
    def count(status: str, error_type: str) -> float:
        labels = {
            "service": "peer",
            "http_request_method": "GET",
            "http_route": "/api/v1/things/{thing_id}",
            "http_response_status_code": status,
            "error_type": error_type,
        }
        return REGISTRY.get_sample_value("http_client_request_duration_seconds_count", labels) or 0.0

    before = count("200", ""), count("503", "503"), count("", "reset")
    client = connect(serve(in_turn(always(503, {}), always(200, {}), Connection.reset, always(200, {}))).url)
    for _ in range(2):
        client.call("get_thing", path={"thing_id": "1"})
    assert (count("200", ""), count("503", "503"), count("", "reset")) == (before[0] + 2, before[1] + 1, before[2] + 1)
